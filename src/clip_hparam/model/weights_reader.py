"""Read the tensors of an image tower from a weight file, wherever in the file they are.

Supported are open_clip's .pt, .bin and .safetensors, OpenAI's TorchScript archive, and state dicts
nested at any depth, with the prefixes of DDP, FSDP, torch.compile, Lightning and DeepSpeed, with
open_clip's names or timm's. Reading a file never executes code of the file. docs/weights.md has
the table.
"""

import argparse
import hashlib
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from clip_hparam.model.timm_keys import to_open_clip_keys

StateDict = dict[str, Tensor]
WRAPPERS = {
    *("module", "_orig_mod"),  # DataParallel, DDP, DeepSpeed, AveragedModel; torch.compile
    *("_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module"),
}
"""Parts of a name that training wrappers insert; they are left out wherever they are."""
DEFAULT_KEYS = ("state_dict", "model")  # of the tensors in open_clip's and FT-CLIP's files
ANCHORS = (("class_embedding", "conv1.weight"), ("cls_token", "patch_embed.proj.weight"))
"""Names in open_clip and in timm by which a tower is found."""
EMA_PATTERN = re.compile(r"(^|[._])(ema|swa|avg|averaged?|shadow)([._]|$)")
MAX_DEPTH = 12  # of nested dicts; a damaged or hostile file may nest a dict in itself
NUMPY_SCALAR = np.float64(0).__reduce__()[0]
SAFE_TYPES = [
    argparse.Namespace,  # options of timm's and of FT-CLIP's training scripts
    *(np.dtype, *{type(np.dtype(code)) for code in "?bhilqBHILQefd"}),  # of numbers as below
    *((NUMPY_SCALAR, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
]
"""Types beside tensors that a pickle may hold: they read as data and run nothing."""


@dataclass(frozen=True)
class TowerTensors:
    """The tensors of one image tower in a file.

    root: dotted prefix of the tower in the file, such as "state_dict.visual".
    visual: tensors by open_clip's names. beside: tensors of the same model by name, such as those
    of the text tower. is_default: whether the file alone, without a key, means this tower.
    others: keys of the other towers in the file.
    """

    root: str
    visual: StateDict
    beside: StateDict
    is_default: bool
    others: tuple[str, ...]

    def identity(self, file_sha256: str) -> str:
        """Return the sha256 that identifies the tensors: the file's, unless a key chose others."""
        if self.is_default:
            return file_sha256
        return hashlib.sha256(f"{file_sha256}:{self.root}".encode()).hexdigest()


def read_tower(path: Path, key: str = "") -> TowerTensors:
    """Return the tensors of the image tower in a file.

    Raises: ValueError for a file that cannot be read safely, and as `select_tower` does.
    """
    return select_tower(read_state_dict(path), path, key)


def select_tower(state: StateDict, path: Path, key: str = "") -> TowerTensors:
    """Return the tensors of the image tower in a state dict.

    path: of its file, in messages. key: dotted prefix of the tensors to use, where the file holds
    several sets; "": the default of `_default_root`.

    Raises: ValueError without a tower, without this key, or with several towers of which none is
    the default.
    """
    roots = _tower_roots(state)
    if not roots:
        raise ValueError(
            f"{path.name} does not hold the image tower of a CLIP under open_clip's or timm's names"
            f" ({' or '.join(' with '.join(names) for names in ANCHORS)}){_names_hint(state)}: try"
            " another file"
        )
    wanted = ".".join(_without_wrappers(key))
    matching = [root for root in roots if not wanted or f"{root}.".startswith(f"{wanted}.")]
    default = _default_root(roots)
    root = default if default in matching and not wanted else _default_root(matching)
    if root is None:
        problem = f"has no weights under {key}" if not matching else "holds several sets of weights"
        choices = " or ".join(f":{_key_of(root)}" for root in roots if _key_of(root))
        raise ValueError(f"{path.name} {problem}: try encoder.pretrained={path}{choices}")
    visual = to_open_clip_keys(_below(state, root))
    model = _without_last(root, "visual")
    beside = {} if model == root else _below(state, model)
    beside = {name: tensor for name, tensor in beside.items() if not name.startswith("visual.")}
    others = tuple(_key_of(other) for other in roots if other != root)
    return TowerTensors(root, visual, beside, root == default, others)


def read_state_dict(path: Path) -> StateDict:
    """Return all tensors of a file by dotted name without the parts that wrappers insert.

    Raises: ValueError if the file cannot be read safely, or holds two tensors of one name.
    """
    try:
        tree = _load_file(path)
    except Exception as error:  # three parsers raise many types for a damaged file
        raise ValueError(f"{path.name} {_reading_problem(error)}") from error
    if not isinstance(tree, Mapping):
        raise ValueError(f"{path.name} holds a {type(tree).__name__}, not a state dict")
    state: StateDict = {}
    for parts, tensor in _tensors(tree):
        name = ".".join(_without_wrappers(".".join(parts)))
        if name in state and not _same(state[name], tensor):
            raise ValueError(
                f"{path.name} holds two different tensors {name}, with and without a prefix of"
                " training wrappers: save one state dict per file"
            )
        state[name] = tensor
    return state


def _load_file(path: Path) -> Any:
    if path.suffix == ".safetensors":
        return load_file(path)
    if _is_torchscript(path):
        with warnings.catch_warnings():
            # torch.jit is deprecated, and OpenAI's archives of 2021 have no other reader
            warnings.simplefilter("ignore", FutureWarning)
            return torch.jit.load(path, map_location="cpu").state_dict()  # type: ignore[no-untyped-call]
    with torch.serialization.safe_globals(SAFE_TYPES):
        return torch.load(path, map_location="cpu", weights_only=True)


def _is_torchscript(path: Path) -> bool:
    """Return whether a file is a TorchScript archive.

    Raises: ValueError for an archive with __setstate__, which loading would execute.
    """
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        for name in names:
            if name.endswith(".py") and b"__setstate__" in archive.read(name):
                raise ValueError("GLOBAL __setstate__")
    return any(name.endswith("/constants.pkl") for name in names)


def _reading_problem(error: Exception) -> str:
    """Return why a file cannot be read, and what to do."""
    unsafe = re.search(r"GLOBAL (\S+)", str(error))
    if unsafe:
        return (
            f"does not read as weights: it holds code or objects ({unsafe[1]}), and nothing of it"
            " was executed; save its state dict as .safetensors where you trust the file"
        )
    return (
        f"does not read as weights ({type(error).__name__}): fetch it again, or save its state"
        " dict as .safetensors"
    )


def _tensors(tree: Mapping[Any, Any], parts: tuple[str, ...] = ()) -> Iterator[Any]:
    """Yield the path of keys and the tensor for each tensor in nested dicts."""
    for key, value in tree.items():
        if isinstance(value, Tensor):
            yield (*parts, str(key)), value
        elif isinstance(value, Mapping) and len(parts) < MAX_DEPTH:
            yield from _tensors(value, (*parts, str(key)))


def _without_wrappers(name: str) -> list[str]:
    return [part for part in name.split(".") if part not in WRAPPERS]


def _tower_roots(state: StateDict) -> list[str]:
    """Return the dotted prefixes below which an image tower begins, in the file's order."""
    roots: dict[str, None] = {}
    for name in state:
        for first, second in ANCHORS:
            root = name.removesuffix(first)
            if root != name and root + second in state and root[-1:] in ("", "."):
                roots[_without_last(root.removesuffix("."), "trunk")] = None
    return list(roots)


def _default_root(roots: Iterable[str]) -> str | None:
    """Return the tower that is used if no key is given; None if there is none or no rule.

    The tower directly under `state_dict` or `model` is used, else the least nested one that is no
    average of weights.
    """
    known = list(roots)
    prefix = ""
    for key in DEFAULT_KEYS:
        if any(root == prefix + key or root.startswith(f"{prefix}{key}.") for root in known):
            prefix += f"{key}."
    for root in (f"{prefix}visual", prefix.removesuffix(".")):
        if root in known:
            return root
    within = [root for root in known if f"{root}.".startswith(prefix)]
    raw = [root for root in within if not EMA_PATTERN.search(root.lower())] or within
    depth = min((root.count(".") for root in raw), default=0)
    least = [root for root in raw if root.count(".") == depth]
    return least[0] if len(least) == 1 else None


def _key_of(root: str) -> str:
    """Return the KEY that a user types for a tower: its prefix without `visual`."""
    return _without_last(root, "visual") or root


def _without_last(root: str, part: str) -> str:
    """Return a dotted name without its last part if that part is `part`."""
    return root.removesuffix(part).removesuffix(".") if f".{root}".endswith(f".{part}") else root


def _below(state: StateDict, root: str) -> StateDict:
    """Return the tensors below a dotted name, by their names relative to it."""
    prefix = f"{root}." if root else ""
    return {name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)}


def _names_hint(state: StateDict) -> str:
    if any("vision_model.embeddings" in name for name in state):
        return "; its names are those of Hugging Face transformers"
    return ""


def _same(first: Tensor, second: Tensor) -> bool:
    return first.shape == second.shape and torch.equal(first, second)
