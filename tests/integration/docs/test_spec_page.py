"""docs/spec.md has each point of the specification once, with tests and deviations that exist."""

import re

from support.cli import ROOT

SPEC = (ROOT / "docs" / "spec.md").read_text()
ROWS = re.findall(r"^\| A(\d+) \| .+ \| (=|≠|n/a) \| (.+) \|$", SPEC, re.MULTILINE)


def test_each_point_is_listed_once_in_order() -> None:
    assert [int(number) for number, _, _ in ROWS] == list(range(1, 54))


def test_differing_points_name_a_deviation_and_matching_points_a_test() -> None:
    deviations = (ROOT / "docs" / "deviations.md").read_text()
    rows = set(re.findall(r"^\| (D\d+) \|", deviations, re.MULTILINE))
    for number, verdict, where in ROWS:
        assert set(re.findall(r"D\d+", where)) <= rows
        assert verdict != "≠" or "D" in where, f"A{number}"
        assert verdict != "=" or "`" in where, f"A{number}"


def test_the_named_tests_exist() -> None:
    existing = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    assert set(re.findall(r"`(test_\w+)`", SPEC)) <= existing


def test_the_counts_of_the_page_are_right() -> None:
    verdicts = [verdict for _, verdict, _ in ROWS]
    counts = (verdicts.count("="), verdicts.count("≠"), verdicts.count("n/a"))
    assert "{} points are matched, {} are different on purpose, {} do not".format(*counts) in SPEC
