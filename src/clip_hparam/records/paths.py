"""The paths of everything under a runs folder: one function per file or folder, no other home.

runs/<trial_id>/                               record.py lists its files
runs/.sweeps/<sweep_id>.json                   manifest of a sweep or a search
runs/.sweeps/<sweep_id>.lock                   held by the driver of the sweep
runs/.sweeps/<sweep_id>/                       journal and locks of a search, and:
runs/.sweeps/<sweep_id>/worker_<n>/            record of a search worker
runs/.sweeps/<sweep_id>/<nonce>/array.json     a Slurm job array
runs/.packs/<sweep_id>.zip                     archive of done trials
runs/.code/<hash>/                             code that Slurm jobs run
runs/.studies/<name>/                          stages and decisions of a campaign
runs/.trackers/<tracker>/                      files of a tracker that keeps them here
runs/.trackers/.sent/<tracker>/<trial_id>.json what the tracker has of a trial
runs/.derived/<derived_id>/result.json         a result of stored weights (derived.py)
"""

import shlex
from collections.abc import Iterator
from pathlib import Path

DEFAULT_RUNS = Path("runs")
SWEEPS_FOLDER = ".sweeps"
ARRAY_FILE = "array.json"
LOG_FILE = "log.txt"
CHECKPOINT_FOLDER = "checkpoint"


def trial_folder(runs: Path | str, trial_id: str) -> Path:
    """Return the folder of a trial, or of a search worker by its `worker_id`.

    Raises: ValueError for an id that would leave the runs folder, as a hostile manifest may hold.
    """
    if not is_inside(trial_id):
        raise ValueError(
            f"trial id {trial_id!r} is not a name in the runs folder: ids are hex digits"
        )
    return (runs if isinstance(runs, Path) else Path(runs)) / trial_id


def is_inside(name: str) -> bool:
    """Return whether a relative path of a record stays in the folder that it is joined to."""
    return bool(name) and name[0] != "/" and "\\" not in name and ".." not in name.split("/")


def log_path(runs: Path | str, trial_id: str) -> Path:
    """Return the file that holds everything a trial or a search worker printed."""
    return trial_folder(runs, trial_id) / LOG_FILE


def sweeps_folder(runs: Path | str) -> Path:
    """Return the folder of all manifests, driver locks and sweep folders."""
    return Path(runs) / SWEEPS_FOLDER


def manifest_path(runs: Path | str, sweep_id: str) -> Path:
    """Return the manifest of a sweep or a search."""
    return sweeps_folder(runs) / f"{sweep_id}.json"


def manifest_paths(runs: Path | str) -> Iterator[Path]:
    """Yield the manifests that exist, in no order."""
    return sweeps_folder(runs).glob("*.json")


def runs_of_manifest(manifest: Path) -> Path:
    """Return the runs folder that holds a manifest."""
    return manifest.absolute().parents[1]


def driver_lock(sweep_id: str) -> str:
    """Return the name of a driver's lock file inside `sweeps_folder`."""
    return f"{sweep_id}.lock"


def driver_lock_paths(runs: Path | str) -> Iterator[Path]:
    """Yield the lock files of drivers, held or not, in no order."""
    return sweeps_folder(runs).glob(driver_lock("*"))


def sweep_folder(runs: Path | str, sweep_id: str) -> Path:
    """Return the folder of a sweep's job arrays, or of a search's journal, locks and workers."""
    return sweeps_folder(runs) / sweep_id


def worker_records(runs: Path | str, sweep_id: str = "*") -> Iterator[Path]:
    """Yield the record folders of the workers of a search, or of all searches, in no order."""
    return (path.parent for path in sweeps_folder(runs).glob(f"{sweep_id}/worker_*/status.json"))


def worker_id(sweep_id: str, number: int) -> str:
    """Return the id of a search worker, which is the path of its record inside the runs folder."""
    return f"{SWEEPS_FOLDER}/{sweep_id}/worker_{number}"


def manifest_of_worker(worker: Path) -> Path:
    """Return the manifest of the search that the worker with this record folder belongs to."""
    return worker.parent.with_suffix(".json")


def array_folder(runs: Path | str, sweep_id: str, nonce: str) -> Path:
    """Return the folder of one Slurm job array of a sweep."""
    return sweep_folder(runs, sweep_id) / nonce


def array_paths(runs: Path | str, sweep_id: str = "*") -> Iterator[Path]:
    """Yield the array.json files of a sweep, or of all sweeps, in no order."""
    return sweeps_folder(runs).glob(f"{sweep_id}/*/{ARRAY_FILE}")


def runs_of_array(folder: Path) -> Path:
    """Return the runs folder that holds the folder of a job array."""
    return folder.parents[2]


def archives_folder(runs: Path | str) -> Path:
    """Return the folder of all archives of done trials."""
    return Path(runs) / ".packs"


def archive_path(runs: Path | str, sweep_id: str) -> Path:
    """Return the archive of a sweep's done trials."""
    return archives_folder(runs) / f"{sweep_id}.zip"


def code_folder(runs: Path | str) -> Path:
    """Return the folder of all code snapshots."""
    return Path(runs) / ".code"


def tracker_folder(runs: Path | str, tracker: str) -> Path:
    """Return the folder in which a tracker may keep its files."""
    return Path(runs) / ".trackers" / tracker


def sent_path(runs: Path | str, tracker: str, trial_id: str) -> Path:
    """Return the file that lists the data sent to a tracker for a trial."""
    return Path(runs) / ".trackers" / ".sent" / tracker / f"{trial_id}.json"


def command_line(*words: str, runs: Path | str) -> str:
    """Return a `clip-hparam` command to type, with --runs where the folder is not the default."""
    option = [] if Path(runs) == DEFAULT_RUNS else ["--runs", str(runs)]
    return shlex.join(["clip-hparam", *words, *option])


def campaign_folder(runs: Path | str, name: str) -> Path:
    """Return the folder of a campaign's decisions and designs."""
    return Path(runs) / ".studies" / name


def campaign_names(runs: Path | str) -> list[str]:
    """Return the names of the campaigns in a runs folder."""
    return sorted(path.parent.name for path in Path(runs).glob(".studies/*/decisions.json"))


def derived_folder(runs: Path | str) -> Path:
    """Return the folder of all derived results."""
    return Path(runs) / ".derived"


def derived_path(runs: Path | str, derived_id: str) -> Path:
    """Return the file of a derived result."""
    return derived_folder(runs) / derived_id / "result.json"
