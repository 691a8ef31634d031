"""study.md and the summary of the report state the results and the answer of a study."""

import pytest
from support.study_factory import write_study
from support.trial_factory import Runs

from clip_hparam.analysis.evidence.studies.study import study_evidence
from clip_hparam.analysis.report.report import render_html, report_page
from clip_hparam.analysis.report.study_page import study_markdown
from clip_hparam.records.atomic import write_json

EITHER = [0.6, -0.4, 0.5, -0.6, 0.4, 0.3]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Write a study with all stages once."""
    runs = Runs(tmp_path_factory.mktemp("study") / "runs")
    write_study(runs, EITHER)
    return runs


def page(runs: Runs, name: str = "small") -> str:
    return study_markdown(study_evidence(runs.frames(), name))


def test_page_holds_the_results_of_each_stage(small: Runs) -> None:
    (small.folder / ".studies" / "small" / "winner.yaml").touch()
    text = page(small)
    assert text.splitlines()[2].startswith("**Winner 1 is UNDECIDED: +0.13")
    assert "- reference: 91.10 ± 0.25 % of the test set, 3 seeds" in text
    assert "- winner.yaml is winner 1" in text
    assert "| linear probe | 3 | 80.10 | 81.10 ± 0.25 |" in text
    assert "| lr:layer_decay | \N{MINUS SIGN}4.0" in text
    assert "| crop_scale | " in text
    assert "An effect inside the margin is not shown to be zero." in text
    assert "With 200 selection images per trial, counting alone hides effects below 1.5" in text
    assert "| lr=0.005 | 93.50 |" in text
    assert "4 points: 3 done, 1 pruned" in text
    assert "| **winner 1** | lr=0.005 | 6 | 90.50 | " in text
    assert text.rstrip().splitlines()[-3].endswith("| UNDECIDED |")
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        *("## Reference", "## Screening", "## Search", "## Proof")
    ]


def test_page_of_a_begun_study_lists_its_decisions(runs: Runs) -> None:
    decisions = {"reference": {"why": "what | there is"}, "screening": {"why": "left out: late"}}
    write_json(runs.folder / ".studies" / "new" / "decisions.json", decisions)
    text = page(runs, "new")
    assert "**No answer yet: the proof has no result.**" in text
    assert "Decision: left out: late" in text
    assert "## Search" not in text


def test_report_begins_with_the_answer(small: Runs) -> None:
    data = report_page(small.frames())
    (card,) = data.studies
    assert (card.name, card.verdict) == ("small", "undecided")
    html = render_html(data)
    assert html.index("Study small") < html.index("<h3><a")
    assert f'<p class="undecided"><b>{card.answer}</b></p>' in html
    screening = next(sweep for sweep in data.data["sweeps"] if sweep["key"] == "small_screening")
    assert screening["metric"] == "selection accuracy, %"
    assert "points of selection accuracy" in screening["sentence"]


def test_report_without_a_study_has_no_card(runs: Runs) -> None:
    runs.done({}, 0, 90.0)
    data = report_page(runs.frames())
    assert data.studies == []
    assert "Study" not in render_html(data).partition('id="explorer"')[0]
