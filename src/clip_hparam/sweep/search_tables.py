"""The tables of a search: its space before it runs, a line per ended point, and the result."""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console

from clip_hparam.config.text.count import counted
from clip_hparam.config.text.duration import format_duration
from clip_hparam.config.text.override_words import sweep_program
from clip_hparam.design.design import merged_overrides
from clip_hparam.design.knob_levels import distinct_levels
from clip_hparam.launch.base import Capacity
from clip_hparam.records.paths import command_line
from clip_hparam.records.state import TrialState
from clip_hparam.search.results import (
    ENDED_NORMALLY,
    FAILED_STATES,
    PointResult,
    best_points,
    point_results,
)
from clip_hparam.search.spec import SearchManifest, SearchSpec
from clip_hparam.sweep.console import print_plain
from clip_hparam.sweep.display.failures import Ended, failure_lines
from clip_hparam.sweep.display.text_table import Column, print_table
from clip_hparam.sweep.tables import failure_reason, request_lines

MAX_SHOWN_POINTS = 5  # in the result of a search with one objective


def show_space(search: SearchSpec, manifest: SearchManifest, capacity: Capacity) -> None:
    """Print the plan for `dry_run=true`.

    capacity: of the launcher for one worker.
    """
    columns = [Column("knob"), Column("searched", wraps=True), Column("where", wraps=True)]
    rows = []
    for dimension in search.space.dimensions:
        where = f"{dimension.when} is on" if dimension.when else ""
        levels = ", ".join(distinct_levels(dimension.knob, search.levels[dimension.knob]))
        rows.append([dimension.knob, levels, where])
    console = Console()
    print_plain(console, f"plan of {search.name} (search), sweep {search.id}")
    print_table(console, columns, rows)
    base = merged_overrides(search.base.overrides, search.overrides)
    n_asked = len(manifest.read()["cells"]) if manifest.path.exists() else 0
    print_plain(
        console,
        f"{counted(search.n_trials, 'point')} of {counted(len(search.seeds), 'seed')} each,"
        f" {n_asked} of them started; {_format_objective(search)}; sampler"
        f" {search.sampler['name']},"
        f" pruner {search.pruner['name']};"
        f" base: {sweep_program()} {shlex.join(base)}".rstrip(),
        *request_lines(capacity),
        "nothing was started",
    )


class PointPrinter:
    """Prints a line for each point that has ended since the last call."""

    def __init__(self, manifest: SearchManifest) -> None:
        self.manifest, self.search = manifest, manifest.load_search()
        self.console = Console()
        self.ended: set[int] = set()
        self.ended = {point.number for point in self._read_newly_ended()}

    def print_new(self) -> None:
        """Print the newly ended points; read the records only of points that had not ended."""
        for point in self._read_newly_ended():
            self.ended.add(point.number)
            print_plain(self.console, self._line(point))

    def _read_newly_ended(self) -> list[PointResult]:
        cells = self.manifest.read()["cells"]
        left = [cell for cell in cells if cell["number"] not in self.ended]
        return [
            point
            for point in point_results(self.search, left)
            if point.state in (*ENDED_NORMALLY, *FAILED_STATES)
        ]

    def _line(self, point: PointResult) -> str:
        at = f" after {counted(point.epochs, 'epoch')}" if point.state == TrialState.PRUNED else ""
        value = f"  {_format_values(self.search, point)}" if point.values else ""
        count = f"{len(self.ended)}/{self.search.n_trials}  #{point.number}"
        return f"{count}  {point.state}{at}{value}  {point.label}"


def show_result(search: SearchSpec, points: Sequence[PointResult]) -> None:
    """Print the best points or the Pareto front, the number of points, and the work saved."""
    front = best_points(points, search.goal)
    shown = front if search.goal.is_multi_objective else front[:MAX_SHOWN_POINTS]
    what = "Pareto front" if search.goal.is_multi_objective else "best points"
    title = f"{search.name}, sweep {search.id}: {what} by the selection set"
    objectives = [Column(name, right=True) for name in search.goal.objectives]
    columns = [Column("#", True), *objectives, Column("seeds", True), Column("knobs", wraps=True)]
    rows = []
    for point in shown:
        values = [f"{value:.4g}" for value in point.values or ()]
        rows.append([str(point.number), *values, str(len(point.trials)), point.label])
    console = Console()
    if search.title not in ("", search.name):
        print_plain(console, search.title)
    print_plain(console, title)
    print_table(console, columns, rows)
    print_plain(console, _format_counts(points), *_rerun_commands(search, front))


def show_failed_workers(search: SearchSpec, states: Mapping[str, TrialState]) -> None:
    """Print why workers that are not done have ended; their points may be done by others."""
    ended = [
        Ended(worker.rpartition("/")[2], "", state, *failure_reason(search.runs, worker))
        for worker, state in states.items()
        if state != TrialState.DONE
    ]
    print_plain(Console(), *failure_lines(ended))


def _format_counts(points: Sequence[PointResult]) -> str:
    if not points:
        return "no point was started"
    states = Counter(point.state for point in points)
    listed = ", ".join(f"{count} {state}" for state, count in states.most_common())
    whole = [point for point in points if point.state == TrialState.DONE]
    pruned = [point for point in points if point.state == TrialState.PRUNED]
    saved = ""
    if whole and pruned:
        mean = sum(point.epochs for point in whole) / len(whole)
        share = sum(point.epochs for point in pruned) / (mean * len(pruned))
        saved = f"; the pruned ones ran {share:.0%} of their epochs"
    work = format_duration(sum(point.seconds for point in points))
    return f"{counted(len(points), 'point')}: {listed}{saved}; {work} of work"


def _rerun_commands(search: SearchSpec, front: Sequence[PointResult]) -> list[str]:
    if not front:
        return []
    overrides = merged_overrides(search.base.overrides, front[0].overrides)
    if not search.full:
        return [f"run the first again: {sweep_program()} {shlex.join(overrides)}"]
    return [
        f"run the first at full cost: {sweep_program()}"
        f" {shlex.join(search.at_full_fidelity(overrides))}",
        f"all were trained at {' '.join(search.reduced_overrides)};"
        f" {command_line('fidelity', runs=search.runs)} shows how well such runs rank full ones,"
        " once eight of both are done",
    ]


def _format_objective(search: SearchSpec) -> str:
    pairs = zip(search.goal.directions, search.goal.objectives, strict=True)
    return ", ".join(f"{direction} {objective}" for direction, objective in pairs)


def _format_values(search: SearchSpec, point: PointResult) -> str:
    pairs = zip(search.goal.objectives, point.values or (), strict=True)
    return ", ".join(f"{name} {value:.4g}" for name, value in pairs)
