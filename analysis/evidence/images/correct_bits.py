"""Read correct.npz: the test images that a trial classifies correctly, and their classes."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from clip_hparam.analysis.frames.json_files import UnreadableError
from clip_hparam.records import archive

Bits = NDArray[np.bool_]
ClassLabels = NDArray[np.integer]
READ_ERRORS = (OSError, ValueError, EOFError, zipfile.BadZipFile)


def read_correct(
    folder: str | Path, weights: str, rule: str = "selected", measure: str = "acc1"
) -> Bits:
    """Return the correctness of each test image, shape (images,), in the data set's order.

    Raises:
        UnreadableError: the file is missing, damaged, or lacks these weights.
    """
    path = Path(folder) / "correct.npz"
    name = f"{measure}.{weights}.{rule}"
    try:
        with _open_correct(folder) as npz:
            return np.unpackbits(npz[name], count=int(npz["n"])).astype(bool)
    except KeyError as error:
        raise UnreadableError(f"{path} has no {name}") from error
    except READ_ERRORS as error:
        raise UnreadableError(f"{path} is missing or cannot be read") from error


def reported_bits(trials: pd.DataFrame) -> Bits:
    """Return the correctness at the selected epoch and weights, shape (trials, images).

    Raises:
        UnreadableError: a file cannot be read, or the numbers of images differ.
    """
    rows = [
        read_correct(folder, weights)
        for folder, weights in zip(trials["folder"], trials["selected_weights"], strict=True)
    ]
    if len({row.size for row in rows}) > 1:
        raise UnreadableError(f"{trials['folder'].iloc[0]} and others differ in their test images")
    return np.array(rows)


def read_classes(folder: str | Path) -> tuple[ClassLabels, list[str]]:
    """Return the class index of each test image, shape (images,), and the names of the classes.

    Raises:
        UnreadableError: the file is missing, damaged, or older than the recording of classes.
    """
    path = Path(folder) / "correct.npz"
    try:
        with _open_correct(folder) as npz:
            return npz["labels"], [str(name) for name in npz["classes"]]
    except KeyError as error:
        raise UnreadableError(f"{path} does not say which class an image is of") from error
    except READ_ERRORS as error:
        raise UnreadableError(f"{path} is missing or cannot be read") from error


def count_images(trials: pd.DataFrame) -> int | None:
    """Return the number of test images of the trials; None if it is unknown or varies."""
    counts = set()
    for folder in trials["folder"].dropna():
        try:
            with _open_correct(folder) as npz:
                counts.add(int(npz["n"]))
        except (KeyError, *READ_ERRORS):
            return None
    return counts.pop() if len(counts) == 1 else None


def _open_correct(folder: str | Path) -> NpzFile:
    """Open the file, which may be in an archive. Raises: EOFError if it does not exist."""
    npz: NpzFile = np.load(io.BytesIO(archive.read_bytes(f"{folder}/correct.npz") or b""))
    return npz
