"""The space of a search: a knob has a range, levels, or levels beside a range. No Optuna here.

    lr: tag(log, interval(1e-4, 1e-2))    a float, uniform in its logarithm
    epochs: int(interval(5, 20))          a whole number
    pool: [patch_mean, cls]               a choice
    mixup: [0, interval(0.2, 1.0)]        off, or on with a strength that is searched

`when: {cutmix: mixup}` searches a knob only where another is on (neither 0 nor none).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol

from clip_hparam.config.knob import AUTO, suggest, validated
from clip_hparam.config.recipe import knobs
from clip_hparam.design.ranges import SIGNIFICANT_DIGITS, Range, parse_range

OFF_VALUES = (0, "none")


class Suggester(Protocol):
    """What is needed of an Optuna trial."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float: ...
    def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int: ...
    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any: ...


@dataclass(frozen=True)
class Dimension:
    """A knob and what it may be; with levels and a range, the level `branch` stands for the range.

    `when`: the knob that must be on for this one to be searched.
    """

    knob: str
    levels: tuple[Any, ...]
    range: Range | None
    branch: str = ""
    when: str | None = None

    def suggest(self, trial: Suggester) -> Any:
        """A value of the knob, floats to four significant digits."""
        if self.levels:
            choices = (*self.levels, self.branch) if self.range else self.levels
            chosen = trial.suggest_categorical(self._choice_name, choices)
            if self.range is None or chosen != self.branch:
                return chosen
        assert self.range is not None
        low, high, log = self.range.low, self.range.high, self.range.log
        if self.range.whole:
            return trial.suggest_int(self.knob, int(low), int(high), log=log)
        value = trial.suggest_float(self.knob, low, high, log=log)
        return min(max(float(f"{value:.{SIGNIFICANT_DIGITS}g}"), low), high)

    def params(self, value: Any) -> dict[str, Any]:
        """What the trial would have to suggest for a value; empty for one outside the axis."""
        if value in self.levels:
            return {self._choice_name: value}
        numbers = self.range and isinstance(value, (int, float))
        if not (numbers and self.range and self.range.low <= value <= self.range.high):
            return {}
        return (
            {self._choice_name: self.branch, self.knob: value}
            if self.levels
            else {self.knob: value}
        )

    @property
    def _choice_name(self) -> str:
        """Optuna's name for the choice of a level."""
        return f"{self.knob}.branch" if self.range else self.knob


@dataclass(frozen=True)
class Space:
    """Axes in order; one that hangs on another comes after it."""

    axes: tuple[Dimension, ...]

    def suggest(self, trial: Suggester) -> dict[str, Any]:
        """A value of each knob that is searched at this point."""
        values: dict[str, Any] = {}
        for axis in self.axes:
            if axis.when is None or values.get(axis.when, OFF_VALUES[0]) not in OFF_VALUES:
                values[axis.knob] = axis.suggest(trial)
        return values

    def params(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The same for a recipe's values, of the axes that have them inside."""
        found: dict[str, Any] = {}
        for axis in self.axes:
            found |= axis.params(values[axis.knob])
        return found

    def grid(self) -> list[dict[str, Any]]:
        """All combinations. Raises ValueError if there is a range, or a knob that hangs on another.

        The keys are those of `Suggester.suggest_categorical`.
        """
        for axis in self.axes:
            if axis.range or axis.when:
                raise ValueError(
                    f"sampler=grid needs levels, and {axis.knob} has a range or a condition:"
                    f" try {axis.knob}=choice(...), or sampler=qmc"
                )
        levels = product(*(axis.levels for axis in self.axes))
        return [
            {axis.knob: at for axis, at in zip(self.axes, point, strict=True)} for point in levels
        ]

    def boundary_values(self) -> Iterator[dict[str, Any]]:
        """Each level and each end of a range, alone: what a plan tries on the base recipe."""
        for axis in self.axes:
            ends = (
                (_boundary_value(axis.range, low=True), _boundary_value(axis.range, low=False))
                if axis.range
                else ()
            )
            for value in (*axis.levels, *ends):
                yield {axis.knob: value}


def parse_space(levels: Mapping[str, Sequence[str]], when: Mapping[str, str]) -> Space:
    """From texts as they stand in a design or on the command line.

    Raises ValueError for an empty or impossible range, a range of a knob that has none, a knob
    that no recipe has, or a value outside its legal range.
    """
    for knob, other in when.items():
        if knob not in levels or other not in levels:
            gone = knob if knob not in levels else other
            raise ValueError(f"when: {{{knob}: {other}}}: {gone} is not searched")
    axes = {knob: _parse_dimension(knob, texts, when.get(knob)) for knob, texts in levels.items()}
    ordered = [knob for knob in axes if knob not in when] + [knob for knob in axes if knob in when]
    return Space(tuple(axes[knob] for knob in ordered))


def parse_level(text: str) -> Any:
    """A level as a number where it reads as one."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def parse_knob_range(knob: str, text: str) -> Range | None:
    """None for what is no range. Raises ValueError for one that is empty or cannot be drawn."""
    try:
        return parse_range(text)
    except ValueError as error:
        raise ValueError(f"{knob}={error}") from None


def _parse_dimension(knob: str, texts: Sequence[str], when: str | None) -> Dimension:
    if knob == "seed":
        raise ValueError("seed is a replicate and not searched: try seeds=3, or seed=0 in the base")
    if knob not in knobs():
        raise ValueError(
            f"unknown knob {knob}: a search varies knobs of a recipe; {_suggest_knob(knob)}"
        )
    found_in = {text: parse_knob_range(knob, text) for text in texts}
    ranges = [(text, found) for text, found in found_in.items() if found]
    if len(ranges) > 1:
        raise ValueError(f"{knob} has {len(ranges)} ranges: one, beside levels, is enough")
    field = knobs()[knob]
    levels = tuple(
        dict.fromkeys(
            validated(knob, parse_level(text), field) if parse_level(text) != AUTO else AUTO
            for text, found in found_in.items()
            if not found
        )
    )
    if not levels and not ranges:
        raise ValueError(f"{knob} has nothing to choose from: try {knob}=choice(a,b)")
    branch, only = ranges[0] if ranges else ("", None)
    if only:
        _validate_range(knob, branch, only)
    return Dimension(knob, levels, only, branch, when)


def _validate_range(knob: str, text: str, found: Range) -> None:
    """Raises ValueError for a knob without numbers, ends outside its range, or parts of ones."""
    field = knobs()[knob]
    legal = field.metadata["legal"].removeprefix(f"{AUTO} | ")
    if legal[0] not in "([":
        raise ValueError(f"{knob}={text} is a range, and {knob} has none: try {knob}=choice(a,b)")
    if field.type in (int, int | str) and not found.whole:
        bare = text.replace(" ", "")
        raise ValueError(f"{knob}={text} is not whole, and {knob} is: try {knob}=int({bare})")
    for low in (True, False):
        validated(knob, _boundary_value(found, low=low), field)


def _boundary_value(found: Range, low: bool) -> float:
    value = found.low if low else found.high
    return int(value) if found.whole else value


def _suggest_knob(knob: str) -> str:
    return suggest(knob, [name for name in knobs() if name != "seed"])
