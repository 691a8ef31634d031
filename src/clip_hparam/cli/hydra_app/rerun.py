"""Make the command that runs a recorded trial again.

The overrides that were typed for the trial are composed. A knob is added where the composed value
differs from the recorded one: a default has changed since, or the typed overrides are not known.
Where data or weights have moved, a sentence names them, and their recorded identity is added, so
that the command refuses to run another trial.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from clip_hparam.cli.hydra_app.compose import compose_recipe
from clip_hparam.cli.hydra_app.error_messages import USER_ERRORS, user_message
from clip_hparam.config.identity import trial_id, with_missing_knobs
from clip_hparam.config.knob import AUTO
from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, flatten, knobs, with_values
from clip_hparam.config.text.override_words import format_override
from clip_hparam.config.tree import flatten_tree
from clip_hparam.design.design import key_of, merged_overrides
from clip_hparam.model.architectures import RANDOM, bundled_clip
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.manifests.manifest import SweepManifest
from clip_hparam.records.record import Record

IDENTITIES = {
    "data.fingerprint": "images",
    "encoder.weights": "weights",
    "data.prompts": "prompts",
}
PLACE_KNOBS = {
    "data.fingerprint": ("data.root", "data.selection_root", "data.shift_root", "data.subset"),
    "encoder.weights": ("encoder.pretrained",),
    "data.prompts": ("data.class_names", "data.templates"),
}
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
MAX_ROUNDS = 4  # a knob that is added may change the value of an `auto`


class Rerun(NamedTuple):
    """The overrides that run a trial again, and a sentence for each fact that is unknown."""

    overrides: tuple[str, ...]
    unknown: tuple[str, ...] = ()


def rerun_trial(record: Record, planned: Mapping[str, Sequence[str]]) -> Rerun:
    """Return the overrides that run a recorded trial again from the current folder.

    planned: what `planned_overrides` returns. The recipe is resolved to compare its trial id, which
    reads the names of the image files.
    """
    recipe = record.recipe()
    if recipe is None:  # planned, and not started yet
        words = planned[record.trial_id]
        return Rerun(merged_overrides(words, _runs_override(record.folder.parent)))
    tree = with_missing_knobs(recipe.get("recipe", {}))
    recorded = {name: value for name, value in flatten_tree(tree).items() if name in knobs()}
    status = record.status()
    typed = _without_unknown_words(typed_overrides(record, planned))
    places = {**_places_of_old_records(recorded), **status.get("places", {})}
    words = _with_knobs(_with_places(typed, places), recorded)
    words = merged_overrides(words, _runs_override(record.folder.parent))
    unknown = _unknown_facts(words, record.trial_id, recorded)
    known = {name: recorded[name] for name in IDENTITIES if name in recorded and unknown}
    pins = [f"{name}={value}" for name, value in known.items() if value != knobs()[name].default]
    return Rerun(merged_overrides(words, pins), tuple(unknown))


def planned_overrides(manifests: Iterable[SweepManifest]) -> dict[str, tuple[str, ...]]:
    """Return the overrides of every planned trial by its id."""
    return {
        name: merged_overrides(cell.overrides, [f"seed={seed}"])
        for manifest in manifests
        for cell in manifest.cells
        for seed, name in cell.trials.items()
    }


def typed_overrides(record: Record, planned: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the overrides that were typed for a trial; empty if no record or manifest has them."""
    status = record.status()
    if "overrides" in status:
        return [str(word) for word in status["overrides"]]
    if record.trial_id in planned:
        return list(planned[record.trial_id])
    command = [str(word) for word in (record.result() or {}).get("command") or []]
    single = "-m" not in command and "--multirun" not in command
    return [word for word in command[1:] if "=" in word and word[0] != "-"] if single else []


@cache
def _compose(words: tuple[str, ...]) -> Recipe:
    return compose_recipe(words)


