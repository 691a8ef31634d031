"""Which test images a trial got right: correct.npz, read on demand."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from clip_hparam.analysis.frames.json_files import UnreadableError
from clip_hparam.records import archive as packs

Bits = NDArray[np.bool_]
ClassLabels = NDArray[np.integer]
READ_ERRORS = (OSError, ValueError, EOFError, zipfile.BadZipFile)


def read_correct(
    folder: str | Path, weights: str, rule: str = "selected", measure: str = "acc1"
) -> Bits:
    """One truth value a test image, shape (images,); every trial of a data set has the same order.

    Raises UnreadableError if the file is missing, damaged, or lacks these weights.
    """
    path = Path(folder) / "correct.npz"
    name = f"{measure}.{weights}.{rule}"
    try:
        with _open_correct(folder) as archive:
            return np.unpackbits(archive[name], count=int(archive["n"])).astype(bool)
    except KeyError as error:
        raise UnreadableError(f"{path} has no {name}") from error
    except READ_ERRORS as error:
        raise UnreadableError(f"{path} is missing or cannot be read") from error


def reported_bits(trials: pd.DataFrame) -> Bits:
    """Of the weights that stand for each trial, at its selected epoch; shape (trials, images).

    Raises UnreadableError as `correct` does, and where the numbers of images differ.
    """
    rows = [
        read_correct(folder, weights)
        for folder, weights in zip(trials["folder"], trials["selected_weights"], strict=True)
    ]
    if len({row.size for row in rows}) > 1:
        raise UnreadableError(f"{trials['folder'].iloc[0]} and others differ in their test images")
    return np.array(rows)


def read_classes(folder: str | Path) -> tuple[ClassLabels, list[str]]:
    """Which class each test image is of, shape (images,), as a place in the names of the classes.

    Raises UnreadableError if the file is missing, damaged, or from before classes were recorded.
    """
    path = Path(folder) / "correct.npz"
    try:
        with _open_correct(folder) as archive:
            return archive["labels"], [str(name) for name in archive["classes"]]
    except KeyError as error:
        raise UnreadableError(f"{path} does not say which class an image is of") from error
    except READ_ERRORS as error:
        raise UnreadableError(f"{path} is missing or cannot be read") from error


def count_images(trials: pd.DataFrame) -> int | None:
    """The number of test images behind these trials; None if it is unknown or not one number."""
    found = set()
    for folder in trials["folder"].dropna():
        try:
            with _open_correct(folder) as archive:
                found.add(int(archive["n"]))
        except (KeyError, *READ_ERRORS):
            return None
    return found.pop() if len(found) == 1 else None


def _open_correct(folder: str | Path) -> NpzFile:
    """Raises EOFError where there is none."""
    opened: NpzFile = np.load(io.BytesIO(packs.read_bytes(f"{folder}/correct.npz") or b""))
    return opened
