"""Forget a sweep whose submission a scheduler has refused: `status` does not list it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clip_hparam.launch.supervise import SubmissionRefusedError
from clip_hparam.records.paths import manifest_path


@contextmanager
def forgotten_if_refused(runs: Path, sweep_id: str) -> Iterator[None]:
    """Delete the manifest that is written inside if the submission is refused.

    A manifest from before stays: trials of it may be on record.
    """
    path = manifest_path(runs, sweep_id)
    is_new = not path.exists()
    try:
        yield
    except SubmissionRefusedError:
        if is_new:
            path.unlink(missing_ok=True)
        raise
