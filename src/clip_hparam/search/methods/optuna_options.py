"""Options of samplers and pruners: a name, a seed, and arguments of Optuna's class."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from inspect import signature
from typing import Any

from optuna.exceptions import ExperimentalWarning

from clip_hparam.config.knob import MAX_SEED, suggest

Options = Mapping[str, Any]
"""The keys `name` and `seed`, and arguments of Optuna's class."""


@contextmanager
def suppress_experimental_warnings() -> Iterator[None]:
    """Suppress Optuna's warnings about experimental classes: users choose these by a plain name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield


def parse_options(given: Any, default: str) -> dict[str, Any]:
    """Return a name, a mapping with a name, or None as a mapping with a name."""
    if given is None:
        return {"name": default}
    if isinstance(given, Mapping):
        return {"name": default, **given}
    return {"name": str(given).lower()}


def validate_name(kind: str, name: str, known: Mapping[str, Any]) -> None:
    """Raise ValueError for a name that is not in the table of samplers or pruners."""
    if name not in known:
        raise ValueError(f"unknown hydra.sweeper.{kind}={name}: {suggest(name, known)}")


def validated_seed(options: Options) -> int:
    """Return the seed of a sampler, 0 if there is none; ValueError outside its range."""
    seed = options.get("seed")
    if seed is None:
        return 0
    if type(seed) is not int or not 0 <= seed <= MAX_SEED:
        raise ValueError(
            f"hydra.sweeper.sampler.seed={seed} is not a whole number of [0, {MAX_SEED}]: try 0"
        )
    return seed


def create_from_options(
    kind: str, create: Callable[..., Any], options: Options, defaults: Mapping[str, Any]
) -> Any:
    """Create an Optuna object from its defaults and the user's options.

    Raises:
        ValueError: an argument that the class does not take, or a value that it rejects.
    """
    arguments = {key: value for key, value in options.items() if key not in ("name", "seed")}
    known = signature(create).parameters
    for key in arguments:
        if key not in known:
            raise ValueError(f"unknown hydra.sweeper.{kind}.{key}: {suggest(key, known)}")
    with suppress_experimental_warnings():
        try:
            return create(**{**defaults, **arguments})
        except (TypeError, ValueError) as error:
            raise ValueError(f"hydra.sweeper.{kind}={options['name']}: {error}") from None
