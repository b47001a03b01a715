"""Settings: their layers, where each value came from, and what is refused."""

import pytest

from running import growth
from twingraph.errors import SettingsError
from twingraph.settings import load_settings, settings_origins
from twingraph.settings_errors import line_of

MINIMAL = 'base_iri = "https://kg.test/"\n[title]\nen = "Lamps"\n'


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.delenv("TWINGRAPH_SOURCES", raising=False)
    (tmp_path / "twingraph.toml").write_text(MINIMAL, encoding="utf-8")
    return tmp_path


def test_defaults_fill_what_the_file_leaves_out(directory):
    settings = load_settings(directory)
    assert settings.folders.data == "data"
    assert settings.server.port == 8000


def test_the_environment_overrides_the_file(directory, monkeypatch):
    monkeypatch.setenv("TWINGRAPH_BASE_IRI", "https://other.test/")
    monkeypatch.setenv("TWINGRAPH_SERVER__PORT", "81")
    settings = load_settings(directory)
    assert (settings.base_iri, settings.server.port) == ("https://other.test/", 81)


def test_the_command_line_overrides_the_environment(directory, monkeypatch):
    monkeypatch.setenv("TWINGRAPH_SERVER__PORT", "81")
    assert load_settings(directory, server__port=82).server.port == 82


def test_an_option_that_is_not_given_changes_nothing(directory):
    assert load_settings(directory, base_iri=None).base_iri == "https://kg.test/"


def test_each_value_says_where_it_came_from(directory, monkeypatch):
    monkeypatch.setenv("TWINGRAPH_SOURCES", "texts")
    settings = load_settings(directory, server__port=82)
    origins = {name: origin for name, _, origin in settings_origins(settings, server__port=82)}
    assert origins["base_iri"] == "twingraph.toml"
    assert origins["sources"] == "environment"
    assert origins["server.port"] == "command line"
    assert origins["server.host"] == "default"


