"""What a forward pass on a GPU saves for the backward pass, counted on fake tensors."""

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from clip_hparam.model.architectures import model_config, patch_grid
from clip_hparam.model.classifier import Classifier, freeze
from clip_hparam.model.kernels.attention import SDPA
from clip_hparam.model.kernels.block import FUSED, use_fused_kernels
from clip_hparam.model.tower import create_tower
from clip_hparam.model.tuning.lora import add_lora

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
GPU = "cuda:0"
CLASSES = 1000


def saved_bytes_of_image(
    encoder: str,
    resolution: int,
    *,
    kernels: str,
    precision: str,
    what: str = "patch",
    pool: str = "patch_mean",
    activation_checkpointing: bool = False,
) -> float:
    """Return the bytes that one more image adds to the tensors that a forward pass saves.

    what: value of the knob freeze.
    """
    with FakeTensorMode(), _attention_of_a_gpu(precision):
        with torch.device(GPU):
            model = _model(encoder, resolution, what, pool)
        if kernels == FUSED:
            use_fused_kernels(model, SDPA)
        model.transformer.grad_checkpointing = activation_checkpointing
        two, four = (_saved_bytes(model, resolution, images, precision) for images in (2, 4))
        return (four - two) / 2


def _saved_bytes(model: Classifier, resolution: int, images: int, precision: str) -> int:
    weights = {parameter.untyped_storage()._cdata for parameter in model.parameters()}
    saved: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        saved[tensor.untyped_storage()._cdata] = tensor
        return tensor

    pixels = torch.empty(images, 3, resolution, resolution, device=GPU)
    targets = torch.empty(images, CLASSES, device=GPU)
    with (
        torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor),
        _autocast(precision),
    ):
        loss = F.cross_entropy(model(pixels), targets)
    assert loss.requires_grad
    storages = [tensor.untyped_storage() for key, tensor in saved.items() if key not in weights]
    return sum(storage.nbytes() for storage in storages)


@contextmanager
def _autocast(precision: str) -> Iterator[None]:
    """Turn autocast for GPUs on, which torch.autocast refuses where there is none."""
    dtype = DTYPES.get(precision)
    if dtype is None:
        yield
        return
    torch.set_autocast_enabled("cuda", True)
    torch.set_autocast_dtype("cuda", dtype)
    torch.autocast_increment_nesting()
    try:
        yield
    finally:
        torch.autocast_decrement_nesting()
        torch.clear_autocast_cache()
        torch.set_autocast_enabled("cuda", False)


@contextmanager
def _attention_of_a_gpu(precision: str) -> Iterator[None]:
    """Call the kernels of a GPU, in place of the products and softmax that fake tensors get."""

    def attend(queries: Tensor, keys: Tensor, values: Tensor, *_: Any, **__: Any) -> Tensor:
        aten = torch.ops.aten
        if precision in DTYPES:
            result = aten._scaled_dot_product_flash_attention(queries, keys, values)
        else:
            result = aten._scaled_dot_product_efficient_attention(queries, keys, values, None, True)
        first: Tensor = result[0]
        return first

    before = F.scaled_dot_product_attention
    F.scaled_dot_product_attention = attend
    try:
        yield
    finally:
        F.scaled_dot_product_attention = before


class _LiveBytes(TorchDispatchMode):
    """Counts the bytes of the storages that exist at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: dict[int, int] = {}
        self.now = self.peak = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self._count(tensor.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key not in self.sizes:
            self.sizes[key] = size
            self.now += size
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._free, key)

    def _free(self, key: int) -> None:
        self.now -= self.sizes.pop(key)


def peak_bytes_of_image(
    encoder: str, resolution: int, activation_checkpointing: bool = False, lora_rank: int = 0
) -> float:
    """Return the bytes that one more image adds to the peak of a step in fp32, fused kernels.

    lora_rank: of the updates of all matrices; 0: all weights are trained.
    """
    with FakeTensorMode():
        model = _model(encoder, resolution)
        use_fused_kernels(model, SDPA)
        if lora_rank:
            freeze(model, "patch", "lora")
            add_lora(model, "patch", lora_rank, 1.0, seed=0)
        model.transformer.grad_checkpointing = activation_checkpointing
        few, many = (_peak_bytes(model, resolution, images) for images in (64, 128))
        return (many - few) / 64


def _peak_bytes(model: Classifier, resolution: int, images: int) -> int:
    model.zero_grad()
    with _LiveBytes() as live:
        pixels = torch.empty(images, 3, resolution, resolution)
        F.cross_entropy(model(pixels), torch.empty(images, CLASSES)).backward()
    return live.peak


def _model(
    encoder: str, resolution: int, what: str = "patch", pool: str = "patch_mean"
) -> Classifier:
    model = Classifier(create_tower(model_config(encoder)), CLASSES, pool).train()
    tokens = 1 + patch_grid(resolution, int(model.conv1.kernel_size[0])) ** 2
    width = model.positional_embedding.shape[1]
    model.positional_embedding = nn.Parameter(torch.empty(tokens, width))
    freeze(model, what)
    return model
