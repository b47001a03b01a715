"""The questions that the graph of the five documents must answer, compared with answers worked out by hand."""

import os
import re
from pathlib import Path

import pyoxigraph as ox
import pytest

from twingraph.publication.assembly import assemble
from twingraph.settings import load_settings

ROOT = Path(__file__).parents[1]
QUESTIONS = Path(os.environ.get("QUESTIONS_FILE", ROOT.parent / "shared" / "questions.yaml"))


@pytest.fixture(scope="module")
def ask():
    """Ask a saved query by name; a row is a dict of plain text, IRIs shortened, unbound variables left out."""
    settings = load_settings(ROOT)
    assembly = assemble(settings)
    store = ox.Store()
    store.bulk_extend([*assembly.reading.lines, *assembly.derived])
    queries = {query.name: query for query in assembly.saved.queries}

    def rows(name, **values):
        answer = store.query(
            queries[name].bind(values, settings.iris),
            base_iri=settings.base_iri,
            prefixes=dict(settings.iris.namespaces),
            use_default_graph_as_union=True,
        )
        names = [variable.value for variable in answer.variables]
        return [
            {name: settings.iris.shorten(row[name].value) for name in names if row[name] is not None} for row in answer
        ]

    rows.queries = queries  # type: ignore[attr-defined] # what a fixture gives beside its function
    return rows


@pytest.mark.skipif(not QUESTIONS.exists(), reason=f"the questions are not at {QUESTIONS}")
def test_every_question_has_a_saved_query(ask):
    asked = set(re.findall(r"^- id: (\S+)$", QUESTIONS.read_text(encoding="utf-8"), re.MULTILINE))
    assert len(asked) == 13
    assert {query.question for query in ask.queries.values() if query.question} == asked


def test_delegations_between_gavle_and_zhuhai(ask):
    rows = ask("delegations-gavle-zhuhai")

    def when(direction):
        return [row["when"] for row in rows if row["direction"] == direction and row["kind"] == "delegation"]

    assert when("to Gävle") == [
        "2007",
        "2009-08",
        "2010-08",
        "2011-06",
        "2011-09",
        "2012-08",
        "2015-11",
        "2016-01",
        "2017-05",
        "2017-10",
        "2019-06",
    ]
    assert when("to Zhuhai") == ["2010-04", "2011-04", "2014-11", "2015-01"]
    assert [row["when"] for row in rows if row["kind"] != "delegation"] == ["2018-06"]


def test_visits_between_bycirklen_and_wuxi(ask):
    rows = ask("visits-bycirklen-wuxi")

    def visits(outcome, direction):
        return {
            (row["visit"].removeprefix("activity:"), row.get("when"), row["basis"])
            for row in rows
            if (row["outcome"], row["direction"]) == (outcome, direction)
        }

    assert visits("took place", "to Wuxi") == {
        ("education-visit-to-wuxi-2017-06", "2017-06", "asserted"),
        ("mayors-visit-to-wuxi-2018-spring", "2018-21", "asserted"),
        ("mayors-to-sister-cities-forum-2018-autumn", "2018-23", "inferred"),
        ("visits-to-danish-companies-in-wuxi-and-shanghai", None, "asserted"),
    }
    assert visits("took place", "to Bycirklen") == {
        ("senior-delegation-from-wuxi-2017-08", "2017-08", "asserted"),
        ("young-ambassadors-from-wuxi-2017-08", "2017-08", "asserted"),
        ("robot-delegation-from-wuxi-2017-06", "2017-06", "asserted"),
    }
    assert {visit for visit, _, _ in visits("not yet", "to Wuxi") | visits("not yet", "to Bycirklen")} == {
        "education-delegation-from-wuxi",
        "mayors-to-sister-cities-forum-2020",
        "sports-delegation-to-wuxi",
    }


