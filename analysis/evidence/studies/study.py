"""The evidence of a study: results of each of its stages, and its answer."""

from pathlib import Path
from typing import Any, NamedTuple

from clip_hparam.analysis.evidence.cells.cell_results import CellResult, cell_results
from clip_hparam.analysis.evidence.replicates import Replicates, sweep_replicates
from clip_hparam.analysis.evidence.selection import best_index, selection_accuracy
from clip_hparam.analysis.evidence.studies.proof import RacedCell, raced_cells, seed_results
from clip_hparam.analysis.evidence.studies.screening import Screening, screening_of
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.manifests import SweepManifest, newest_by_name
from clip_hparam.records.atomic import read_json
from clip_hparam.records.paths import campaign_folder, campaign_names
from clip_hparam.records.state import TrialState

STAGES = ("reference", "screening", "search", "proof")
DECISIONS_FILE = "decisions.json"
N_BEST = 3  # points of the search that are listed


class SearchPoints(NamedTuple):
    """The points of a search: their number, how many were pruned, and the best of those done.

    best: labels with the accuracy on the selection set in percent, best first.
    """

    points: int
    done: int
    pruned: int
    best: list[tuple[str, float]]


class StudyEvidence(NamedTuple):
    """Results of the stages that have run; None or [] for the others.

    reasons: the decision about each stage, in the order in which they were made.
    """

    name: str
    folder: Path
    reasons: dict[str, str]
    reference: list[CellResult]
    screening: Screening | None
    search: SearchPoints | None
    proof: list[RacedCell]

    @property
    def winner(self) -> RacedCell | None:
        """The cell of the proof with the best selection accuracy; None before the proof."""
        return next((cell for cell in self.proof if cell.result.selected), None)

    @property
    def verdict(self) -> str:
        """The verdict of the best searched point, "open" without a proof."""
        return self._candidate.verdict if self._candidate else "open"

    @property
    def answer(self) -> str:
        """Return the answer of the study in one or two sentences."""
        candidate = self._candidate
        if candidate is None:
            decided = self.reasons.get("proof", "")
            if decided.startswith("left out: "):
                return f"No answer: the proof was {decided}."
            return "No answer yet: the proof has no result."
        chosen = "" if self.winner is candidate else _other_choice(self.winner)
        return f"{_capitalised(candidate.sentence)}.{chosen}"

    @property
    def _candidate(self) -> RacedCell | None:
        """The searched point that is best on the selection set of the proof.

        A point that lacks a run has no accuracy; it is taken only if all points do.
        """
        searched = [cell for cell in self.proof if cell.verdict != "reference"]
        best = best_index([cell.result.selection for cell in searched])
        return searched[best or 0] if searched else None


def study_names(frames: Frames) -> list[str]:
    """Return the names of the studies in the runs folder."""
    return campaign_names(frames.runs)


def study_evidence(frames: Frames, name: str) -> StudyEvidence:
    """Return the results of a study's stages as far as they are on record."""
    folder = campaign_folder(frames.runs, name)
    decisions: dict[str, Any] = read_json(folder / DECISIONS_FILE) or {}
    newest = newest_by_name(frames.sweeps)
    stages = {stage: newest[f"{name}_{stage}"] for stage in STAGES if f"{name}_{stage}" in newest}
    reference, screening = stages.get("reference"), stages.get("screening")
    search, proof = stages.get("search"), stages.get("proof")
    return StudyEvidence(
        name,
        folder,
        {stage: str(decision["why"]) for stage, decision in decisions.items()},
        _plain_results(frames, reference) if reference else [],
        screening_of(frames, screening) if screening else None,
        _search_points(frames, search) if search else None,
        raced_cells(frames, proof) if proof else [],
    )


def _plain_results(frames: Frames, sweep: SweepManifest) -> list[CellResult]:
    cells = sweep_replicates(frames, sweep)
    return cell_results([seed_results(cell) for cell in cells], "first")


def _search_points(frames: Frames, sweep: SweepManifest) -> SearchPoints:
    cells = sweep_replicates(frames, sweep)
    done = [cell for cell in cells if len(cell.values) and cell.complete]
    scored = [(cell.cell.label, selection_accuracy(cell.trials)) for cell in done]
    best = sorted(scored, key=lambda pair: -pair[1])[:N_BEST]
    return SearchPoints(len(cells), len(done), sum(map(_is_pruned, cells)), best)


def _is_pruned(cell: Replicates) -> bool:
    return bool((cell.trials["status"] == TrialState.PRUNED).any())


def _other_choice(winner: RacedCell | None) -> str:
    """Return a sentence on the cell with a better selection accuracy than the searched point."""
    if winner is None:
        return ""
    return f" On the selection set of the proof, {winner.result.label} is the best."


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
