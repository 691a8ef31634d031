"""Search space: each knob has a range, levels, or levels and one range. Imports no Optuna.

    lr: tag(log, interval(1e-4, 1e-2))    a float, uniform in its logarithm
    epochs: int(interval(5, 20))          an integer
    pool: [patch_mean, cls]               a choice
    mixup: [0, interval(0.2, 1.0)]        off, or on with a searched strength

`when: {cutmix: mixup}` searches cutmix only where mixup is on (neither 0 nor none).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol

from clip_hparam.config.knob import AUTO, suggest, validated
from clip_hparam.config.recipe import knobs
from clip_hparam.design.knob_levels import parse_knob_range, parse_level, validate_range
from clip_hparam.design.ranges import Range

OFF_VALUES = (0, "none")


class Suggester(Protocol):
    """The methods of an Optuna trial that a space calls."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float: ...
    def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int: ...
    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any: ...


@dataclass(frozen=True)
class Dimension:
    """A knob with its levels and range.

    branch: the range as text; with levels and a range, the choice that stands for the range.
    when: the knob that must be on for this one to be searched.
    """

    knob: str
    levels: tuple[Any, ...]
    range: Range | None
    branch: str = ""
    when: str | None = None

    def suggest(self, trial: Suggester) -> Any:
        """Suggest a value of the knob; floats are rounded as `Range.rounded` does."""
        if self.levels:
            choices = (*self.levels, self.branch) if self.range else self.levels
            chosen = trial.suggest_categorical(self._choice_name, choices)
            if self.range is None or chosen != self.branch:
                return chosen
        assert self.range is not None
        low, high, log = self.range.low, self.range.high, self.range.log
        if self.range.whole:
            return trial.suggest_int(self.knob, int(low), int(high), log=log)
        return self.range.rounded(trial.suggest_float(self.knob, low, high, log=log))

    def params(self, value: Any) -> dict[str, Any]:
        """Return the Optuna parameters that suggest this value; empty for a value outside."""
        if value in self.levels:
            return {self._choice_name: value}
        if self.range is None or not isinstance(value, (int, float)):
            return {}
        if not self.range.low <= value <= self.range.high:
            return {}
        branch = {self._choice_name: self.branch} if self.levels else {}
        return {**branch, self.knob: value}

    def boundary_values(self) -> list[Any]:
        """Return each level and the two ends of the range."""
        return [*self.levels, *(self.range.ends if self.range else ())]

    @property
    def _choice_name(self) -> str:
        """Optuna's name for the choice of a level."""
        return f"{self.knob}.branch" if self.range else self.knob


@dataclass(frozen=True)
class Space:
    """Dimensions in order; a dimension with a condition comes after the knob it depends on."""

    dimensions: tuple[Dimension, ...]

    def suggest(self, trial: Suggester) -> dict[str, Any]:
        """Suggest a value of each knob that is searched at this point."""
        values: dict[str, Any] = {}
        for dim in self.dimensions:
            if dim.when is None or values.get(dim.when, OFF_VALUES[0]) not in OFF_VALUES:
                values[dim.knob] = dim.suggest(trial)
        return values

    def params(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the Optuna parameters of a recipe's values, for knobs whose value is inside."""
        params: dict[str, Any] = {}
        for dim in self.dimensions:
            params |= dim.params(values[dim.knob])
        return params

    def grid(self) -> list[dict[str, Any]]:
        """Return all combinations of levels, by the names of `Suggester.suggest_categorical`.

        Raises:
            ValueError: a knob has a range or a condition.
        """
        for dim in self.dimensions:
            if dim.range or dim.when:
                raise ValueError(
                    f"sampler=grid needs levels, and {dim.knob} has a range or a condition:"
                    f" list levels, {dim.knob}=a,b, or try hydra.sweeper.sampler=qmc"
                )
        names = [dim.knob for dim in self.dimensions]
        points = product(*(dim.levels for dim in self.dimensions))
        return [dict(zip(names, point, strict=True)) for point in points]

    @property
    def varies(self) -> bool:
        """Whether there is more than one point: some knob has a range or two levels."""
        return any(dim.range or len(dim.levels) > 1 for dim in self.dimensions)

    def boundary_values(self) -> Iterator[dict[str, Any]]:
        """Yield each level and each end of a range alone, to try them on the base recipe."""
        for dim in self.dimensions:
            for value in dim.boundary_values():
                yield {dim.knob: value}


def parse_space(levels: Mapping[str, Sequence[str]], when: Mapping[str, str]) -> Space:
    """Return the space of a search from the texts of its levels and ranges.

    Raises:
        ValueError: an unknown knob, an empty range, a range of a knob without numbers, a value
            outside the knob's legal range, or a condition on a knob that is not searched.
    """
    for knob, other in when.items():
        if knob not in levels or other not in levels:
            missing = knob if knob not in levels else other
            raise ValueError(f"when: {{{knob}: {other}}}: {missing} is not searched")
    dims = {knob: _parse_dimension(knob, texts, when.get(knob)) for knob, texts in levels.items()}
    ordered = [knob for knob in dims if knob not in when] + [knob for knob in dims if knob in when]
    return Space(tuple(dims[knob] for knob in ordered))


def _parse_dimension(knob: str, texts: Sequence[str], when: str | None) -> Dimension:
    if knob == "seed":
        raise ValueError("seed is a replicate and not searched: try seeds=3, or seed=0 in the base")
    if knob not in knobs():
        hint = suggest(knob, [name for name in knobs() if name != "seed"])
        raise ValueError(f"unknown knob {knob}: a search varies knobs of a recipe; {hint}")
    parsed = {text: parse_knob_range(knob, text) for text in texts}
    ranges = [(text, bounds) for text, bounds in parsed.items() if bounds]
    if len(ranges) > 1:
        raise ValueError(f"{knob} has {len(ranges)} ranges: give one range, and levels if needed")
    values = [parse_level(text) for text, bounds in parsed.items() if bounds is None]
    levels = dict.fromkeys(v if v == AUTO else validated(knob, v, knobs()[knob]) for v in values)
    if not levels and not ranges:
        raise ValueError(f"{knob} has nothing to choose from: try {knob}=a,b")
    branch, only = ranges[0] if ranges else ("", None)
    if only:
        validate_range(knob, branch, only)
    return Dimension(knob, tuple(levels), only, branch, when)
