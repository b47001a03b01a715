"""The pages in a real browser, as a visitor uses them, with JavaScript switched off."""

import re
import shutil
from urllib.parse import urlsplit

import html5rdf
import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from running import client

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--no-proxy-server", "--window-size=1200,1000",
)  # fmt: skip
ANY = "SELECT+*+%7B%3Fs+%3Fp+%3Fo%7D+LIMIT+5"
needs_browser = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    browser = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield browser
    browser.quit()


@pytest.fixture
def http(address):
    with client(address) as http:
        http.headers["Accept"] = "text/html"
        yield http


def texts(browser, selector):
    return [element.text for element in browser.find_elements(By.CSS_SELECTOR, selector)]


def follow(browser, element):
    """Click and wait for the page that it leads to, whole."""
    before = browser.find_element(By.TAG_NAME, "html").id
    element.click()
    wait = WebDriverWait(browser, 10, poll_frequency=0.05, ignored_exceptions=[WebDriverException])
    wait.until(lambda page: page.find_element(By.TAG_NAME, "html").id != before)
    wait.until(lambda page: page.find_elements(By.TAG_NAME, "footer") or page.find_elements(By.TAG_NAME, "pre"))


def submit(browser):
    follow(browser, browser.find_element(By.CSS_SELECTOR, "main button[type=submit]"))


@pytest.mark.browser
@needs_browser
def test_home_says_what_this_is_and_how_much_is_in_it(browser, address):
    browser.get(address)
    assert texts(browser, "h1") == ["The lights of Skarn Sound"]
    assert "excerpt 8" in browser.find_element(By.CSS_SELECTOR, ".columns table").text
    assert "2\nsource documents" in texts(browser, ".figures li")


@pytest.mark.browser
@needs_browser
def test_home_speaks_another_language_of_the_publication(browser, address):
    browser.get(address)
    follow(browser, browser.find_element(By.LINK_TEXT, "sv"))
    heading = browser.find_element(By.TAG_NAME, "h1")
    assert (heading.text, heading.get_attribute("lang")) == ("Fyrarna i Skarnsund", "sv")
    assert "fyr 2" in browser.find_element(By.CSS_SELECTOR, ".columns table").text


@pytest.mark.browser
@needs_browser
def test_a_visitor_runs_the_query_that_stands_on_the_home_page(browser, address):
    browser.get(address)
    submit(browser)
    assert texts(browser, "#results") == ["11 rows"]
    assert texts(browser, "thead th")[:2] == ["class", "things"]
    assert "l:Excerpt" in texts(browser, "tbody a")


@pytest.mark.browser
@needs_browser
def test_a_visitor_writes_a_query_and_follows_a_thing(browser, address):
    browser.get(f"{address}/sparql")
    box = browser.find_element(By.ID, "query")
    box.clear()
    box.send_keys("SELECT ?light ?name { ?light a l:Light ; rdfs:label ?name }")
    submit(browser)
    assert browser.find_element(By.CSS_SELECTOR, "tbody td span[lang=en]").text
    follow(browser, browser.find_element(By.LINK_TEXT, "light:holm"))
    assert browser.current_url == f"{address}/doc/light/holm"
    assert "rdfs:label" in texts(browser, "dl.properties dt")


@pytest.mark.browser
@needs_browser
def test_a_mistake_is_shown_at_its_place_and_the_query_is_still_there(browser, address):
    browser.get(f"{address}/sparql?query=SELECT+*%0A%7B+%3Fs+nope%3Ap+%3Fo+%7D")
    assert "Prefix not found" in browser.find_element(By.CSS_SELECTOR, "[role=alert]").text
    assert browser.find_element(By.TAG_NAME, "mark").is_displayed()
    assert "nope:p" in browser.find_element(By.ID, "query").get_attribute("value")


@pytest.mark.browser
@needs_browser
def test_a_visitor_fills_in_a_saved_query(browser, address):
    browser.get(f"{address}/queries")
    follow(browser, browser.find_element(By.LINK_TEXT, "What says so"))
    field = browser.find_element(By.NAME, "thing")
    field.clear()
    field.send_keys("light:ness")
    submit(browser)
    assert re.fullmatch(r"\d+ rows?", texts(browser, "#results")[0])
    assert browser.find_element(By.NAME, "thing").get_attribute("value") == "light:ness"


