"""YASGUI in a real browser, on a page of another origin: it may read answers and errors of the endpoint."""

import json
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from node import PACKAGES, require_packages
from test_pages import CHROMIUM, DRIVER, FLAGS, needs_browser

PAGE = """<!doctype html><meta charset="utf-8"><title>YASGUI</title>
<link rel="stylesheet" href="yasgui.min.css"><script src="yasgui.min.js"></script><div id="yasgui"></div>
<script>
  const requestConfig = {{ endpoint: {endpoint}, method: {method} }};
  window.yasgui = new Yasgui(document.getElementById("yasgui"), {{ requestConfig, copyEndpointOnNewTab: false }});
</script>"""
NAMES = (
    "SELECT ?name { ?s <http://www.w3.org/2000/01/rdf-schema#label> ?name FILTER(LANG(?name) = 'sv') } ORDER BY ?name"
)
pytestmark = [pytest.mark.browser, needs_browser]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """Another origin, that of a folder with YASGUI; yields the folder and its address."""
    require_packages()
    folder = tmp_path_factory.mktemp("yasgui")
    for name in ("yasgui.min.css", "yasgui.min.js"):
        shutil.copy(PACKAGES / "@zazuko" / "yasgui" / "build" / name, folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield browser
    browser.quit()


@pytest.fixture(params=["GET", "POST"])
def yasgui(request, browser, origin, address):
    """YASGUI with the endpoint's address, nothing asked yet, which asks by each method."""
    folder, page = origin
    method = request.param
    text = PAGE.format(endpoint=json.dumps(f"{address}/sparql"), method=json.dumps(method))
    (folder / f"{method}.html").write_text(text, encoding="utf-8")
    browser.get(f"{page}/{method}.html")
    browser.execute_script("localStorage.clear()")
    browser.get(f"{page}/{method}.html")
    return browser


def run(browser, query):
    browser.execute_script("window.yasgui.getTab().getYasqe().setValue(arguments[0])", query)
    browser.find_element(By.CSS_SELECTOR, ".yasqe_queryButton").click()


def shown(browser, selector):
    """Return the text of what YASGUI shows, as soon as there is any."""
    wait = WebDriverWait(browser, 15, poll_frequency=0.05)
    return wait.until(lambda page: [one.text for one in page.find_elements(By.CSS_SELECTOR, selector) if one.text])


def test_yasgui_shows_rows(yasgui):
    run(yasgui, NAMES)
    assert "Ängsö" in " ".join(shown(yasgui, ".yasr table.dataTable tbody tr"))


def test_yasgui_shows_a_graph(yasgui):
    run(yasgui, f"CONSTRUCT {{ <urn:x> <urn:y> ?name }} {{ {{ {NAMES} }} }}")
    assert "Ängsö" in " ".join(shown(yasgui, ".yasr .yasr_results"))


def test_yasgui_shows_what_is_wrong(yasgui):
    run(yasgui, "SELECT * { ?s ?p ?o } LIMIT many")
    assert "line 1, column 29" in " ".join(shown(yasgui, ".yasr .yasr_results"))
