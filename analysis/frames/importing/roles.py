"""Give each column of a source its role: as the user types it, else as the format records it."""

import re
from collections.abc import Sequence

import pandas as pd

from clip_hparam.analysis.frames.importing.source import Roles, Source, find_column
from clip_hparam.analysis.frames.importing.states import find_state_column

LOWER_IS_BETTER = re.compile(
    r"(^|[^a-z])(loss|losses|logloss|err|error|errors|nll|cross_?entropy|ce|perplexity|ppl|mse"
    r"|rmse|mae|wer|cer|ece|brier|fid)([^a-z]|$)"
)
CAMEL_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")  # between val and Loss in valLoss
SEED_COLUMNS = ("seed", "random_seed")
MAX_LISTED = 30  # columns that a message names


def complete_roles(source: Source, typed: Roles) -> Roles:
    """Return the roles of the columns: typed ones first, then those that the format proposes.

    typed: fields are empty where nothing is typed.

    Raises:
        ValueError: a column does not exist, or the objective or the knobs are not known.
    """
    proposed = source.roles
    one_column = (typed.objective, typed.name, typed.seed, typed.state)
    for column in (*typed.knobs, *typed.metrics, *filter(None, one_column)):
        find_column(column, map(str, source.rows))
    objective = typed.objective or _free(proposed.objective, typed)
    knobs = typed.knobs or tuple(name for name in proposed.knobs if _free(name, typed))
    seed = typed.seed or next((name for name in knobs if is_seed_name(name)), "")
    knobs = tuple(name for name in knobs if name != seed or name == typed.seed)
    if not objective:
        raise ValueError(_missing("--objective COLUMN, the metric that ranks the rows", source))
    if not knobs and not seed and source.format != "soups":
        raise ValueError(_missing("--knob COLUMN, repeatable", source))
    if typed.metrics:
        metrics = typed.metrics
    else:
        metrics = tuple(m for m in proposed.metrics if m not in knobs and _free(m, typed))
    name = typed.name or _free(proposed.name, typed)
    used = {*knobs, *metrics, objective, name, seed}
    state = typed.state or _free(proposed.state, typed) or find_state_column(source.rows, used)
    minimize = typed.minimize
    if minimize is None and objective in (*proposed.minimized, *proposed.maximized):
        minimize = objective in proposed.minimized
    if minimize is None:
        minimize = is_lower_better(objective)
        if source.format == "optuna-csv" and not typed.objective:
            raise ValueError(
                f"{source.format} does not say whether {objective} is minimized: type --minimize or"
                " --maximize"
            )
    return Roles(knobs, metrics, objective, minimize, name, seed, state)


def is_lower_better(metric: str) -> bool:
    """Return whether lower is better by the name of the metric, as for val/loss and valLoss."""
    return LOWER_IS_BETTER.search(CAMEL_CASE.sub("_", metric).lower()) is not None


def unused_seed(rows: pd.DataFrame, roles: Roles) -> str:
    """Return a column that is named as a seed and has no role, "" if there is none."""
    used = {*roles.knobs, *roles.metrics, roles.objective, roles.name, roles.seed, roles.state}
    names = map(str, rows)
    return next((name for name in names if is_seed_name(name) and name not in used), "")


def is_seed_name(column: str) -> bool:
    """Return whether a column is named as a seed, which is no knob: seed, train.random_seed."""
    return re.split(r"[./]", column)[-1].lower() in SEED_COLUMNS


def _free(column: str, typed: Roles) -> str:
    """Return a proposed column, "" if the user gives it another role."""
    taken: Sequence[str] = (
        *typed.knobs, *typed.metrics, typed.objective, typed.name, typed.seed, typed.state
    )  # fmt: skip
    return "" if column in taken else column


def _missing(option: str, source: Source) -> str:
    names = [str(name) for name in source.rows]
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    listed = ", ".join(names[:MAX_LISTED])
    return f"{source.format} does not say it: type {option}; the columns are {listed}{more}"
