"""Makes tiny CLIP: draws glyphs, trains both towers with open_clip's loss, publishes the weights.

    python -m clip_hparam.model.tiny_clip.pretrain [--out DIR] [--steps N] [--seed 0]

Everything drawn is a function of the seed. The bits also depend on the thread count, the processor
and the versions of torch, Pillow and matplotlib's fonts; the accuracies hardly do.
"""

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import torch
from open_clip import CLIP
from open_clip.loss import ClipLoss
from safetensors.torch import save as to_bytes
from torch import Tensor
from torch.nn import functional as F

from clip_hparam.model.tiny_clip import glyphs
from clip_hparam.model.tiny_clip import model as tiny_clip
from clip_hparam.model.tiny_clip.captions import CHARACTERS, captions, tokenize
from clip_hparam.model.tiny_clip.typefaces import HELD_OUT_FACES, TRAIN_FACES, Face
from clip_hparam.records.atomic import write_atomic

DEFAULT_STEPS = 3000
TRAIN_GLYPHS = 62 * 1000
THREADS = 1  # the bits depend on it; a second one gains little, and loses on a busy machine
BATCH_SIZE = 256
PEAK_LR = 2e-3
WARMUP_STEPS = 200  # optimiser steps
WEIGHT_DECAY = 0.1
MAX_LOGIT_SCALE = math.log(100)
HELD_OUT_SEED = 1_000_003  # of the held-out glyphs, far from the seeds of training
HELD_OUT_GLYPHS = 62 * 32


@dataclass(frozen=True)
class ImageTextPairs:
    """Images uint8 (N, 3, 32, 32), their captions' tokens uint8 (N, captions, context), classes."""

    images: Tensor
    tokens: Tensor
    classes: Tensor


def render_pairs(seed: int, count: int, faces: tuple[Face, ...] = TRAIN_FACES) -> ImageTextPairs:
    """The first `count` glyphs of a seed with all their captions, about 1 ms each."""
    images = np.empty((count, glyphs.GLYPH_SIZE, glyphs.GLYPH_SIZE, 3), np.uint8)
    tokens = []
    for index in range(count):
        glyph = glyphs.render_glyph(seed, index, faces)
        images[index] = glyph.image
        tokens.append([tokenize(text) for text in captions(glyph.character, glyph.style)])
    return ImageTextPairs(
        torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(),
        torch.from_numpy(np.array(tokens, np.uint8)),
        torch.arange(count) % len(CHARACTERS),
    )


def sample_batches(
    pairs: ImageTextPairs, steps: int, random: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Augmented normalised images with one caption each, drawn anew every time."""
    count, phrasings, _ = pairs.tokens.shape
    for _ in range(steps):
        index = torch.randint(count, (BATCH_SIZE,), generator=random)
        phrasing = torch.randint(phrasings, (BATCH_SIZE,), generator=random)
        images = augment(pairs.images[index].float() / 255, random)
        yield tiny_clip.normalize(images), pairs.tokens[index, phrasing].long()


def augment(images: Tensor, random: torch.Generator) -> Tensor:
    """Pixels in [0, 1], each image turned, scaled, moved (up to 1.5 px) and made noisy a little."""
    count = len(images)
    angle, scale, across, down, noise = torch.rand(5, count, generator=random) * 2 - 1
    turn, size = angle * 0.12, 1 + scale * 0.08
    cos, sin, reach = turn.cos() * size, turn.sin() * size, 1.5 * 2 / glyphs.GLYPH_SIZE
    rows = (cos, -sin, across * reach, sin, cos, down * reach)
    grid = F.affine_grid(torch.stack(rows, 1).view(count, 2, 3), list(images.shape), False)
    moved = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    spread = noise.abs().view(-1, 1, 1, 1) * 0.05
    noisy: Tensor = moved + spread * torch.randn(images.shape, generator=random)
    return noisy.clamp(0, 1)


def learning_rate(step: int, steps: int) -> float:
    """Linear warm-up from near 0, then half a cosine down to 0."""
    warmup = min(WARMUP_STEPS, steps // 2)
    if step < warmup:
        return PEAK_LR * (step + 1) / (warmup + 1)
    return PEAK_LR * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))


def create_optimizer(model: CLIP) -> torch.optim.AdamW:
    """AdamW with CLIP's betas; matrices decay, gains, biases and embeddings do not."""
    members: dict[bool, list[Tensor]] = {True: [], False: []}
    for name, parameter in model.named_parameters():
        members[parameter.ndim > 1 and "embedding" not in name].append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": parameters, "weight_decay": WEIGHT_DECAY if decayed else 0.0}
        for decayed, parameters in members.items()
    ]
    return torch.optim.AdamW(groups, lr=PEAK_LR, betas=(0.9, 0.98))


