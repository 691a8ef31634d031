"""The evidence of a study, stage by stage, and its answer in all places that state it."""

import math
from pathlib import Path

import pytest
from support.cli import clip_hparam
from support.study_factory import write_proof, write_study
from support.trial_factory import Runs

from clip_hparam.analysis.evidence.cells.cell_results import NO_ESTIMATE, CellResult
from clip_hparam.analysis.evidence.studies.proof import (
    RacedCell,
    Verdict,
    race_sentence,
    raced_cells,
)
from clip_hparam.analysis.evidence.studies.study import StudyEvidence, study_evidence, study_names
from clip_hparam.analysis.frames.manifests import newest_by_name
from clip_hparam.records.atomic import write_json

BETTER, WORSE, EITHER = [2.0, 2.1, 1.9], [-2.0, -2.1, -1.9], [0.6, -0.4, 0.5, -0.6, 0.4, 0.3]

PROVED: list[tuple[str, float, Verdict]] = [
    ("reference", 90.0, "reference"),
    ("winner 1", math.nan, "incomplete"),
    ("winner 2", 92.0, "better"),
    ("winner 3", 91.0, "worse"),
]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Write a study with all stages once; tests must not change it."""
    runs = Runs(tmp_path_factory.mktemp("study") / "runs")
    write_study(runs, EITHER)
    return runs


def proof(runs: Runs, gains: list[float]) -> StudyEvidence:
    """Write the proof of a study alone and return the evidence."""
    write_proof(runs, gains)
    write_json(runs.folder / ".studies" / "small" / "decisions.json", {"proof": {"why": "race"}})
    frames = runs.frames()
    assert study_names(frames) == ["small"]
    return study_evidence(frames, "small")


@pytest.mark.parametrize(
    ("gains", "verdict", "answer"),
    [
        (BETTER, "better", "Winner 1 is better: +2.00 ± "),
        (WORSE, "worse", "Winner 1 is worse: \N{MINUS SIGN}2.00 ± "),
        (EITHER, "undecided", "Winner 1 is UNDECIDED: +0.13 ± "),
    ],
)
def test_answer_is_the_verdict_of_the_race(
    runs: Runs, gains: list[float], verdict: str, answer: str
) -> None:
    found = proof(runs, gains)
    assert found.verdict == verdict
    assert found.answer.startswith(answer)
    assert f"{len(gains)} seeds" in found.answer
    assert found.winner is not None
    assert found.winner.result.label == "winner 1"  # by the selection set


@pytest.mark.parametrize("order", [1, -1])
def test_a_searched_point_without_a_run_does_not_hide_the_others(
    order: int, tmp_path: Path
) -> None:
    """An accuracy of NaN, compared with any other one, is neither the larger nor the smaller."""
    reference, *searched = (
        RacedCell(
            CellResult(label, 3, 3, accuracy, NO_ESTIMATE, NO_ESTIMATE, "", False), verdict, ()
        )
        for label, accuracy, verdict in PROVED
    )
    cells = [reference, *searched[::order]]
    found = StudyEvidence("small", tmp_path, {}, [], None, None, cells)
    assert found.verdict == "better"
    lacking = [cell for cell in cells if math.isnan(cell.result.selection)]
    assert found._replace(proof=lacking).verdict == "incomplete"


def test_stages_hold_their_results(small: Runs) -> None:
    found = study_evidence(small.frames(), "small")
    assert [(cell.label, cell.done) for cell in found.reference] == [
        ("reference", 3),
        ("linear probe", 3),
    ]
    assert found.reference[0].test.mean == pytest.approx(91.1)
    assert found.search is not None
    assert (found.search.points, found.search.done, found.search.pruned) == (4, 3, 1)
    assert found.search.best[0] == ("lr=0.005", 93.5)
    assert found.screening is not None
    assert found.screening.effects[0].name == "lr:layer_decay"


def test_reference_can_be_the_best_on_the_selection_set(runs: Runs) -> None:
    proof(runs, EITHER)
    for seed in range(100, 106):
        runs.done({}, seed, 91.0)  # selection accuracy 91.5
    found = study_evidence(runs.frames(), "small")
    assert found.answer.endswith("On the selection set of the proof, reference is the best.")


@pytest.mark.parametrize(
    ("why", "answer"),
    [
        ("left out: no search", "No answer: the proof was left out: no search."),
        ("", "No answer yet: the proof has no result."),
    ],
)
def test_study_without_a_proof_reports_it(runs: Runs, why: str, answer: str) -> None:
    write_json(runs.folder / ".studies" / "new" / "decisions.json", {"proof": {"why": why}})
    found = study_evidence(runs.frames(), "new")
    assert (found.verdict, found.answer) == ("open", answer)
    assert (found.reference, found.screening, found.search, found.winner) == ([], None, None, None)


def test_sweep_without_a_race_has_no_verdict(small: Runs) -> None:
    frames = small.frames()
    plain = newest_by_name(frames.sweeps)["small_reference"]
    assert raced_cells(frames, plain) == []
    assert race_sentence(frames, plain, "reference") == ""


def test_unfinished_race_is_called_incomplete(runs: Runs) -> None:
    write_proof(runs, EITHER)
    runs.planned({"lr": 5e-3}, 105)
    for path in runs.folder.glob("*/result.json"):
        if '"queued"' in (path.parent / "status.json").read_text():
            path.unlink()
    frames = runs.frames()
    raced = raced_cells(frames, newest_by_name(frames.sweeps)["small_proof"])
    assert [cell.verdict for cell in raced] == ["reference", "incomplete"]
    assert "a run is missing" in raced[1].sentence


@pytest.mark.parametrize(
    ("gains", "said"), [(EITHER, "winner 1 is UNDECIDED: +0.13"), (BETTER, "winner 1 is better")]
)
def test_exported_recipe_says_what_the_race_decided(
    runs: Runs, gains: list[float], said: str
) -> None:
    write_proof(runs, gains)
    done = clip_hparam("export-recipe", "small_proof", cwd=runs.folder.parent)
    assert done.code == 0, done.err
    comment = " ".join(
        line.removeprefix("# ") for line in done.out.splitlines() if line.startswith("#")
    )
    assert f"Race: {said}" in comment
    assert max(len(line) for line in done.out.splitlines() if "Race:" in line) <= 100
