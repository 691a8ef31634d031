"""Which rows of a table come from other code, data, weights, numerics or library versions.

Rows that differ are not mixed in silence: each carries the name of what differs from what most of
the table's trials have in common.
"""

from collections.abc import Iterable

import pandas as pd

COLUMN_PREFIXES = {
    "code": ("git.",),
    "data": ("data.name", "data.fingerprint"),
    "encoder": ("encoder.weights",),
    "numerics": ("numerics.",),
    "versions": ("versions.",),
}


def differing_provenance(trials: pd.DataFrame, varied: Iterable[str] = ()) -> list[str]:
    """For each table row (column `row`, from 0) what is not as in most trials: "code, numerics".

    What the ablation varies on purpose (a knob below `data.` or `encoder.`) is not reported.
    """
    done = trials[trials["status"] == "done"]
    purpose = {knob.partition(".")[0] for knob in varied if "." in knob}
    found: dict[int, list[str]] = {}
    for kind, prefixes in COLUMN_PREFIXES.items():
        if kind not in purpose:
            for row in _odd_rows(done, prefixes):
                found.setdefault(row, []).append(kind)
    return [", ".join(found.get(row, [])) for row in range(int(trials["row"].max()) + 1)]


def code_state(trials: pd.DataFrame) -> str:
    """For a footnote: "git 1a2b3c4 (uncommitted changes)", or several, or "git unknown"."""
    done = trials[trials["status"] == "done"]
    states = done[["git.sha", "git.dirty"]].drop_duplicates()
    texts = [_format_commit(sha, dirty) for sha, dirty in states.itertuples(index=False)]
    return ", ".join(sorted(set(texts))) or "no run"


def _format_commit(sha: object, dirty: object) -> str:
    name = f"git {str(sha)[:7]}" if isinstance(sha, str) and sha else "git unknown"
    return f"{name} with uncommitted changes" if isinstance(dirty, str) and dirty else name


def _odd_rows(done: pd.DataFrame, prefixes: tuple[str, ...]) -> list[int]:
    columns = [name for name in done if str(name).startswith(prefixes)]
    if done.empty or not columns:
        return []
    state = done.groupby(columns, dropna=False, sort=False).ngroup()
    return sorted({int(row) for row in done.loc[state != state.mode()[0], "row"]})
