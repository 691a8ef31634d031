"""Move the done trials of a sweep into its archive (archive.py): one file instead of thousands."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from clip_hparam.records.atomic import open_atomic
from clip_hparam.records.lock import lock_folder
from clip_hparam.records.paths import archive_path, driver_lock, sweeps_folder
from clip_hparam.records.record import Record


def archive_trials(runs: Path, sweep_id: str, ids: Sequence[str]) -> Path:
    """Move the trials that are done into the archive of a sweep and return its path.

    A trial's folder is removed after the archive was read back and renamed into place. After a kill
    in between, the trial is in both, and the next call removes the folder. Raises FolderLockedError
    while a driver runs the sweep, OSError for an archive that cannot be read.
    """
    path = archive_path(runs, sweep_id)
    with lock_folder(sweeps_folder(runs), driver_lock(sweep_id)):
        records = [Record(runs, name) for name in ids if (runs / name).is_dir()]
        done = [record for record in records if record.is_done()]
        unarchived = [record for record in done if (record.folder / "recipe.json").exists()]
        if unarchived:
            _write_archive(path, unarchived)
        for record in done:
            _remove_folder(record.folder)
    return path


def _write_archive(path: Path, records: Sequence[Record]) -> None:
    """Write the members of the existing archive and the records, which replace older copies."""
    replaced = {record.trial_id for record in records}
    with open_atomic(path) as file:
        with ZipFile(file, "w", ZIP_DEFLATED, strict_timestamps=False) as new:
            _copy_members(path, new, replaced)
            for record in records:
                for source in _files_to_archive(record.folder):
                    new.write(source, f"{record.trial_id}/{source.name}")
        with ZipFile(file) as written:
            if written.testzip() is not None:
                raise OSError(f"{path} does not read as it was written: nothing is packed")


def _copy_members(path: Path, new: ZipFile, exclude: set[str]) -> None:
    if not path.exists():
        return
    try:
        with ZipFile(path) as old:
            for member in old.infolist():
                if member.filename.partition("/")[0] not in exclude:
                    new.writestr(member, old.read(member))
    except BadZipFile as error:
        raise OSError(f"{path} is damaged ({error}): move it away, nothing is packed") from None


def _files_to_archive(folder: Path) -> list[Path]:
    """Return the files of a done trial without its lock and its checkpoint."""
    files = [path for path in folder.iterdir() if path.is_file()]
    return sorted(path for path in files if not path.name.startswith("."))


def _remove_folder(folder: Path) -> None:
    """Remove recipe.json first: without it the trial is read from the archive."""
    with lock_folder(folder):
        (folder / "recipe.json").unlink(missing_ok=True)
        shutil.rmtree(folder)
