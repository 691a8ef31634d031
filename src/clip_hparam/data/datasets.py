"""Where images come from, by `data.name`: a training pool and a fixed test set.

No torch here: planning a sweep reads labels and fingerprints, never pixels through a framework.
"""

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from clip_hparam.config.knob import suggest
from clip_hparam.config.recipe import Data
from clip_hparam.data.dataset import ImageArray, ImageDataset, split_off_test
from clip_hparam.data.distribution_shift import with_shift
from clip_hparam.data.image_folder import load_image_folder, load_imagenet

DIGIT_SIDE = 32  # px
FOLDER_DATASETS = {
    "imagenet": (load_imagenet, "train/n01440764/*.JPEG and val/n01440764/*.JPEG"),
    "folder": (
        load_image_folder,
        "a folder of images for each class, or train and test with such folders",
    ),
}


@cache
def load_digits() -> ImageDataset:
    """scikit-learn's 1,797 handwritten digits, one channel; half of each class is the test.

    They are 8 x 8 px; up-sampled to 32 x 32, so that a crop can fall between two of their pixels.

    Read from the file that scikit-learn ships, without importing it (1 s).
    """
    path = _digits_file()
    table = np.loadtxt(path, delimiter=",", dtype=np.int64)
    small = np.round(table[:, :-1].reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    pixels = np.stack([_upsample(digit) for digit in small])[:, None]
    labels = table[:, -1]
    pool, test = split_off_test(labels, 0.5)
    digest = hashlib.sha256(pixels.tobytes() + labels.tobytes() + test.tobytes()).hexdigest()
    classes = tuple("0123456789")
    return ImageDataset(classes, pixels[pool], labels[pool], pixels[test], labels[test], digest)


def load_dataset(data: Data) -> ImageDataset:
    """Raises ValueError for a name that is not known, FileNotFoundError for missing images."""
    plain = _load_unshifted(data)
    return plain if data.shift == "none" else with_shift(plain, data)


def _load_unshifted(data: Data) -> ImageDataset:
    if data.name == "digits":
        if data.root:
            raise ValueError(f"data.root={data.root} is not read by data=digits: try data=folder")
        return load_digits()
    if data.name not in FOLDER_DATASETS:
        raise ValueError(
            f"unknown data.name={data.name}: {suggest(data.name, ['digits', *FOLDER_DATASETS])}"
        )
    read, layout = FOLDER_DATASETS[data.name]
    root = Path(data.root).expanduser()
    if not data.root or not root.is_dir():
        problem = f"data.root={data.root} is not a folder" if data.root else "data.root is not set"
        raise FileNotFoundError(
            f"{problem}: type data={data.name} data.root=PATH, where PATH holds {layout}"
        )
    return read(root.resolve())


def _upsample(digit: ImageArray) -> ImageArray:
    return np.asarray(Image.fromarray(digit).resize((DIGIT_SIDE,) * 2, Image.Resampling.BICUBIC))


def _digits_file() -> Path:
    spec = find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            "data.name=digits needs scikit-learn, which ships them: pip install scikit-learn"
        )
    return Path(spec.submodule_search_locations[0]) / "datasets" / "data" / "digits.csv.gz"
