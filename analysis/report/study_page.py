"""The page of a study, study.md: its answer, then the results and the decision of each stage."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from clip_hparam.analysis.evidence.cells.cell_results import CellResult
from clip_hparam.analysis.evidence.studies.proof import RacedCell
from clip_hparam.analysis.evidence.studies.screening import Screening
from clip_hparam.analysis.evidence.studies.study import STAGES, SearchPoints, StudyEvidence
from clip_hparam.analysis.frames.labels import format_difference, format_interval
from clip_hparam.analysis.stats.intervals import Estimate
from clip_hparam.config.text.count import counted
from clip_hparam.config.text.numbers import format_number

STUDY_FILE, WINNER_FILE = "study.md", "winner.yaml"
EXPLANATION = (
    "± is half of the 95 % interval over seeds; accuracies are in percent. The selection set"
    " chooses; the test set is measured in the proof, on seeds that no stage before it used."
)


class StudyCard(NamedTuple):
    """A study in the summary of the report: its answer, and a sentence per result."""

    name: str
    verdict: str
    answer: str
    facts: list[str]


def study_card(study: StudyEvidence) -> StudyCard:
    """Return the card of a study for the report."""
    return StudyCard(study.name, study.verdict, study.answer, list(study_facts(study)))


def study_markdown(study: StudyEvidence) -> str:
    """Return the page of a study as Markdown, with the stages that have run or were decided."""
    lines = [f"# Study {study.name}", "", f"**{study.answer}**", ""]
    for fact in study_facts(study):
        lines += [f"- {fact}"]
    lines += ["", EXPLANATION, ""]
    tables = {
        "reference": _reference_lines(study.reference),
        "screening": _screening_lines(study),
        "search": _search_lines(study.search),
        "proof": _proof_lines(study.proof),
    }
    for stage in STAGES:
        table = list(tables[stage])
        if stage in study.reasons or table:
            reason = study.reasons.get(stage, "")
            lines += [f"## {stage.capitalize()}", "", f"Decision: {reason}", "", *table, ""]
    return "\n".join(lines).rstrip() + "\n"


def study_facts(study: StudyEvidence) -> Iterator[str]:
    """Yield a sentence about each stage that has results."""
    for result in study.reference:
        if result.test.n:
            seeds = counted(result.done, "seed")
            yield f"{result.label}: {_interval(result.test)} % of the test set, {seeds}"
    if screening := study.screening:
        names = [effect.name for effect in screening.effects if effect.stands_out]
        text = f"beyond the margin of {screening.margin:.2f} points: {', '.join(names) or 'none'}"
        yield f"screening on {screening.images or 'the'} selection images, {text}"
    if search := study.search:
        points = counted(search.points, "point")
        yield f"search: {points}, {search.done} done, {search.pruned} pruned"
    for cell in study.proof:
        if cell.verdict != "reference":
            yield f"proof: {cell.sentence}"
    if (study.folder / WINNER_FILE).exists() and study.winner:
        yield f"{WINNER_FILE} is {study.winner.result.label}"


def _reference_lines(results: list[CellResult]) -> Iterator[str]:
    if results:
        yield from _table(
            ("", "seeds", "selection", "test"),
            [[r.label, _seeds(r), _number(r.selection), _interval(r.test)] for r in results],
        )


def _screening_lines(study: StudyEvidence) -> Iterator[str]:
    screening = study.screening
    if screening is None:
        return
    yield from _table(
        ("effect of", "points of selection accuracy", "beyond the margin", "not separated from"),
        [
            [e.name, _signed(e.points), "yes" if e.stands_out else "no", ", ".join(e.aliases)]
            for e in screening.effects
        ],
    )
    yield ""
    yield _margin_sentence(screening)


def _margin_sentence(screening: Screening) -> str:
    text = (
        f"{screening.cells} cells x {counted(screening.seeds, 'seed')}; margin"
        f" {screening.margin:.2f} points ({screening.method}). An effect inside the margin is"
        " not shown to be zero."
    )
    if not screening.images:
        return text
    return (
        f"{text} With {screening.images} selection images per trial, counting alone hides effects"
        f" below {screening.resolution:.2f} points."
    )


def _search_lines(search: SearchPoints | None) -> Iterator[str]:
    if search is None:
        return
    points = counted(search.points, "point")
    yield f"{points}: {search.done} done, {search.pruned} pruned. The best:"
    yield ""
    yield from _table(
        ("point", "selection"), [[label, _number(value)] for label, value in search.best]
    )
    yield ""
    yield "These values are partly luck: the best of many points is the luckiest as well."


def _proof_lines(cells: list[RacedCell]) -> Iterator[str]:
    if not cells:
        return
    base = cells[0].overrides
    rows = []
    for cell in cells:
        result, delta = cell.result, cell.result.delta
        changed = " ".join(word for word in cell.overrides if word not in base)
        numbers = [_number(result.selection), _interval(result.test)]
        difference = format_difference(delta.mean, delta.low, delta.high) if delta.n else ""
        verdict = "UNDECIDED" if cell.verdict == "undecided" else cell.verdict
        label = f"**{result.label}**" if result.selected else result.label
        rows.append([label, changed, _seeds(result), *numbers, difference, verdict])
    against = f"test, to {cells[0].result.label}"
    yield from _table(("", "changed", "seeds", "selection", "test", against, "verdict"), rows)
    yield ""
    yield "Bold: the best on the selection set. Intervals of a race hold at all of its looks."


def _table(head: tuple[str, ...], rows: list[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(text.replace('|', '&#124;') for text in row)} |"


def _seeds(result: CellResult) -> str:
    return str(result.done) if result.done == result.asked else f"{result.done} of {result.asked}"


def _interval(value: Estimate) -> str:
    return format_interval(value.mean, value.low, value.high)


def _number(value: float) -> str:
    return format_number(value, ".2f")


def _signed(value: float) -> str:
    return "" if math.isnan(value) else format_number(value, "+.2f")
