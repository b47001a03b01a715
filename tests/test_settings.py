"""Settings: their layers, where each value came from, and what is refused."""

import pytest

from twingraph.errors import SettingsError
from twingraph.settings import load_settings, settings_origins

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
    with pytest.raises(SettingsError, match=r"line 4|end of document"):
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
