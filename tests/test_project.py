"""The repository keeps its promises: documents are current, entry points import, files are really there."""

import ast
import importlib.metadata
import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

import twingraph
from conftest import SLOW
from twingraph.cli.documents import find_coverages
from twingraph.publication.files import Publication
from twingraph.settings import load_settings

ROOT = Path(__file__).parents[1]
PACKAGE = Path(twingraph.__file__).parent


@pytest.mark.parametrize("page", ["reference", "questions"])
def test_a_generated_page_is_what_the_program_and_the_publication_say(page):
    spec = importlib.util.spec_from_file_location("generate_reference", ROOT / "docs" / "generate_reference.py")
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    assert (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8") == getattr(generator, page)(), "run `make docs`"


def test_entry_points_import():
    points = [point for point in importlib.metadata.entry_points(group="console_scripts") if point.name == "twingraph"]
    assert [callable(point.load()) for point in points] == [True]


def test_every_dependency_has_its_reason_in_the_architecture():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.match(r"[A-Za-z0-9_-]+", line)[0].lower() for line in project["dependencies"]}
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").lower()
    assert len(names) > 10
    assert {name for name in names if name not in text} == set()


def test_the_globs_of_the_publication_find_files():
    publication = Publication(load_settings(ROOT))
    assert len(publication.rdf_files) > 50
    assert len(publication.shape_files) > 10
    assert len(publication.rule_files) > 10
    assert len(publication.query_files) >= 30
    assert len(publication.check_files) > 10
    assert len(publication.example_files) > 100


def test_every_link_of_the_documents_leads_somewhere():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    links = [
        (page, target)
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
        if not target.startswith("http")
    ]
    assert len(links) > 10
    assert [(page.name, target) for page, target in links if not (page.parent / target).exists()] == []


def test_public_functions_and_classes_have_docstrings():
    bare = [
        f"{path.name}:{node.name}"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and isinstance(getattr(node, "body", [None])[0], ast.stmt)
        and ast.get_docstring(node) is None
        and node.col_offset == 0
    ]
    assert bare == []


@pytest.mark.skipif(
    not load_settings(ROOT).source_archive.is_dir(),
    reason=f"no source archive at {load_settings(ROOT).source_archive}; TWINGRAPH_SOURCES names another",
)
def test_the_passages_cover_nearly_all_of_each_document():
    shares = {cover.document.file_name[:3]: cover.coverage.share for cover in find_coverages(load_settings(ROOT), [])}
    least = {"000": 0.95, "001": 0.95, "002": 0.95, "003": 0.90, "004": 0.95}
    assert shares.keys() == least.keys()
    assert {number for number, share in shares.items() if share < least[number]} == set()


def test_every_module_that_is_called_slow_is_there():
    here = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    assert set(SLOW) - here == set()
