"""Find the trials that names on the command line mean: trial ids, cells, sweeps."""

import sys
from collections.abc import Sequence
from pathlib import Path

from clip_hparam.cli.commands.name_lookup import find_named_sweep, find_records, print_ambiguity
from clip_hparam.config.text.count import counted
from clip_hparam.records.manifests.lookup import find_cells
from clip_hparam.records.manifests.manifest import read_manifests
from clip_hparam.records.record import Record


def named_records(runs: Path, names: Sequence[str]) -> list[Record]:
    """Return the records that names mean, each once; trials of a sweep or cell that are done.

    Print to stderr how many others a sweep or a cell has.

    Raises: ValueError if a name means nothing, several trials, or a sweep without a done trial.
    """
    by_id: dict[str, Record] = {}
    for name in names:
        planned = _planned_trials(runs, name)
        records = find_records(runs, name) if planned is None else _done(runs, name, planned)
        by_id |= {record.trial_id: record for record in records}
    return list(by_id.values())


def are_trials(runs: Path, names: Sequence[str]) -> bool:
    """Return whether each name means one trial, and no cell or sweep."""
    return all(_planned_trials(runs, name) is None for name in names)


def _planned_trials(runs: Path, name: str) -> list[str] | None:
    """Return the trials of a sweep or a cell; None for another name."""
    if sweep := find_named_sweep(runs, name):
        print_ambiguity(read_manifests(runs), name)
        return list(sweep.trial_ids)
    if cells := find_cells(read_manifests(runs), name):
        return list(cells[-1][1].trials.values())
    return None


def _done(runs: Path, name: str, planned: Sequence[str]) -> list[Record]:
    records = [Record(runs, trial) for trial in planned]
    done = [record for record in records if record.is_done()]
    if not done:
        raise ValueError(f"none of the {counted(len(records), 'trial')} of {name} is done")
    if len(done) < len(records):
        print(
            f"{name}: {len(done)} of {counted(len(records), 'trial')} done and used",
            file=sys.stderr,
        )
    return done