def test_a_nested_value_from_the_file_says_so(directory):
    (directory / "twingraph.toml").write_text(MINIMAL + "[server]\nport = 83\n", encoding="utf-8")
    origins = {name: origin for name, _, origin in settings_origins(load_settings(directory))}
    assert (origins["server.port"], origins["server.host"]) == ("twingraph.toml", "default")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("bass_iri = 'x'\n" + MINIMAL, "bass_iri"),
        (MINIMAL.replace("https://kg.test/", "kg.test"), "base_iri"),
        (MINIMAL.replace("https://kg.test/", "https://kg.test"), "base_iri"),
        (MINIMAL + "[server]\nport = 70000\n", "server.port"),
        ('base_iri = "https://kg.test/"\n', "title"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(directory, text, key):
    (directory / "twingraph.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(directory)
    assert caught.value.key == key


def test_a_file_that_is_not_toml_is_refused_with_its_line(directory):
    (directory / "twingraph.toml").write_text(MINIMAL + "x = [\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"twingraph\.toml:4: not TOML: invalid value$"):
        load_settings(directory)


def test_a_directory_without_settings_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="no such file"):
        load_settings(tmp_path)


def test_prefixes_are_resolved_against_the_base(directory):
    text = MINIMAL + '[prefixes]\nex = "id/ex/"\nowl = "http://www.w3.org/2002/07/owl#"\n'
    (directory / "twingraph.toml").write_text(text, encoding="utf-8")
    iris = load_settings(directory, base_iri="http://127.0.0.1:1/").iris
    assert iris.namespaces == {"ex": "http://127.0.0.1:1/id/ex/", "owl": "http://www.w3.org/2002/07/owl#"}


@pytest.mark.parametrize("variable", ["TWINGRAPH_LIMIT__ROWS", "TWINGRAPH_BASEIRI", "twingraph_limit__rows"])
def test_a_misspelt_variable_is_refused(directory, monkeypatch, variable):
    monkeypatch.setenv(variable, "1")
    with pytest.raises(SettingsError, match=variable):
        load_settings(directory)


@pytest.mark.parametrize("variable", ["TWINGRAPH_TITLE", "TWINGRAPH_LANGUAGES"])
def test_a_variable_for_a_list_or_table_that_is_not_json_is_refused(directory, monkeypatch, variable):
    monkeypatch.setenv(variable, "en")
    with pytest.raises(SettingsError, match=f'environment: .*"{variable[10:].lower()}".*JSON'):
        load_settings(directory)


def test_the_directory_is_no_setting_of_the_environment(directory, monkeypatch):
    monkeypatch.setenv("TWINGRAPH_DIRECTORY", "elsewhere")
    with pytest.raises(SettingsError, match="environment: directory: can be set only by the option"):
        load_settings(directory)


def test_the_directory_is_no_setting_of_the_file(directory):
    (directory / "twingraph.toml").write_text('directory = "elsewhere"\n' + MINIMAL, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"twingraph.toml: directory: can be set only by the option"):
        load_settings(directory)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("langages = ['en']\n" + MINIMAL, ":1: langages: there is no such setting; did you mean languages?"),
        ("languages = 'en'\n" + MINIMAL, ':1: languages: must be a list of texts, as in languages = ["en"]'),
        (MINIMAL + "[server]\nprot = 1\n", ":5: server.prot: there is no such setting; did you mean port?"),
        (MINIMAL + "[server]\nport = 'x'\n", ":5: server.port: must be a whole number, as in port = 8000"),
        (MINIMAL + "[server]\nport = 70000\n", ":5: server.port: must be at most 65535, not 70000"),
        (
            MINIMAL + "[server]\naccess_log = 'x'\n",
            ":5: server.access_log: must be true or false, as in access_log = true",
        ),
        ("title.en = 'x'\n", ': base_iri: is missing; write for example base_iri = "https://example.org/"'),
        (
            "licence = 'CC0'\n" + MINIMAL,
            """:1: licence: must be an absolute IRI, such as "https://example.org/", not 'CC0'""",
        ),
        ("languages = ['english!']\n" + MINIMAL, ":1: languages: 'english!' is not a language tag"),
        ("default_graph = 'both'\n" + MINIMAL, ':1: default_graph: must be one of "union", "default", as in'),
        ("title = 'x'\nbase_iri = 'https://a/'", ':1: title: must be a table of texts, as in title = {en = "text"}'),
        ("limits = 3\n" + MINIMAL, ":1: limits: must be a table, as in [limits]"),
        (MINIMAL + "[prefixes]\nex = 'a b'\n", ":4: prefixes: the namespace of 'ex' is not an IRI: 'a b'"),
        (MINIMAL + "[publisher]\nname = 'x'\nurl = 'me'\n", ":6: publisher.url: must be an absolute IRI"),
        (
            "text = '''\n[server]\nprot = 2'''\n" + MINIMAL + "[[graphs]]\nfiles = 'a'\ngraph = 'b'\n"
            "[[graphs]]\nfiles = 'a'\ngrahp = [ # ]\n'b']\n",
            ":1: text: there is no such setting",
        ),
        (
            MINIMAL + "[[graphs]]\nfiles = 'a'\ngraph = 'b'\n[[graphs]]\nfiles = 'a'\ngrahp = 'b'\n",
            ":9: graphs.1.grahp: there is no such setting; did you mean graph?",
        ),
    ],
)
def test_a_wrong_setting_says_what_is_wrong_on_which_line_and_how_it_is_written(directory, text, message):
    (directory / "twingraph.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(directory)
    assert f"twingraph.toml{message}" in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"\xef\xbb\xbf" + MINIMAL.encode(),
            ":1: the file begins with a byte order mark; save it as UTF-8 without one",
        ),
        (MINIMAL.encode() + b"# \xc4\n", ":4: is not in UTF-8; save it as UTF-8"),
        (b"base_iri = \n", ":1:12: not TOML: invalid value"),
    ],
)
def test_a_file_of_settings_that_cannot_be_read_says_why(directory, data, message):
    (directory / "twingraph.toml").write_bytes(data)
    with pytest.raises(SettingsError) as caught:
        load_settings(directory)
    assert str(caught.value).endswith(f"twingraph.toml{message}")


def test_the_file_of_settings_is_named_relative_to_the_current_directory(directory, monkeypatch):
    monkeypatch.chdir(directory.parent)
    (directory / "twingraph.toml").write_text("x = 1\n" + MINIMAL, encoding="utf-8")
    with pytest.raises(SettingsError, match=f"^{directory.name}/twingraph.toml:1: x: "):
        load_settings(directory)


def test_a_misspelt_variable_names_the_one_that_is_meant(directory, monkeypatch):
    monkeypatch.setenv("TWINGRAPH_LANGUAGE", '["en"]')
    with pytest.raises(SettingsError, match="did you mean TWINGRAPH_LANGUAGES"):
        load_settings(directory)


def test_the_line_of_a_setting_is_found_in_linear_time():
    def find(size):
        text = "".join(f"[t{number}]\nkey = [\n 1 ]\n" for number in range(size))
        assert line_of((f"t{size - 1}", "key"), text) == 3 * size - 1

    assert growth(find, 2_000, 16_000) < 16
