"""Read TensorBoard runs: a trial per folder of event files that has hyper-parameters."""

from collections import defaultdict
from pathlib import Path

from clip_hparam.analysis.frames.importing.readers.event_file import read_events
from clip_hparam.analysis.frames.importing.source import (
    Roles,
    Source,
    TrialParts,
    join_parts,
    varied,
)

EVENT_FILES = "*tfevents*"
RUN, STATE = "run", "session status"


def has_event_files(path: Path) -> bool:
    """Return whether the path is an event file, or a folder with one at any depth."""
    if path.is_dir():
        return next(path.rglob(EVENT_FILES), None) is not None
    return "tfevents" in path.name


def read_event_files(path: Path) -> Source:
    """Return a row per run: hyper-parameters of the `hparams` plugin, last value of each scalar.

    A run without a session end has not ended; a run of PyTorch's `add_hparams` always has one.

    Raises:
        ValueError: no run has hyper-parameters, or a file is damaged.
    """
    files = defaultdict(list)
    for file in sorted(path.rglob(EVENT_FILES)) if path.is_dir() else [path]:
        files[file.parent].append(file)
    trials: list[TrialParts] = []
    for folder, paths in files.items():
        events = read_events(paths)
        if events.hparams:
            scalars = {tag: value for tag, (_, value) in events.scalars.items()}
            name = folder.relative_to(path).as_posix() if path.is_dir() else folder.name
            head = {RUN: name, STATE: events.status or "RUNNING"}
            trials.append(TrialParts(head, events.hparams, scalars))
    if not trials:
        raise ValueError(
            f"none of its {len(files)} runs has hyper-parameters: write them with"
            " SummaryWriter.add_hparams, or export a table and import that"
        )
    rows, knobs, metrics = join_parts(trials)
    left = len(files) - len(trials)
    notes = (f"{left} runs without hyper-parameters are not read",) if left else ()
    objective = metrics[0] if len(metrics) == 1 else ""
    roles = Roles(varied(rows, knobs), metrics, objective, name=RUN, state=STATE)
    return Source("tensorboard", rows, roles, notes)
