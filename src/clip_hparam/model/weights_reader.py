"""Read the tensors of a weight file of any format. Reading a file never executes code of the file.

Supported are safetensors, pickles (.pt, .pth, .bin) and OpenAI's TorchScript archives; the content
of a file tells which, not its suffix.
"""

import argparse
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load, load_file
from torch import Tensor

StateDict = dict[str, Tensor]
WRAPPERS = {
    *("module", "_orig_mod"),  # DataParallel, DDP, DeepSpeed, AveragedModel; torch.compile
    *("_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module"),
}
"""Parts of a name that training wrappers insert; they are left out wherever they are."""
MAX_DEPTH = 12  # nested dicts and lists
PICKLE_STARTS = (b"PK", b"\x80")  # archive of torch.save, plain pickle
OTHER_CONTENTS = (
    (b"version https://git-lfs", "is a pointer of Git LFS: type git lfs pull where it is"),
    (b"\x1f\x8b", "is compressed by gzip: unpack it with gunzip"),
    (b"<", "is a web page: fetch the file itself"),
)
NUMPY_SCALAR = np.float64(0).__reduce__()[0]
SAFE_TYPES: list[Any] = [
    argparse.Namespace,  # options of timm's and of FT-CLIP's training scripts
    *(np.dtype, *{type(np.dtype(code)) for code in "?bhilqBHILQefd"}),  # dtypes of numbers as below
    *((NUMPY_SCALAR, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
]
"""Types beside tensors that a pickle may hold: they read as data and run nothing."""


def read_state_dict(path: Path) -> StateDict:
    """Return all tensors of a file by dotted name without the parts that wrappers insert.

    Raises: ValueError if the file cannot be read safely, or holds two tensors of one name.
    """
    try:
        tree = _load_file(path)
    except Exception as error:  # three parsers raise many types for a damaged file
        raise ValueError(f"{path.name} {_reading_problem(path, error)}") from error
    if not isinstance(tree, Mapping):
        raise ValueError(f"{path.name} holds a {type(tree).__name__}, not a state dict")
    state: StateDict = {}
    for parts, tensor in _tensors(tree):
        name = ".".join(without_wrappers(".".join(parts)))
        if name in state and not _same(state[name], tensor):
            raise ValueError(
                f"{path.name} holds two different tensors {name}, with and without a prefix of"
                " training wrappers: save one state dict per file"
            )
        state[name] = tensor
    return state


def read_safetensors(content: bytes, origin: str) -> StateDict:
    """Return the tensors of a safetensors file that a trial or an export has written.

    Raises: ValueError for other content, such as a file that is cut short. origin: its name there.
    """
    try:
        return load(content)
    except Exception as error:  # the parser raises its own types
        raise ValueError(f"{origin} is damaged ({error})") from error


def _load_file(path: Path) -> Any:
    if _is_safetensors(path):
        return load_file(path)
    with warnings.catch_warnings(), torch.serialization.safe_globals(SAFE_TYPES):
        warnings.simplefilter("ignore", UserWarning)  # pickles of a protocol that is not usual
        if _is_torchscript(path):
            # torch.jit is deprecated, and OpenAI's archives of 2021 have no other reader
            warnings.simplefilter("ignore", FutureWarning)
            return torch.jit.load(path, map_location="cpu").state_dict()  # type: ignore[no-untyped-call]
        with path.open("rb") as file:  # given a path, torch.load may go by its suffix
            return torch.load(file, map_location="cpu", weights_only=True)


def _is_safetensors(path: Path) -> bool:
    """Return whether a file begins as safetensors do: 8 bytes of a size, then JSON."""
    start = _start(path)
    is_named = path.suffix.lower() == ".safetensors" and not start.startswith(PICKLE_STARTS)
    return start[8:9] == b"{" or is_named


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(24)


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


def _reading_problem(path: Path, error: Exception) -> str:
    """Return the reason why a file cannot be read, and advice."""
    for start, problem in OTHER_CONTENTS:
        if _start(path).startswith(start):
            return problem
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


def _tensors(
    tree: Any, parts: tuple[str, ...] = (), within: tuple[int, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Tensor]]:
    """Yield the path of keys and the tensor for each tensor in nested dicts and lists.

    within: ids of the dicts and lists that hold the tree; one that holds itself is read once.
    """
    within = (*within, id(tree))
    for key, value in tree.items() if isinstance(tree, Mapping) else enumerate(tree):
        if isinstance(value, Tensor):
            yield (*parts, str(key)), value
        elif _is_nested(value) and len(parts) < MAX_DEPTH and id(value) not in within:
            yield from _tensors(value, (*parts, str(key)), within)


def _is_nested(value: Any) -> bool:
    return isinstance(value, (Mapping, list, tuple))


def without_wrappers(name: str) -> list[str]:
    """Return the parts of a dotted name without those that wrappers insert."""
    return [part for part in name.split(".") if part not in WRAPPERS]


def _same(first: Tensor, second: Tensor) -> bool:
    return first.shape == second.shape and torch.equal(first, second)