@pytest.mark.browser
@needs_browser
@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize(
    "path", ["/", "/sparql?query=SELECT+*+%7B%3Fs+%3Fp+%3Fo%7D+LIMIT+5", "/queries", "/queries/lights"]
)
def test_no_page_is_wider_than_the_window(browser, address, path, width):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    )
    browser.get(address + path)
    assert browser.find_element(By.TAG_NAME, "body").size["width"] <= width
    assert browser.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]["width"] <= width


@pytest.mark.browser
@needs_browser
def test_the_answer_can_be_had_as_data(browser, address):
    browser.get(f"{address}/sparql")
    Select(browser.find_element(By.ID, "format")).select_by_value("json")
    submit(browser)
    assert '"bindings"' in browser.page_source


PAGES = [
    "/",
    "/?lang=sv",
    "/sparql",
    "/sparql?query=ASK+%7B%7D",
    "/sparql?query=nonsense",
    "/queries",
    "/queries/lights",
]


@pytest.mark.parametrize("path", PAGES)
def test_pages_name_everything_that_needs_a_name(http, path):
    page = http.get(path).text
    assert '<html lang="en">' in page
    assert page.count("<h1") == page.count("<main") == 1
    labelled = set(re.findall(r'<label for="([^"]+)"', page))
    assert set(re.findall(r'<(?:input|textarea|select) id="([^"]+)"', page)) <= labelled
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("path", PAGES)
def test_pages_fetch_nothing_from_elsewhere_and_run_nothing(http, path):
    response = http.get(path)
    assert "default-src 'none'" in response.headers["content-security-policy"]
    # A canonical link is not fetched, and a description in JSON-LD is not run.
    text = re.sub(r'<link rel="canonical"[^>]*>|<script type="application/ld\+json">', "", response.text)
    fetched = re.findall(r'<(?:script|img|iframe|link)[^>]+(?:src|href)="([^"]+)"', text)
    assert [address for address in fetched if urlsplit(address).netloc] == []
    assert "<script" not in text


def test_what_a_visitor_writes_is_never_markup(http):
    page = http.get("/sparql", params={"query": "</textarea><script>alert(1)</script>"}).text
    assert "<script>" not in page


def test_a_long_answer_says_that_it_is_cut(http):
    query = "SELECT ?a ?b { ?a ?p ?o . ?b ?q ?r }"
    page = http.get("/sparql", params={"query": query}).text
    assert "Only the first 1,000 are shown here" in page


def test_a_wrong_query_is_a_page_with_the_status_of_the_mistake(http):
    response = http.get("/sparql", params={"query": "SELECT * {"})
    assert (response.status_code, response.headers["content-type"]) == (400, "text/html; charset=utf-8")


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_well_formed_html(http, path):
    parser = html5rdf.HTMLParser(strict=True)
    parser.parse(http.get(path).text)
    assert parser.errors == []


@pytest.mark.parametrize("scheme", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "urn:x:y"])
def test_only_addresses_of_the_web_are_links(http, scheme):
    query = f"SELECT (<{scheme}> AS ?bad) (<https://other.example/> AS ?good) {{}}"
    page = http.get("/sparql", params={"query": query}, headers={"Accept": "text/html"}).text
    links = re.findall(r'<a [^>]*href="([^"]*)"', page)
    assert "https://other.example/" in links
    assert not any(link.startswith(scheme.partition(":")[0] + ":") for link in links)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("en;q=0.1, sv;q=0.9", "sv"),
        ("sv;q=0.1, en;q=0.9", "en"),
        ("sv;q=0, en;q=0.1", "en"),
        ("zh, sv-SE;q=0.5, en;q=0.4", "sv"),
    ],
)
def test_the_language_is_the_one_that_weighs_most(http, accepted, language):
    page = http.get("/", headers={"Accept-Language": accepted}).text
    assert f'<h1 lang="{language}"' in page
