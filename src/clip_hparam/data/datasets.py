"""Registry of the data sets that `data.name` can name.

A new data set is an entry of DATASETS, a file conf/data/<name>.yaml and a test. Another installed
package adds its own by an entry point (docs/extending.md). Imports no torch.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from clip_hparam.config.entry_points import DATASET_GROUP, load_entry_points
from clip_hparam.config.knob import suggest
from clip_hparam.config.recipe import Data
from clip_hparam.data.arrays.cifar import load_cifar10, load_cifar100
from clip_hparam.data.arrays.fashion_mnist import DEBIAN_ROOT, load_fashion_mnist
from clip_hparam.data.characters import CLASSES, load_characters
from clip_hparam.data.dataset import ImageDataset
from clip_hparam.data.digits import load_digits
from clip_hparam.data.distribution_shift import (
    FOLDER_SHIFT,
    PRINTED_DIGITS_SHIFT,
    Shift,
    with_shift,
)
from clip_hparam.data.evaluation_sets.selection import with_selection
from clip_hparam.data.folders.class_subset import ALL_CLASSES, with_subset
from clip_hparam.data.folders.unreadable import without_unreadable
from clip_hparam.data.image_folder import load_image_folder
from clip_hparam.data.packs.brace_pattern import has_braces
from clip_hparam.data.packs.load import (
    PARQUET_LAYOUT,
    SHARDS_LAYOUT,
    load_imagenet,
    load_parquet,
    load_shards,
)
from clip_hparam.data.prompt_templates import (
    CHARACTER_TEMPLATES,
    DIGIT_TEMPLATES,
    PromptFunction,
    character_prompts,
    digit_prompts,
    folder_prompts,
    folder_words,
    imagenet_ids,
    imagenet_prompts,
    imagenet_words,
)
from clip_hparam.data.tables.table_dataset import load_table
from clip_hparam.model.tiny_clip.captions import prompts
from clip_hparam.model.tiny_clip.model import DIGIT_PROMPTS, SAMPLE_STYLES


@dataclass(frozen=True)
class DatasetSpec:
    """Facts about a data set.

    load: returns the data set below `data.root`; ignores its argument where `layout` is empty.
    default_root: read where `data.root` is empty, such as the folder of a Debian package.
    root_is_file: whether `data.root` may be a file. root_is_pattern: or a pattern with braces.
    layout: what `data.root` must hold, for error messages; empty: `data.root` is not used.
    prompts: zero-shot prompts of the classes.
    prompt_classes: returns the class names that `prompts` knows; None: any name.
    words: the words of each class that templates of `data.templates` are filled with.
    templates: those that names of `data.class_names` are put into; empty: the 80 of CLIP.
    shifts: values of `data.shift` that the data set offers.
    tiny_prompts: prompts of the classes for tiny CLIP; its zero-shot accuracy is then recorded
        with every trial of that encoder. None: it is not recorded.
    """

    load: Callable[[Path], ImageDataset]
    layout: str = ""
    prompts: PromptFunction = folder_prompts
    prompt_classes: Callable[[], Collection[str]] | None = None
    shifts: tuple[Shift, ...] = (FOLDER_SHIFT,)
    tiny_prompts: Sequence[list[str]] | None = None
    default_root: str = ""
    root_is_file: bool = False
    root_is_pattern: bool = False
    words: Callable[[Sequence[str]], list[str]] = folder_words
    templates: tuple[str, ...] = ()


DATASETS: dict[str, DatasetSpec] = {
    "digits": DatasetSpec(
        load=lambda root: load_digits(),
        prompts=digit_prompts,
        words=list,
        templates=DIGIT_TEMPLATES,
        shifts=(PRINTED_DIGITS_SHIFT,),
        tiny_prompts=DIGIT_PROMPTS,
    ),
    "characters": DatasetSpec(
        load=lambda root: load_characters(),
        prompts=character_prompts,
        words=list,
        templates=CHARACTER_TEMPLATES,
        tiny_prompts=[prompts(name, SAMPLE_STYLES) for name in CLASSES],
    ),
    "imagenet": DatasetSpec(
        load=load_imagenet,
        layout="train/n01440764/*.JPEG and val/n01440764/*.JPEG",
        prompts=imagenet_prompts,
        prompt_classes=imagenet_ids,
        words=imagenet_words,
        root_is_pattern=True,
    ),
    "shards": DatasetSpec(
        load=load_shards, layout=SHARDS_LAYOUT, root_is_file=True, root_is_pattern=True
    ),
    "hf_parquet": DatasetSpec(
        load=load_parquet, layout=PARQUET_LAYOUT, root_is_file=True, root_is_pattern=True
    ),
    "folder": DatasetSpec(
        load=load_image_folder,
        layout="a folder of images for each class, or train and test with such folders",
    ),
    "table": DatasetSpec(
        load=load_table,
        layout="a table of (path, label) that ends in .csv, .tsv or .parquet, or is such a table",
        root_is_file=True,
    ),
    "cifar10": DatasetSpec(load=load_cifar10, layout="the folder cifar-10-batches-py"),
    "cifar100": DatasetSpec(load=load_cifar100, layout="the folder cifar-100-python"),
    "fashion_mnist": DatasetSpec(
        load=load_fashion_mnist,
        layout="the four files of Fashion-MNIST, or FashionMNIST/raw with them",
        default_root=DEBIAN_ROOT,
    ),
}


def dataset_spec(name: str) -> DatasetSpec:
    """Return the facts about the data set that `data.name` names.

    Raises: ValueError for an unknown name, with similar ones.
    """
    if name in DATASETS:
        return DATASETS[name]
    installed = _installed_datasets()
    if name not in installed:
        raise ValueError(f"unknown data.name={name}: {suggest(name, [*DATASETS, *installed])}")
    return installed[name]


@cache
def _installed_datasets() -> dict[str, DatasetSpec]:
    """Return the data sets of other installed packages."""
    return load_entry_points(
        DATASET_GROUP,
        lambda value: isinstance(value, DatasetSpec),
        "a clip_hparam.data.datasets.DatasetSpec",
        frozenset(DATASETS),
    )


def load_dataset(data: Data) -> ImageDataset:
    """Return the classes of `data.subset` with the evaluation sets of `data.shift`.

    Raises: ValueError for an unknown name and for images that cannot be used, FileNotFoundError
    for missing images.
    """
    spec = dataset_spec(data.name)
    loaded = _loader(data)(_validated_root(data, spec))
    dataset = with_selection(loaded, data)
    if data.subset == ALL_CLASSES:
        return with_shift(without_unreadable(dataset, data), data, spec.shifts)
    # a folder of data.shift may have all classes, and the images of other classes are not decoded
    shifted = with_shift(dataset, data, spec.shifts)
    return without_unreadable(with_subset(shifted, data.subset), data)


def _loader(data: Data) -> Callable[[Path], ImageDataset]:
    """Return the function that loads a data set from `data.root`.

    Raises: ValueError for `data.folders` of a data set that has its own layout.
    """
    if data.folders == "by_name":
        return dataset_spec(data.name).load
    if data.name != "folder":
        raise ValueError(
            f"data.folders={data.folders} is for data=folder, and data={data.name} has folders of"
            " its own: leave it out"
        )
    return partial(load_image_folder, only_classes=True)


def all_classes(data: Data) -> tuple[str, ...]:
    """Return the classes of a data set before `data.subset` leaves some out."""
    return _loader(data)(_validated_root(data, dataset_spec(data.name))).classes


def _validated_root(data: Data, spec: DatasetSpec) -> Path:
    """Return `data.root` as an absolute path, or the empty path where there is no layout."""
    if not spec.layout:
        if data.root:
            raise ValueError(
                f"data.root={data.root} is not read by data={data.name}: try data=folder"
            )
        return Path()
    root = Path(data.root or spec.default_root).expanduser()
    exists = root.exists() if spec.root_is_file else root.is_dir()
    exists = exists or (spec.root_is_pattern and has_braces(str(root)))
    if not (data.root or spec.default_root) or not exists:
        kind = "does not exist" if spec.root_is_file else "is not a folder"
        problem = f"data.root={data.root} {kind}" if data.root else "data.root is not set"
        if spec.default_root and not data.root:
            problem += f", and {spec.default_root} does not exist"
        raise FileNotFoundError(
            f"{problem}: type data={data.name} data.root=PATH, where PATH holds {spec.layout}"
        )
    return root.resolve()
