"""Decode every image file once, and remember which files cannot be read.

A verdict is kept in the user's cache by path, size and modification time, for this version of the
code that reads images. A second check of the same files decodes nothing.
"""

import hashlib
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing import current_process, get_context
from pathlib import Path

import numpy as np
import PIL

from clip_hparam.data import reading
from clip_hparam.data.dataset import ImageFiles
from clip_hparam.data.folders.check_cache import CheckCache, FileState
from clip_hparam.data.reading.errors import UnreadableImageError
from clip_hparam.data.reading.image import read_image
from clip_hparam.subprocesses import exit_with_parent

MAX_FILES_UNASKED = 20_000  # that a plan decodes; at 5 ms a file these are 100 s of a core
CHUNK_SIZE = 64  # files that a process decodes at once
MIN_PARALLEL = 256  # files; below, starting processes (0.5 s) takes longer than decoding
# files after which verdicts are stored: minutes of decoding, a second to write
BLOCK_SIZE = 100_000
Report = Callable[[int], None]
Unreadable = dict[int, str]
"""A sentence for each file that cannot be read, by its index in the ImageFiles."""


def ignore_report(files: int) -> None:
    """Do nothing."""


def known_unreadable(sets: Sequence[ImageFiles]) -> list[Unreadable] | None:
    """Return the unreadable files of each set; None if they are many and were never checked.

    Up to MAX_FILES_UNASKED files in all are decoded where no verdict is known.
    """
    if sum(map(len, sets)) <= MAX_FILES_UNASKED:
        return [check_files(files) for files in sets]
    verdicts = [_cache_of(files).read_summary() for files in sets]
    known = [verdict for verdict in verdicts if verdict is not None]
    return known if len(known) == len(sets) else None


def check_files(files: ImageFiles, report: Report = ignore_report) -> Unreadable:
    """Return the unreadable files of a set; decode unchecked files on all cores.

    Verdicts are stored every BLOCK_SIZE files, so that an interrupted check resumes.

    report: called with the number of files that were decoded since its last call.
    """
    store = _cache_of(files)
    states: list[FileState] = [(file.size, file.modified) for file in files.facts()]
    problems = store.read(states)
    new = [index for index, problem in enumerate(problems) if problem is None]
    for start in range(0, len(new), BLOCK_SIZE):
        block = new[start : start + BLOCK_SIZE]
        decoded = _decode_all(files[np.array(block, np.int64)], report)
        for index, problem in zip(block, decoded, strict=True):
            problems[index] = problem
        with suppress(OSError):
            store.write(states, problems)
    unreadable = {index: problem for index, problem in enumerate(problems) if problem}
    with suppress(OSError):
        store.write_summary(unreadable)
    return unreadable


def _cache_of(files: ImageFiles) -> CheckCache:
    return CheckCache(files, f"{reader_version()}{' official' if files.official else ''}")


@cache
def reader_version() -> str:
    """Return a hash of the code that reads images."""
    digest = hashlib.sha256(PIL.__version__.encode())
    for path in sorted(path for folder in reading.__path__ for path in Path(folder).glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _decode_all(files: ImageFiles, report: Report) -> list[str]:
    """Return a sentence for each file that cannot be read, "" for a readable one."""
    order = np.arange(len(files))
    chunks = [files[order[start : start + CHUNK_SIZE]] for start in order[::CHUNK_SIZE]]
    processes = min(len(os.sched_getaffinity(0)), len(chunks))
    if len(files) < MIN_PARALLEL or processes == 1 or current_process().daemon:
        return _collected(map(_decode_chunk, chunks), report)
    with _process_pool(processes) as pool:
        return _collected(pool.map(_decode_chunk, chunks), report)


def _collected(chunks: Iterable[list[str]], report: Report) -> list[str]:
    problems: list[str] = []
    for chunk in chunks:
        problems += chunk
        report(len(chunk))
    return problems


@contextmanager
def _process_pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of new processes, which end at once after an error or Ctrl-C."""
    pool = ProcessPoolExecutor(processes, get_context("spawn"), initializer=_init_worker)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _init_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends the pool
    exit_with_parent()


def _decode_chunk(files: ImageFiles) -> list[str]:
    return [_problem(files, index) for index in range(len(files))]


def _problem(files: ImageFiles, index: int) -> str:
    try:
        read_image(files.path(index), files.official, files.content(index))
    except UnreadableImageError as error:
        return str(error)
    return ""
