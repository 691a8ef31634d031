"""Call a command-line entry point in this process, and leave the process as it was."""

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

from clip_hparam.data import datasets, distribution_shift, image_folder
from clip_hparam.data.arrays import cifar, fashion_mnist
from clip_hparam.data.evaluation_sets import folder_set
from clip_hparam.data.folders import unreadable
from clip_hparam.data.packs import load as packs
from clip_hparam.data.tables import table_dataset
from clip_hparam.planning import data_facts, eval_sets
from clip_hparam.records import provenance
from support.shared_forkserver import start_shared_forkserver

SIGNALS = (signal.SIGINT, signal.SIGTERM)
CACHING_MODULES = (
    *(provenance, image_folder, distribution_shift, datasets, unreadable, data_facts),
    *(folder_set, eval_sets, cifar, fashion_mnist, table_dataset, packs),
)
"""Modules that cache facts which are constant in a process of a user, but not between tests."""


@dataclass(frozen=True)
class Done:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str


def call(main: Callable[[], int], *argv: str, cwd: Path, **environment: str) -> Done:
    """Call `main` as a process with these arguments would.

    Trials of a sweep are forks of the shared forkserver. Its environment is that of pytest at the
    start: use a process for trials that need a variable.
    """
    out, err = io.StringIO(), io.StringIO()
    with _restored_process(), redirect_stdout(out), redirect_stderr(err):
        os.chdir(cwd)
        os.environ.update(environment)
        sys.argv[:] = argv
        try:
            code = main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return Done(int(code), out.getvalue(), err.getvalue())


@contextmanager
def _restored_process() -> Iterator[None]:
    """Restore the state that a command changes: a process of its own would end with it."""
    argv, folder, handlers = sys.argv[:], Path.cwd(), [signal.getsignal(n) for n in SIGNALS]
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 0
    _clear_caches()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forkserver, "ensure_running", start_shared_forkserver)
        environment = dict(os.environ)
        os.environ.pop("HYDRA_FULL_ERROR", None)
        try:
            yield
        finally:
            GlobalHydra.instance().clear()
            os.environ.clear()
            os.environ.update(environment)
            os.chdir(folder)
            sys.argv[:] = argv
            for number, handler in zip(SIGNALS, handlers, strict=True):
                signal.signal(number, handler)
            if torch:
                torch.set_num_threads(threads)


def _clear_caches() -> None:
    for module in CACHING_MODULES:
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()
