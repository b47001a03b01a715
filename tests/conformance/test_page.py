"""The page in the documentation is that of the known failures as they are."""

import re
from collections import Counter

from conformance.known import CAUSES, known_failures
from conformance.manifests import REPOSITORY

PAGE = (REPOSITORY / "docs/conformance.md").read_text(encoding="utf-8")


def test_the_page_names_every_known_failure_and_no_other():
    listed = PAGE.partition("## Failures by name")[2].partition("## Out of scope")[0]
    named = set(re.findall(r"`([a-z0-9]+/[^`]+)`", listed))
    assert named == {name for one in known_failures() for name in one.tests if "/" in name}, "run: make conformance"


def test_every_known_failure_has_a_cause_and_is_listed_once():
    assert {one.cause for one in known_failures()} <= set(CAUSES)
    assert all(one.reason for one in known_failures())
    counts = Counter(name for one in known_failures() for name in one.tests)
    assert max(counts.values()) == 1