def _composed(words: Sequence[str]) -> Recipe:
    """Compose the config groups once for all trials that share them, and set the numbers.

    With a reference such as min_lr=${lr} all words are composed together.
    """
    if any("${" in word for word in words):
        return _compose(tuple(words))
    values: dict[str, int | float] = {}
    others: list[str] = []
    for word in words:
        name, _, text = word.partition("=")
        if name in knobs() and knobs()[name].type is not str and NUMBER.fullmatch(text):
            values[name] = int(text) if text.isdigit() else float(text)
        else:
            others.append(word)
    return with_values(_compose(tuple(others)), values)


def _without_unknown_words(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words without the runs folder; none if a group or a knob has gone since."""
    kept = tuple(word for word in words if key_of(word) not in ("machine.runs", "replay"))
    try:
        _composed(kept)
    except USER_ERRORS:
        return ()
    return kept


def _with_knobs(words: tuple[str, ...], recorded: Mapping[str, Any]) -> tuple[str, ...]:
    """Add each knob whose value in the resolved recipe is not the recorded one."""
    for _ in range(MAX_ROUNDS):
        try:
            recipe = _resolved(words, recorded)
        except (ValueError, OSError):  # data or weights are missing
            recipe = _composed(words)
        values = flatten(recipe)
        differing = [
            format_override(name, value)
            for name, value in recorded.items()
            if name not in IDENTITIES and values[name] != value
        ]
        if not differing:
            break
        words = merged_overrides(words, differing)
    return words


def _resolved(words: Sequence[str], recorded: Mapping[str, Any]) -> Recipe:
    """Return the resolved recipe; the weights of an open_clip tag are not downloaded for it."""
    recipe = _composed(words)
    encoder = recipe.encoder
    if encoder.pretrained == RANDOM or bundled_clip(encoder) or _is_file(encoder.pretrained):
        return resolve(recipe)
    stand_in = with_values(recipe, {"encoder.pretrained": RANDOM, "encoder.weights": AUTO})
    known = {name: recorded[name] for name in ("encoder.weights", "encoder.pixels")}
    if encoder.pixels != AUTO:
        known["encoder.pixels"] = encoder.pixels
    return with_values(resolve(stand_in), {**known, "encoder.pretrained": encoder.pretrained})


def _is_file(pretrained: str) -> bool:
    path = Path(pretrained)
    return len(path.parts) > 1 or path.suffix != "" or path.exists()


def _places_of_old_records(recorded: Mapping[str, Any]) -> dict[str, str]:
    """Return the places that follow from the knobs of a record that does not list its places."""
    return {"encoder.pretrained": RANDOM} if recorded.get("encoder.weights") == RANDOM else {}


def _with_places(words: tuple[str, ...], places: Mapping[str, str]) -> tuple[str, ...]:
    """Add the places that the words do not name, or name relative to another folder."""
    values = flatten(_composed(words))
    differing = [
        format_override(name, place)
        for name, place in places.items()
        if place not in (values[name], str(Path(values[name]).expanduser().absolute()))
    ]
    return merged_overrides(words, differing)


def _runs_override(runs: Path) -> list[str]:
    same = runs.absolute() == Path(Machine().runs).absolute()
    return [] if same else [format_override("machine.runs", str(runs))]


def _unknown_facts(words: Sequence[str], wanted: str, recorded: Mapping[str, Any]) -> list[str]:
    """Return why the words may not run the trial; none if they do."""
    try:
        recipe = _resolved(words, recorded)
    except USER_ERRORS as error:
        return [f"{user_message(error)}; the record knows no other place"]
    except OSError as error:
        return [str(error)]
    if trial_id(recipe) == wanted:
        return []
    values = flatten(recipe)
    return [
        f"the {what} that this command reads are not those on record ({name}={given}):"
        f" give their place with {' or '.join(PLACE_KNOBS[name])}"
        for name, what in IDENTITIES.items()
        if (given := recorded.get(name)) != values[name]
    ] or [f"this command runs trial {trial_id(recipe)}: the record is of an older version"]