def test_agreements_with_their_parties_dates_and_basis(ask):
    rows = {row["agreement"].removeprefix("agreement:"): row for row in ask("agreements")}
    assert {name: (row["begun"], row["dateBasis"]) for name, row in rows.items()} == {
        "mou-2010-04": ("2010-04", "asserted"),
        "zhuhai-high-tech-zone-fpx-teknikparken-2010": ("2010-04", "asserted"),
        "gavle-zhuhai-partnership-2010": ("2010-08", "asserted"),
        "gavle-zhuhai-extension-2015": ("2015", "asserted"),
        "hig-jilin-cooperation-2005": ("2005", "asserted"),
        "bycirklen-wuxi-cooperation": ("2007", "inferred"),
        "bycirklen-wuxi-renewal-2017": ("2017", "asserted"),
        "espoo-shanghai-twin-town": ("1998~", "inferred"),
    }
    assert rows["mou-2010-04"]["parties"] == "City of Zhuhai (inferred); Gävle Municipality (inferred)"
    assert "Teknikparken (asserted)" in rows["zhuhai-high-tech-zone-fpx-teknikparken-2010"]["parties"]
    assert rows["gavle-zhuhai-partnership-2010"]["term"] == "P5Y"
    assert "without a named document" in rows["hig-jilin-cooperation-2005"]["types"]
    assert "2019-06~" in rows["bycirklen-wuxi-cooperation"]["laterEvents"]


@pytest.mark.parametrize(
    ("day", "spans"),
    [
        (
            "2012-01-01",
            {
                ("gavle-zhuhai-partnership-2010", "2010/..", "asserted"),
                ("gavle-zhuhai-partnership-2010", "2010-08/2015-08", "inferred"),
                ("zhuhai-high-tech-zone-fpx-teknikparken-2010", "2010-04/2013", "inferred"),
                ("hig-jilin-cooperation-2005", "2005/..", "inferred"),
                ("bycirklen-wuxi-cooperation", "2007/..", "inferred"),
                ("espoo-shanghai-twin-town", "1998~/..", "inferred"),
                ("mou-2010-04", "2010-04/", "unknown"),
            },
        ),
        (
            "2019-06-30",
            {
                ("gavle-zhuhai-partnership-2010", "2010/..", "asserted"),
                ("gavle-zhuhai-extension-2015", "2015/2020", "inferred"),
                ("zhuhai-high-tech-zone-fpx-teknikparken-2010", "2014/", "unknown"),
                ("hig-jilin-cooperation-2005", "2005/..", "inferred"),
                ("bycirklen-wuxi-cooperation", "2007/..", "inferred"),
                ("bycirklen-wuxi-renewal-2017", "2017/2020", "inferred"),
                ("espoo-shanghai-twin-town", "1998~/..", "inferred"),
                ("mou-2010-04", "2010-04/", "unknown"),
            },
        ),
    ],
)
def test_agreements_in_force_on_a_day_with_their_basis(ask, day, spans):
    rows = ask("in-force", day=day)
    assert {(row["agreement"].removeprefix("agreement:"), row["validity"], row["basis"]) for row in rows} == spans


def test_on_the_day_of_the_decision_the_partnership_is_asserted_its_term_nearly_over_and_the_decision_unconfirmed(ask):
    rows = ask("in-force", day="2020-11-23")
    partnership = {(row["validity"], row["basis"]) for row in rows if "gavle-zhuhai" in row["agreement"]}
    assert partnership == {("2010/..", "asserted"), ("2015/2020", "inferred")}
    decision = [row for row in ask("timeline-2020") if row["thing"].startswith("decision:end-zhuhai")]
    assert [(row["when"], row["status"]) for row in decision] == [("2020-11-23", "not confirmed")]


