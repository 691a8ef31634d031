"""Classifier on a CLIP image tower: pooling, head, freezing, drop-path, resolution.

As in FT-CLIP, tokens come from open_clip's VisionTransformer, `fc_norm` and `head` replace
`ln_post` and `proj`, and patch tokens are normalised before they are averaged. Parameter names are
those of the official code.
Source: `models/finetune_clip.py` of LightDXY/FT-CLIP at 3f9cefa.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from open_clip.transformer import VisionTransformer
from torch import Tensor, nn

from clip_hparam.model.architectures import patch_grid
from clip_hparam.model.depth import drop_path_rates
from clip_hparam.model.trained import trained_predicate
from clip_hparam.rng import stream

HEAD_INIT_STD = 0.02


class DropPath(nn.Module):
    """Stochastic depth: drops a residual branch for single images.

    rate: probability to drop, in [0, 1); a tensor where blocks share a compiled graph.
    draws: uniform numbers in [0, 1), float32, shape (b,); the training loop sets them before each
        forward pass, so that a mask is a function of (seed, epoch, index). None: no image is
        dropped.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate: float | Tensor = rate
        self.draws: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Return x, shape (b, tokens, width), zeroed for dropped images, else / (1 - rate)."""
        if not self.training or self.draws is None:
            return x
        keep = (self.draws >= self.rate).to(x.dtype) / (1 - self.rate)
        return x * keep[:, None, None]


class Classifier(nn.Module):
    """Image tower with a linear head.

    pool: "patch_mean", "cls" or "clip", the features that the head reads.
    """

    def __init__(self, tower: VisionTransformer, classes: int, pool: str = "patch_mean") -> None:
        super().__init__()
        self.pool = pool
        self.conv1, self.ln_pre, self.transformer = tower.conv1, tower.ln_pre, tower.transformer
        self.class_embedding = tower.class_embedding
        self.positional_embedding = tower.positional_embedding
        width: int = tower.conv1.out_channels
        if pool == "clip":
            self.ln_post, self.proj = tower.ln_post, tower.proj
            width = tower.proj.shape[1]
        else:
            self.fc_norm = nn.LayerNorm(width, eps=1e-5)
        self.head = nn.Linear(width, classes)

    @property
    def blocks(self) -> nn.ModuleList:
        blocks: nn.ModuleList = self.transformer.resblocks
        return blocks

    @property
    def drop_paths(self) -> list[DropPath]:
        return [module for module in self.modules() if isinstance(module, DropPath)]

    def forward(self, images: Tensor) -> Tensor:
        """Return logits, (b, classes), of normalised images, float32, (b, 3, r, r)."""
        logits: Tensor = self.head(self.features(self.tokens(images)))
        return logits

    def tokens(self, images: Tensor) -> Tensor:
        """Return class and patch tokens after the last block, shape (b, 1 + patches, width)."""
        patches = self.conv1(images).flatten(2).transpose(1, 2)
        cls = self.class_embedding.to(patches.dtype).expand(len(images), 1, -1)
        x = torch.cat([cls, patches], dim=1) + self.positional_embedding.to(patches.dtype)
        tokens: Tensor = self.transformer(self.ln_pre(x))
        return tokens

    def features(self, tokens: Tensor) -> Tensor:
        """Return the input of the head, shape (b, width); (b, embed_dim) with pool=clip."""
        if self.pool == "patch_mean":
            normed: Tensor = self.fc_norm(tokens[:, 1:])
            return normed.mean(dim=1)
        if self.pool == "cls":
            cls: Tensor = self.fc_norm(tokens[:, 0])
            return cls
        return F.normalize(self.ln_post(tokens[:, 0]) @ self.proj, dim=-1)


def resize_pos_embed(positions: Tensor, grid: int) -> Tensor:
    """Return the positional embedding for grid x grid patches; the row of the class token is kept.

    positions: shape (1 + old * old, width); the result has shape (1 + grid * grid, width).
    The kernel is bicubic without antialias. open_clip and timm resize with antialias, which differs
    also for enlarging (8 % on a random 14 -> 24 grid).
    """
    old = round((len(positions) - 1) ** 0.5)
    if old == grid:
        return positions
    square = positions[1:].T.reshape(1, -1, old, old)
    resized = F.interpolate(square, (grid, grid), mode="bicubic", align_corners=False)
    return torch.cat([positions[:1], resized.flatten(2)[0].T])


def set_resolution(model: Classifier, resolution: int) -> None:
    """Resize the positional embedding for square images of `resolution` px.

    Raises: ValueError if the patch size does not divide the resolution.
    """
    grid = patch_grid(resolution, int(model.conv1.kernel_size[0]))
    with torch.no_grad():
        resized = resize_pos_embed(model.positional_embedding, grid)
    model.positional_embedding = nn.Parameter(resized)


def set_drop_path(model: Classifier, rate: float) -> None:
    """Add stochastic depth to both branches of each block, linear from 0 to `rate`."""
    for block, block_rate in zip(
        model.blocks, drop_path_rates(rate, len(model.blocks)), strict=True
    ):
        if block_rate > 0:
            for branch in ("ls_1", "ls_2"):  # last module of a branch: identity or layer scale
                end = block.get_submodule(branch)
                setattr(block, branch, nn.Sequential(end, DropPath(block_rate)))


def set_head(model: Classifier, weights: Tensor, bias: Tensor | None = None) -> None:
    """Set the weights of the head, shape (classes, width), and its bias; None: 0."""
    with torch.no_grad():
        model.head.weight.copy_(weights)
        model.head.bias.zero_() if bias is None else model.head.bias.copy_(bias)


def init_head(model: Classifier, scale: float, seed: int) -> None:
    """Initialise the head as FT-CLIP: normal of sd 0.02 and torch's default bias, times `scale`."""
    generator = torch.Generator().manual_seed(int(stream(seed, 0, "head").integers(2**62)))
    bound = model.head.in_features**-0.5
    with torch.no_grad():
        nn.init.trunc_normal_(model.head.weight, std=HEAD_INIT_STD, generator=generator).mul_(scale)
        nn.init.uniform_(model.head.bias, -bound, bound, generator=generator).mul_(scale)


def freeze(model: Classifier, frozen: str, tune: str = "full") -> None:
    """Set requires_grad of each parameter as `trained.trained_predicate` says.

    Raises: ValueError as `depth.frozen_predicate` does.
    """
    is_trained = trained_predicate(frozen, tune, len(model.blocks))
    for name, parameter in model.named_parameters():
        parameter.requires_grad = is_trained(name)


def count_parameters(model: nn.Module) -> Mapping[str, int]:
    """Return the numbers of "trainable" and of "frozen" parameters."""
    sizes = [(p.requires_grad, p.numel()) for p in model.parameters()]
    return {
        "trainable": sum(size for trainable, size in sizes if trainable),
        "frozen": sum(size for trainable, size in sizes if not trainable),
    }