def train(pairs: ImageTextPairs, steps: int, seed: int) -> CLIP:
    """A new model trained on the pairs; prints a line every 100 steps."""
    torch.manual_seed(seed)
    model, loss_of = CLIP(**tiny_clip.model_config()), ClipLoss()
    optimizer, random = create_optimizer(model), torch.Generator().manual_seed(seed)
    began = time.monotonic()
    for step, (images, tokens) in enumerate(sample_batches(pairs, steps, random)):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps)
        loss = loss_of(*model(images, tokens))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, MAX_LOGIT_SCALE)
        if (step + 1) % 100 == 0 or step + 1 == steps:
            seconds = time.monotonic() - began
            print(f"step {step + 1}/{steps} loss {loss.item():.3f} {seconds:.0f} s", flush=True)
    return model.eval()


def held_out_accuracy(model: CLIP, count: int) -> float:
    """Zero-shot over the 62 characters, on glyphs of the faces kept out of training."""
    pairs = render_pairs(HELD_OUT_SEED, count, HELD_OUT_FACES)
    images = tiny_clip.normalize(pairs.images)
    return tiny_clip.zero_shot_accuracy(images, pairs.classes, tiny_clip.CHARACTER_PROMPTS, model)


def digits_accuracy(model: CLIP) -> float:
    """Zero-shot on all 1,797 scikit-learn digits, 8 x 8 up-sampled; their labels only score."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    grey = torch.from_numpy(digits.images).float()[:, None] / 16
    big = (
        F.interpolate(grey, size=glyphs.GLYPH_SIZE, mode="bicubic")
        .clamp(0, 1)
        .expand(-1, 3, -1, -1)
    )
    labels = torch.from_numpy(digits.target)
    return tiny_clip.zero_shot_accuracy(
        tiny_clip.normalize(big), labels, tiny_clip.DIGIT_PROMPTS, model
    )


def publish_weights(model: CLIP, folder: Path) -> str:
    """Writes the weights, then their sha256 in sha256sum's format; returns the sha256."""
    content = to_bytes({name: tensor.contiguous() for name, tensor in model.state_dict().items()})
    digest, target = sha256(content).hexdigest(), folder / tiny_clip.WEIGHTS_FILE.name
    write_atomic(target, content)
    write_atomic(target.with_suffix(".sha256"), f"{digest}  {target.name}\n".encode())
    return digest


def parse_arguments() -> argparse.Namespace:
    """The command line, refused in one sentence before minutes of training are spent."""
    parser = argparse.ArgumentParser(
        prog="python -m clip_hparam.model.tiny_clip.pretrain", description=__doc__
    )
    parser.add_argument(
        "--out", type=Path, default=tiny_clip.WEIGHTS_FILE.parent, help="folder of weights"
    )
    parser.add_argument("--steps", type=int, default=DEFAULT_STEPS, help=f"default {DEFAULT_STEPS}")
    parser.add_argument("--seed", type=int, default=0, help="from 0, default 0")
    wanted = parser.parse_args()
    if wanted.steps < 1 or wanted.seed < 0:
        parser.exit(2, "--steps must be at least 1 and --seed at least 0: try --steps 100\n")
    try:
        wanted.out.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=wanted.out):
            pass
    except OSError as error:
        parser.exit(2, f"cannot write to {wanted.out} ({error.strerror}): choose another --out\n")
    return wanted


def main() -> None:
    """Draw, train, publish, evaluate."""
    wanted = parse_arguments()
    torch.set_num_threads(THREADS)
    print(f"drawing {TRAIN_GLYPHS} glyphs, a minute or two", flush=True)
    model = train(render_pairs(wanted.seed, TRAIN_GLYPHS), wanted.steps, wanted.seed)
    digest = publish_weights(model, wanted.out)
    print(
        f"zero-shot, 62 characters, held-out faces: {held_out_accuracy(model, HELD_OUT_GLYPHS):.1%}"
    )
    print(f"zero-shot, 10 digits, scikit-learn: {digits_accuracy(model):.1%}")
    print(f"sha256 {digest}  {wanted.out / tiny_clip.WEIGHTS_FILE.name}")


if __name__ == "__main__":
    main()
