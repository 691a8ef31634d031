"""Words for the state of a trial in other tools, and rows that are left out by their state."""

from collections.abc import Iterable

import pandas as pd

STATE_COLUMNS = ("state", "status", "trial_state", "trial_status")
COMPLETE_WORDS = frozenset(
    ("complete", "completed", "done", "finished", "ok", "succeeded", "success", "terminated")
)
INCOMPLETE_WORDS = frozenset({
    *("cancelled", "canceled", "crashed", "diverged", "error", "errored", "fail", "failed"),
    *("failure", "held", "killed", "lost", "paused", "pending", "planned", "preempted"),
    *("preempting", "pruned", "queued", "running", "stopped", "timeout", "waiting"),
})  # fmt: skip
NO_STATE = "without a state"


def find_state_column(rows: pd.DataFrame, used: Iterable[str]) -> str:
    """Return the column of states: named as one, unused, and with a known word; "" if none is."""
    taken = set(used)
    for column in rows:
        is_candidate = str(column).lower() in STATE_COLUMNS and column not in taken
        if is_candidate and set(map(_word, rows[column])) & (COMPLETE_WORDS | INCOMPLETE_WORDS):
            return str(column)
    return ""


def complete_rows(states: pd.Series) -> tuple[pd.Series, dict[str, int]]:
    """Return a mask of the complete rows, and the number of the others by their state.

    Raises:
        ValueError: no row is complete.
    """
    complete = states.map(_word).isin(COMPLETE_WORDS)
    others = states[~complete].map(lambda state: _spelled(state) or NO_STATE)
    counts = {str(state): int(count) for state, count in others.value_counts().items()}
    if not complete.any():
        listed = ", ".join(f"{count} {state}" for state, count in list(counts.items())[:6])
        raise ValueError(
            f"no row is complete by column {states.name} ({listed}): a complete row has one of"
            f" {', '.join(sorted(COMPLETE_WORDS))}"
        )
    return complete, counts


def _word(state: object) -> str:
    """Return the state in lower case; "TrialState.PRUNED" of a printed enum as "pruned"."""
    return _spelled(state).rpartition(".")[2].lower()


def _spelled(state: object) -> str:
    return state.strip() if isinstance(state, str) else ""
