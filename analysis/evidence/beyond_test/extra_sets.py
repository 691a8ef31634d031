"""Sets beyond the test set: out of distribution, and tests of retained zero-shot accuracy."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd

SHIFT = "test_shift_"


class ExtraSets(NamedTuple):
    """Prefixes of the metric columns of the sets, such as "eval.sketch."."""

    outside: list[str]
    known: list[str]

    @property
    def names(self) -> tuple[list[str], list[str]]:
        """Names of the sets in the same two groups, for people."""
        outside, known = (
            [prefix.removeprefix("eval.").rstrip("._") for prefix in prefixes] for prefixes in self
        )
        return outside, known


def extra_sets(trials: pd.DataFrame) -> ExtraSets:
    """Return the sets of trials in a frame, by its columns `eval_sets.NAME.zero_shot`."""
    flags = {name.split(".")[1]: trials[name].dropna().astype(bool) for name in set_facts(trials)}
    known = [name for name, flag in flags.items() if len(flag) and flag.all()]
    outside = [name for name, flag in flags.items() if len(flag) and not flag.any()]
    shifted = trials.filter(like=f"{SHIFT}acc1.").notna().any(axis=None)
    return _to_sets(outside, known, bool(shifted))


def result_sets(facts: Mapping[str, Any], metrics: Mapping[str, float | None]) -> ExtraSets:
    """Return the sets of a result of stored weights.

    facts: of the result; its entry `eval_sets` is that of result.json of a trial.
    """
    sets: Mapping[str, Any] = facts.get("eval_sets", {})
    flags = {name: bool(of_set["zero_shot"]) for name, of_set in sets.items()}
    outside = [name for name, is_known in flags.items() if not is_known]
    known = [name for name, is_known in flags.items() if is_known]
    return _to_sets(outside, known, any(name.startswith(f"{SHIFT}acc1.") for name in metrics))


def set_facts(trials: pd.DataFrame, fact: str = "zero_shot") -> list[str]:
    """Return the columns `eval_sets.NAME.<fact>` of a frame of trials."""
    names = map(str, trials.columns)
    return [name for name in names if name.startswith("eval_sets.") and name.endswith(f".{fact}")]


def _to_sets(outside: Iterable[str], known: Iterable[str], shifted: bool) -> ExtraSets:
    shift = [SHIFT] if shifted else []
    return ExtraSets(
        [*shift, *(f"eval.{name}." for name in outside)], [f"eval.{name}." for name in known]
    )
