"""The records that the notebooks read: those that come with them, or a folder of your own."""

import os
import shutil
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent


def records(name: str) -> str:
    """Return a runs folder: $CLIP_HPARAM_RUNS if it is set, else NAME_records.tar.xz, unpacked."""
    own = os.environ.get("CLIP_HPARAM_RUNS")
    if own:
        return own
    folder = tempfile.mkdtemp(prefix="clip_hparam_")
    shutil.unpack_archive(FOLDER / f"{name}_records.tar.xz", folder, filter="data")
    return folder
