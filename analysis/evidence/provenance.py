"""Find table rows that differ from the rest in code, data, weights, numerics or libraries."""

from collections.abc import Iterable

import pandas as pd

from clip_hparam.analysis.frames.frame import done_trials

COLUMN_PREFIXES = {
    "code": ("git.",),
    "data": ("data.name", "data.fingerprint"),
    "encoder": ("encoder.weights",),
    "numerics": ("numerics.",),
    "versions": ("versions.",),
}


def differing_provenance(trials: pd.DataFrame, varied: Iterable[str] = ()) -> list[str]:
    """Return the kinds of provenance that differ from most trials: "code, numerics", "" if none.

    One text per table row (column `row` of the trials, from 0). A kind that the ablation varies on
    purpose (`varied` holds a knob below `data.` or `encoder.`) is not reported.
    """
    done = done_trials(trials)
    intended = {knob.partition(".")[0] for knob in varied if "." in knob}
    differing: dict[int, list[str]] = {}
    for kind, prefixes in COLUMN_PREFIXES.items():
        if kind not in intended:
            for row in _differing_rows(done, prefixes):
                differing.setdefault(row, []).append(kind)
    return [", ".join(differing.get(row, [])) for row in range(int(trials["row"].max()) + 1)]


def code_state(trials: pd.DataFrame) -> str:
    """Return the commits of the done trials, "git 1a2b3c4, git unknown", or "no run"."""
    done = done_trials(trials)
    states = done[["git.sha", "git.dirty"]].drop_duplicates()
    texts = [_format_commit(sha, dirty) for sha, dirty in states.itertuples(index=False)]
    return ", ".join(sorted(set(texts))) or "no run"


def _format_commit(sha: object, dirty: object) -> str:
    name = f"git {str(sha)[:7]}" if isinstance(sha, str) and sha else "git unknown"
    return f"{name} with uncommitted changes" if isinstance(dirty, str) and dirty else name


def _differing_rows(done: pd.DataFrame, prefixes: tuple[str, ...]) -> list[int]:
    """Return rows with a trial whose columns of these prefixes are not the most common ones."""
    columns = [name for name in done if str(name).startswith(prefixes)]
    if done.empty or not columns:
        return []
    state = done.groupby(columns, dropna=False, sort=False).ngroup()
    return sorted({int(row) for row in done.loc[state != state.mode()[0], "row"]})
