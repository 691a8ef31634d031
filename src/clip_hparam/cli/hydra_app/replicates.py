"""Replicates of a sweep: the seeds of every cell, or a race that adds seeds."""

from collections.abc import Sequence

from clip_hparam.config.sweep_options import SweepOptions, seed_list
from clip_hparam.design.design import Design, key_of, validate_seeds, varies_seed
from clip_hparam.design.racing import Race, parse_race


def requested_race(swept: list[str] | None, driver: SweepOptions, design: Design) -> Race | None:
    """Return the race that seeds={...} asks for; None if the replicates are listed.

    swept: the levels of seed=..., None if seed is not swept.

    Raises:
        ValueError: the race cannot be run, or the cells set their seed themselves.
    """
    has_base_seed = driver.seeds is None and "seed" in map(key_of, design.base)
    race = parse_race(design.seeds if driver.seeds is None else driver.seeds)
    if race is None or has_base_seed or swept is not None:
        return None
    validate_seeds(design, driver.seeds or design.seeds, design.base)
    return race


def requested_seeds(
    swept: list[str] | None, driver: SweepOptions, design: Design
) -> Sequence[int | None]:
    """Return the seeds of every cell: of seed=0,1 or seeds=5, else of the design.

    [None] leaves the seed of each cell as its overrides say.

    Raises:
        ValueError: seed and seeds are both given, or the cells set their seed themselves.
    """
    has_base_seed = any(key_of(override) == "seed" for override in design.base)
    if (swept is not None or has_base_seed) and driver.seeds is not None:
        raise ValueError("seed and seeds both choose the replicates: give one of them")
    validate_seeds(design, driver.seeds if swept is None else swept)
    if swept is not None:
        return seed_list([_seed(level) for level in swept]) or []
    if has_base_seed or varies_seed(design):
        return [None]
    return seed_list(driver.seeds) or seed_list(design.seeds) or [None]


def _seed(level: str) -> int:
    if not level.isdigit():
        raise ValueError(f"seed={level} lists no seeds: try seed=0,1,2, or seeds=3")
    return int(level)
