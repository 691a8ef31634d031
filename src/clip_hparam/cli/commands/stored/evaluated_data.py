"""Find the images that `clip-hparam evaluate` scores weights on."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clip_hparam.cli.commands.name_lookup import find_named_sweep
from clip_hparam.records.atomic import read_json
from clip_hparam.records.manifests.lookup import find_cells, find_trial_id
from clip_hparam.records.manifests.manifest import read_manifests
from clip_hparam.records.paths import command_line
from clip_hparam.records.record import Record, trial_ids

if TYPE_CHECKING:
    from clip_hparam.config.recipe import Data

EXPORT_FACTS = "clip_hparam.json"  # weights.models.export writes it; importing that needs torch


def evaluated_data(typed: Sequence[str], named: Sequence[str], runs: Path) -> "Data":
    """Return the data set of the typed overrides; without any that of the first named trial.

    The weights of a trial are its id, its folder, a file in that folder, and an export of a trial
    that is on record.

    Raises: ValueError for unknown data, for a sweep or a cell, and if no trial is named.
    """
    from clip_hparam.cli.hydra_app.compose import compose_recipe  # lazy: Hydra, 0.3 s
    from clip_hparam.cli.hydra_app.error_messages import USER_ERRORS, user_message

    for name in named:
        _refuse_sweep(name, runs)
    words = list(typed) or _words_of_first_trial(named, runs)
    try:
        return compose_recipe(words).data
    except USER_ERRORS as error:
        raise ValueError(user_message(error)) from error


def trial_with_weights(text: str, runs: Path) -> Record | None:
    """Return the record of the trial that a text means, see `evaluated_data`; None without one."""
    path = Path(text).expanduser()
    folder = path.parent if path.is_file() else path
    if (folder / "recipe.json").is_file():
        return Record(folder.absolute().parent, folder.absolute().name)
    if folder.is_dir():
        text = _exported_facts(folder).get("trial_id", "")
    found = find_trial_id(trial_ids(runs), text) if text else None
    return None if found is None else Record(runs, found)


def _words_of_first_trial(named: Sequence[str], runs: Path) -> list[str]:
    from clip_hparam.cli.hydra_app.rerun import rerun_trial  # lazy: Hydra, 0.3 s

    record = next(filter(None, (trial_with_weights(name, runs) for name in named)), None)
    if record is None:
        raise ValueError(_no_data(named[0], runs))
    again = rerun_trial(record, {})
    if again.unknown:
        raise ValueError(again.unknown[0])
    return [word for word in again.overrides if not word.startswith("machine.")]


def _no_data(name: str, runs: Path) -> str:
    """Return the sentence about weights whose images are not known."""
    from clip_hparam.data.datasets import DATASETS  # lazy: numpy, 0.1 s

    facts = _exported_facts(Path(name).expanduser())
    if not facts:
        return f"{name} is not a trial in {runs}, so its images are not known: type data=NAME too"
    data = facts["recipe"]["data.name"]
    root = " data.root=PATH" if data not in DATASETS or DATASETS[data].layout else ""
    return (
        f"{name} is an export of trial {facts['trial_id']}, which is not in {runs}: type"
        f" data={data}{root} too for the images that it is scored on"
    )


def _exported_facts(folder: Path) -> dict[str, Any]:
    """Return what an exported folder says about its trial; empty for another folder."""
    return read_json(folder / EXPORT_FACTS) or {}


def _refuse_sweep(name: str, runs: Path) -> None:
    if Path(name).expanduser().exists():
        return
    if find_named_sweep(runs, name):
        best = command_line("top", name, runs=runs)
        raise ValueError(f"{name} is a sweep: name one of its trials, which {best} lists")
    if cells := find_cells(read_manifests(runs), name):
        trials = " ".join(cells[-1][1].trials.values())
        raise ValueError(f"{name} is a cell: name one of its trials: {trials}")
