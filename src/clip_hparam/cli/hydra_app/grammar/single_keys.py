"""Refuse the keys of a sweep on a command without -m, where they would have no effect."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from clip_hparam.cli.hydra_app.grammar.keys import LAUNCHER, SWEEPER
from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.config.text.override_words import format_override
from clip_hparam.design.design import key_of

ADD_M = "add -m, which one trial may have too"
OF_SLURM = "it is about Slurm jobs: add -m"


class SweepOnly(NamedTuple):
    """A key of the driver that a trial without -m does not use.

    same: values at which a single trial does what the key asks for.
    advice: what to type instead.
    in_files: whether a config file may give another value, for the sweeps that choose it too.
    """

    same: tuple[Any, ...]
    advice: str = ADD_M
    in_files: bool = False


SWEEP_ONLY: Mapping[str, SweepOnly] = {
    "seeds": SweepOnly((None,), "add -m, or give seed=0 for one trial"),
    "dry_run": SweepOnly((False,), "add -m, or type clip-hparam describe with the same knobs"),
    "confirm": SweepOnly((False, True)),  # a single trial starts without asking
    "budget": SweepOnly(("none",), "add -m, which predicts the time before it starts"),
    "workers": SweepOnly(("auto", 1), in_files=True),
    "retries": SweepOnly((0,), f"a single trial is not started again: {ADD_M}", in_files=True),
    "detach": SweepOnly((False,)),
    "trials_per_job": SweepOnly((1,), OF_SLURM, in_files=True),
    "snapshot": SweepOnly((False,), OF_SLURM, in_files=True),
    "name": SweepOnly((None,)),
    "tags": SweepOnly((None, [])),
}
"""All keys of SweepOptions but those of trial_spec.PER_TRIAL_OPTIONS, which a trial receives."""


def refuse_sweep_keys(
    driver: SweepOptions, typed: Sequence[str], hydra_words: Sequence[str]
) -> None:
    """Raise ValueError, with a sentence for each, for keys that have no effect without -m.

    typed: the overrides of the command line. hydra_words: those of Hydra's own config.
    """
    words = {key_of(word): word for word in typed}
    mistakes = []
    for key, rule in SWEEP_ONLY.items():
        value = getattr(driver, key)
        is_asked = key in words or (value != getattr(SweepOptions(), key) and not rule.in_files)
        if is_asked and value not in rule.same:
            word = words.get(key, format_override(key, value))
            mistakes.append(f"{word} is for sweeps: {rule.advice}")
    for word in hydra_words:
        key = key_of(word).replace("/", ".")
        if key == SWEEPER or key.startswith(f"{SWEEPER}."):
            mistakes.append(f"{word} is for searches: add -m")
        elif key == LAUNCHER or key.startswith(f"{LAUNCHER}."):
            mistakes.append(f"{word} chooses where the trials of a sweep run: {ADD_M}")
    if mistakes:
        raise ValueError("\n".join(mistakes))


def launcher_note(launcher: str) -> str:
    """Return the note about a launcher that a machine chooses and a single trial does not use."""
    if not launcher.startswith("submitit"):
        return ""
    return (
        f"without -m the trial runs in this process, not through hydra/launcher={launcher}: add -m"
        " to submit it"
    )