def test_the_steering_group(ask):
    rows = ask("steering-group")
    assert {row["label"] for row in rows if row["fact"] == "member"} == {
        "Gävle Municipality",
        "Region Gävleborg",
        "County Administrative Board of Gävleborg",
        "University of Gävle",
        "Central Sweden Chamber of Commerce",
        "Future Position X",
    }
    assert {(row["label"], row["when"]) for row in rows if row["fact"] == "invited"} == {
        ("Stockholm Business Region", "2016")
    }
    assert {row["when"] for row in rows if row["fact"] == "state"} == {"2017-21/.."}


def test_the_partners_that_each_document_names(ask):
    rows = ask("partners-per-source")

    def partners(number):
        return {row["actor"].removeprefix("actor:") for row in rows if row["documentNumber"] == number}

    assert partners("000") == {"fpx", "teknikparken"}
    assert partners("001") == {"teknikparken", "fpx", "movexum", "hogskolan-i-gavle"}
    assert partners("002") == {"hogskolan-i-gavle", "fpx", "movexum"}


def test_the_twin_cities_of_zhuhai_and_when_they_were_named(ask):
    rows = ask("twin-cities-of-zhuhai")
    named = {year: {row["cityLabel"] for row in rows if row["namedAt"] == year} for year in ("2014", "2018")}
    assert named["2014"] == {"Suwon", "Zhukovsky", "Redwood City"}
    assert named["2018"] == {
        "Atami",
        "Suwon",
        "Haifa",
        "Gdynia",
        "Rauma",
        "La Spezia",
        "Halifax",
        "Braunschweig",
        "Utrecht",
        "Gävle",
    }


def test_what_icld_funded_and_what_was_not_obtained(ask):
    rows = ask("icld")
    funded = {(row["reference"], row["when"]) for row in rows if row["outcome"] == "funded"}
    assert funded == {("2010-0092", "2011"), ("2014-0080", "2015, 2015/2016")}
    missed = {
        row["funding"].removeprefix("funding:icld-"): row["documentNumbers"] for row in rows if "not" in row["outcome"]
    }
    assert missed == {
        "education-through-creativity": "000, 001",
        "citizen-dialogue": "000, 001",
        "steering-group-project": "001",
    }


def test_the_actions_that_were_not_fully_done(ask):
    rows = ask("actions-not-done")
    assert {row["actionsInPlan"] for row in rows} == {"40"}
    areas = [row["area"] for row in rows]
    assert {area: areas.count(area) for area in areas} == {"Overall focus": 4, "School and education": 3, "Business": 1}
    assert all(int(row["notDoneInArea"]) == areas.count(row["area"]) for row in rows)


def test_the_two_dates_of_the_plan_stay_with_their_passages(ask):
    rows = ask("plan-status-date")
    assert {row["statusDate"]: row["quote"] for row in rows} == {
        "2019-12": "Status for disse handlinger og aktiviteter december 2019 er markeret med rødt.",
        "2019-09": "(Status september 2019 markeret med rødt)",
    }
    assert {row["discrepancy"] for row in rows} >= {"discrepancy:003-status-date"}


def test_the_timeline_of_2020(ask):
    rows = [row for row in ask("timeline-2020") if row["when"] != "2020"]
    order = list(dict.fromkeys(row["when"] for row in rows))
    assert order == ["2020-21", "2020-06-15", "2020-06", "2020-11-10", "2020-11-23"]
    assert {row["itemNumber"] for row in rows if "itemNumber" in row} == {"§27"}
    assert {row["status"] for row in rows if row["when"] == "2020-11-23"} == {"not confirmed"}


def test_the_largest_audiences(ask):
    rows = ask("audiences")
    assert [(row["value"], row["when"]) for row in rows] == [("500000", "2015"), ("30000", "2015-03")]
    assert "Friendship Park" in rows[0]["places"]
    assert "Guyuan Museum" in rows[0]["places"]


def test_which_passage_says_two_and_which_three(ask):
    rows = ask("which-passage")
    said = {row["documentNumber"]: row["quote"] for row in rows}
    assert "tre förslag" in said["001"]
    assert "två projektförslag" in said["000"]
