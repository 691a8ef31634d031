"""Storages of searches as other tools open them: the URL of one, or one file that holds several."""

from collections.abc import Sequence
from pathlib import Path

import optuna
from optuna.storages import BaseStorage

from clip_hparam.records.credentials import with_password
from clip_hparam.search.spec import SearchSpec
from clip_hparam.search.storage import open_storage, with_driver


def storage_for_tools(search: SearchSpec) -> str:
    """Return the path or URL of a search's storage as Optuna's tools take it.

    A password is *** in it, as in the manifest.
    """
    return with_driver(search.storage_url)


def merge_storages(searches: Sequence[SearchSpec], target: Path) -> int:
    """Copy the studies of searches into one new journal file; return their number.

    Searches without a storage or a study, which no worker has opened yet, are left out.

    Raises:
        ValueError: the file exists, or a storage cannot be reached.
    """
    if target.exists():
        raise ValueError(f"{target} is there already: name another file, or remove it")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sources = [(search, source) for search in searches if (source := _open(search)) is not None]
    if not sources:
        return 0
    merged = open_storage(str(target))
    for search, source in sources:
        name = search.optuna_study_name
        optuna.copy_study(
            from_study_name=name, from_storage=source, to_storage=merged, to_study_name=name
        )
    return len(sources)


def _open(search: SearchSpec) -> BaseStorage | None:
    """Open the storage of a search; None if it is not there or lacks the study."""
    url = search.storage_url
    if "://" not in url and not Path(url.removeprefix("journal:")).exists():
        return None
    storage = open_storage(with_password(url))
    names = {study.study_name for study in storage.get_all_studies()}
    return storage if search.optuna_study_name in names else None
