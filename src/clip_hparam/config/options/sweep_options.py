"""The driver keys: options of a sweep at the top level of the config, never hashed."""

import re
from dataclasses import dataclass
from typing import Any

from clip_hparam.config.knob import MAX_SEED, knob, validate
from clip_hparam.config.options.eval_set_words import eval_set_words
from clip_hparam.config.text.duration import parse_duration

DEFAULT_FAMILY = "tiny"
"""Recipe family of the miniature; a trial of any other family takes GPU-hours."""
MAX_REPLICATES = 10_000
TAG_PATTERN = re.compile(r"\w[\w.=:/@+-]*")


@dataclass(frozen=True)
class SweepOptions:
    """Options of the driver of a sweep; none of them changes the number of a trial."""

    seeds: Any = None
    dry_run: bool = False
    confirm: bool = False
    budget: str = knob(
        "none",
        "/none|([0-9]+[.]?[0-9]*|[.][0-9]+)[smhd]/",
        "longest predicted time of the whole sweep",
        hint="try 90s, 30m, 8h, 2d, or none",
    )
    workers: int | str = knob(
        "auto", "auto | [1, inf)", "trials at a time; auto: one per GPU, else one per core"
    )
    gpus_per_trial: int = knob(
        1, "[1, inf)", "processes of one trial, each with a GPU if available"
    )
    retries: int = knob(1, "[0, inf)", "new attempts of a trial after its process was killed")
    detach: bool = False
    trials_per_job: int = knob(1, "[1, inf)", "trials that share the resources of one Slurm job")
    snapshot: bool = True
    name: str | None = None
    tags: Any = None
    eval_test: str = knob("selected", "selected | epoch", "which epochs see the test set")
    eval_raw: str = knob(
        "epoch", "epoch | end", "which epochs evaluate the raw weights of a trial that has an EMA"
    )
    eval_sets: Any = None
    keep_checkpoints: str = knob("none", "none | last | best", "weights left in the folder")
    replay: bool = False
    tracker: Any = None

    def __post_init__(self) -> None:
        validate(self)
        eval_set_words(self.eval_sets)
        if self.budget != "none":
            parse_duration(self.budget)


def tag_list(tags: Any) -> tuple[str, ...]:
    """Return the tags that a value of `tags` means; ValueError for one that is no single word."""
    listed = [] if tags is None else tags if isinstance(tags, list) else [tags]
    for tag in listed:
        if isinstance(tag, (list, dict)) or not TAG_PATTERN.fullmatch(str(tag)):
            raise ValueError(
                f"tags={tags}: {tag!r} is not a single word: try 'tags=[first,second]'"
            )
    return tuple(dict.fromkeys(map(str, listed)))


def tracker_list(trackers: Any) -> tuple[str, ...]:
    """Return the names that a value of `tracker` means; ValueError for one that is no word."""
    listed = [] if trackers is None else trackers if isinstance(trackers, list) else [trackers]
    for name in listed:
        if not isinstance(name, str) or not TAG_PATTERN.fullmatch(name):
            raise ValueError(
                f"tracker={trackers}: {name!r} names no tracker: try 'tracker=[tensorboard,wandb]'"
            )
    return tuple(dict.fromkeys(name for name in listed if name != "none"))


def seed_list(seeds: Any) -> list[int] | None:
    """Return the seeds that a value of `seeds` means: 5 is 0 to 4, a list is itself.

    None stays None: the sweep has no replicates. Raises ValueError for any other value, or a seed
    that is listed twice or outside its range.
    """
    if seeds is None:
        return None
    if isinstance(seeds, int) and not isinstance(seeds, bool) and seeds > 0:
        if seeds > MAX_REPLICATES:
            raise ValueError(
                f"seeds={seeds} is a number of replicates, at most {MAX_REPLICATES}: to give a seed"
                " its number type seed=NUMBER"
            )
        return list(range(seeds))
    if isinstance(seeds, list) and seeds and all(type(seed) is int for seed in seeds):
        if len(set(seeds)) < len(seeds):
            raise ValueError(f"seeds={seeds} names a seed twice: each is one replicate")
        for seed in seeds:
            if not 0 <= seed <= MAX_SEED:
                raise ValueError(f"seeds={seeds}: {seed} is not a whole number of [0, {MAX_SEED}]")
        return list(seeds)
    raise ValueError(f"seeds={seeds} is neither a number of replicates nor a list: try seeds=5")
