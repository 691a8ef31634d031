"""top: list trials, those of no sweep included, the best first, and filtered by conditions."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from clip_hparam.cli.commands import name_lookup
from clip_hparam.cli.commands.command import Command, add_common_arguments, emit
from clip_hparam.cli.commands.trials.data_sets import by_data_set
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.text.count import counted
from clip_hparam.records.paths import DEFAULT_RUNS
from clip_hparam.records.state import LIVE, TrialState

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

DEFAULT_COLUMN = "selection_acc1"
SHOWN_METRICS = ("selection_acc1", "test_acc1", "seconds")
DEFAULT_ROWS = 20


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sweep", nargs="?", help="only trials of this sweep: its name or id (all)")
    parser.add_argument(
        "--by",
        default=DEFAULT_COLUMN,
        metavar="COLUMN",
        help="sort by a metric, a knob or any column of the frame, the best first (selection_acc1)",
    )
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="CONDITION",
        help="only trials that meet it, such as 'lr>1e-3' or state=done; may be repeated",
    )
    parser.add_argument("--reverse", action="store_true", help="the worst first")
    parser.add_argument(
        "--rows", type=int, default=DEFAULT_ROWS, help=f"trials to list; 0: all ({DEFAULT_ROWS})"
    )
    add_common_arguments(parser)


def _run_top(arguments: argparse.Namespace) -> int:
    from clip_hparam.analysis.frames import trial_query  # lazy: pandas, 0.4 s

    conditions = [trial_query.parse_condition(text) for text in arguments.where]
    if arguments.rows < 0:
        raise ValueError(f"--rows={arguments.rows} is not a number of trials: 0 lists all")
    trials = _read_trials(arguments)
    for condition in conditions:
        trials = trials[trial_query.matches(trials, condition)]
    ordered = trial_query.best_first(trials, arguments.by, arguments.reverse)
    names = dict.fromkeys(
        [*SHOWN_METRICS, arguments.by, *(condition.column for condition in conditions)]
    )
    if arguments.json:
        shown = ordered.head(arguments.rows or len(ordered))
        emit(arguments, _facts(shown, _columns(shown, names)), [])
    else:
        _print_all(arguments, ordered, names)
    return ExitCode.OK


def _columns(trials: "pd.DataFrame", names: Iterable[str]) -> "dict[str, pd.Series]":
    from clip_hparam.analysis.frames.trial_query import column_values  # lazy: pandas, 0.4 s

    return {name: column_values(trials, name) for name in names}


def _read_trials(arguments: argparse.Namespace) -> "pd.DataFrame":
    """Return the recorded trials with their current state; only those of a named sweep."""
    from clip_hparam.analysis.frames.frame import load_trials  # lazy: pandas, 0.4 s

    sweep = None
    if arguments.sweep is not None:
        sweep = name_lookup.choose_manifest(arguments.runs, arguments.sweep)
    if arguments.runs == DEFAULT_RUNS and not arguments.runs.is_dir():
        raise ValueError(name_lookup.no_sweep_message(arguments.runs))
    trials, problems = load_trials(arguments.runs)
    for problem in problems:
        print(f"not used: {problem}", file=sys.stderr)
    if sweep is not None:
        trials = trials[trials["trial_id"].isin(sweep.trial_ids)]
    live = trials["status"].isin(LIVE)
    if live.any():
        states = name_lookup.trial_states(arguments.runs, trials.loc[live, "trial_id"])
        trials = trials.assign(status=trials["status"].mask(live, trials["trial_id"].map(states)))
    return trials


def _facts(trials: "pd.DataFrame", columns: "dict[str, pd.Series]") -> list[dict[str, Any]]:
    from clip_hparam.analysis.frames.frame import CELL_KNOBS
    from clip_hparam.analysis.frames.trial_table import to_json_value

    rows = []
    for number in range(len(trials)):
        trial = trials.iloc[number]
        head = {
            "trial_id": trial["trial_id"],
            "name": trial["label"],
            "state": trial["status"],
            "data": trial["data.name"],
            "seed": trial["seed"],
        }
        values = {name: column.iloc[number] for name, column in columns.items()}
        knobs = {name: trial[name] for name in CELL_KNOBS}
        row = {**head, **values, "knobs": {n: to_json_value(value) for n, value in knobs.items()}}
        rows.append({n: v if n == "knobs" else to_json_value(v) for n, v in row.items()})
    return rows


def _print_all(arguments: argparse.Namespace, trials: "pd.DataFrame", names: Iterable[str]) -> None:
    """Print a table of the trials of each data set, and how many there are."""
    from rich.console import Console  # lazy: rich, 0.1 s

    from clip_hparam.sweep.console import print_plain

    console = Console()
    if trials.empty:
        given = f" for which {' and '.join(arguments.where)}" if arguments.where else ""
        print_plain(console, f"no trial on record{given}")
        return
    groups = list(by_data_set(trials, arguments.runs))
    for number, group in enumerate(groups):
        if len(groups) > 1:
            print_plain(console, *([""] if number else []), group.title)
        shown = group.trials.head(arguments.rows or len(group.trials))
        _print_table(console, shown, _columns(shown, names))
        worse = "worst" if arguments.reverse else "best"
        more = len(shown) < len(group.trials)
        cut = f", the {worse} {len(shown)} by {arguments.by}" if more else ""
        print_plain(console, f"{counted(len(group.trials), 'trial')}{cut}")
    if len(groups) > 1:
        print_plain(
            console,
            "",
            f"{len(groups)} data sets, a table each: their accuracies are not comparable",
        )


def _print_table(
    console: "Console", trials: "pd.DataFrame", columns: "dict[str, pd.Series]"
) -> None:
    from clip_hparam.sweep.display.text_table import Column, print_table

    states = list(trials["status"])
    listed_states = states if set(states) != {TrialState.DONE} else [""] * len(states)
    extra = [name for name in columns if name not in ("state", "status", "name", "label")]
    heads = [
        Column("trial"),
        Column("state"),
        *(Column(_title(name), right=True) for name in extra),
        Column("name", wraps=True),
    ]
    texts = [_format_column(name, columns[name]) for name in extra]
    rows = list(
        zip(trials["trial_id"], listed_states, *texts, trials["label"].astype(str), strict=True)
    )
    print_table(console, heads, rows)


def _title(name: str) -> str:
    return name.replace("_acc", " acc") + (", %" if name.endswith(("acc1", "acc5")) else "")


def _format_column(name: str, values: "pd.Series") -> Sequence[str]:
    """Return a text per value: two decimals for accuracies, four digits for other numbers."""
    from clip_hparam.analysis.frames.labels import MISSING_MARK, format_knob

    spec = ".2f" if name.startswith(("test_acc", "selection_acc")) else ""
    return [
        MISSING_MARK
        if value is None or value != value
        else f"{value:{spec}}"
        if spec
        else format_knob(value)
        for value in values
    ]


COMMANDS = (
    Command(
        "top",
        "list trials, the best first; --where filters them",
        _add_arguments,
        _run_top,
    ),
)
