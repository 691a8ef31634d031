"""Pre-train tiny CLIP: draw glyphs, train both towers with open_clip's loss, write the weights.

    python -m clip_hparam.model.tiny_clip.pretrain [--out DIR] [--steps N] [--seed 0]

All random numbers are a function of the seed. The bits of the weights also depend on THREADS, the
processor and the versions of torch, Pillow and matplotlib's fonts; the accuracies hardly do.
"""

import argparse
import math
import time
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import torch
from open_clip import CLIP
from open_clip.loss import ClipLoss
from safetensors.torch import save as to_bytes
from torch import Tensor
from torch.nn import functional as F

from clip_hparam.model.tiny_clip import glyphs
from clip_hparam.model.tiny_clip import model as tiny_clip
from clip_hparam.model.tiny_clip.pairs import ImageTextPairs, render_pairs, sample_batches
from clip_hparam.model.tiny_clip.typefaces import HELD_OUT_FACES
from clip_hparam.records.atomic import write_atomic

DEFAULT_STEPS = 3000
TRAIN_GLYPHS = 62 * 1000
THREADS = 1  # the bits depend on it; a second thread gains little
PEAK_LR = 2e-3
WARMUP_STEPS = 200  # optimizer steps
WEIGHT_DECAY = 0.1
MAX_LOGIT_SCALE = math.log(100)
HELD_OUT_SEED = 1_000_003  # seed of the held-out glyphs; training uses small seeds
HELD_OUT_GLYPHS = 62 * 32


def learning_rate(step: int, steps: int) -> float:
    """Return the lr of a step: linear warm-up from near 0, then half a cosine to 0."""
    warmup = min(WARMUP_STEPS, steps // 2)
    if step < warmup:
        return PEAK_LR * (step + 1) / (warmup + 1)
    return PEAK_LR * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))


def create_optimizer(model: CLIP) -> torch.optim.AdamW:
    """Create AdamW with CLIP's betas; gains, biases and embeddings have no weight decay."""
    members: dict[bool, list[Tensor]] = {True: [], False: []}
    for name, parameter in model.named_parameters():
        members[parameter.ndim > 1 and "embedding" not in name].append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": parameters, "weight_decay": WEIGHT_DECAY if decayed else 0.0}
        for decayed, parameters in members.items()
    ]
    return torch.optim.AdamW(groups, lr=PEAK_LR, betas=(0.9, 0.98))


def train(pairs: ImageTextPairs, steps: int, seed: int) -> CLIP:
    """Train a new model on the pairs; print a line every 100 steps."""
    torch.manual_seed(seed)
    model, loss_of = CLIP(**tiny_clip.model_config()), ClipLoss()
    optimizer, random = create_optimizer(model), torch.Generator().manual_seed(seed)
    started = time.monotonic()
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
            seconds = time.monotonic() - started
            print(f"step {step + 1}/{steps} loss {loss.item():.3f} {seconds:.0f} s", flush=True)
    return model.eval()


def held_out_accuracy(model: CLIP, count: int) -> float:
    """Return the zero-shot accuracy, in [0, 1], over 62 characters on glyphs of held-out faces."""
    pairs = render_pairs(HELD_OUT_SEED, count, HELD_OUT_FACES)
    images = tiny_clip.normalize(pairs.images)
    return tiny_clip.zero_shot_accuracy(images, pairs.classes, tiny_clip.CHARACTER_PROMPTS, model)


def digits_accuracy(model: CLIP) -> float:
    """Return the zero-shot accuracy on all 1,797 digits of scikit-learn, in [0, 1].

    The digits of 8 x 8 px are enlarged; their labels are used for the accuracy alone.
    """
    from sklearn.datasets import load_digits  # lazy: sklearn, 1 s

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
    """Write the weights and their sha256 in sha256sum's format; return the sha256."""
    content = to_bytes({name: tensor.contiguous() for name, tensor in model.state_dict().items()})
    digest, target = sha256(content).hexdigest(), folder / tiny_clip.WEIGHTS_FILE.name
    write_atomic(target, content)
    write_atomic(target.with_suffix(".sha256"), f"{digest}  {target.name}\n".encode())
    return digest


def parse_arguments() -> argparse.Namespace:
    """Parse and check the command line; exit with 2 and one sentence if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m clip_hparam.model.tiny_clip.pretrain", description=__doc__
    )
    parser.add_argument(
        "--out", type=Path, default=tiny_clip.WEIGHTS_FILE.parent, help="folder of weights"
    )
    parser.add_argument("--steps", type=int, default=DEFAULT_STEPS, help=f"default {DEFAULT_STEPS}")
    parser.add_argument("--seed", type=int, default=0, help="from 0, default 0")
    arguments = parser.parse_args()
    if arguments.steps < 1 or arguments.seed < 0:
        parser.exit(2, "--steps must be at least 1 and --seed at least 0: try --steps 100\n")
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=arguments.out):
            pass
    except OSError as error:
        parser.exit(
            2, f"cannot write to {arguments.out} ({error.strerror}): choose another --out\n"
        )
    return arguments


def main() -> None:
    """Render the glyphs, train, write the weights and print the accuracies."""
    arguments = parse_arguments()
    torch.set_num_threads(THREADS)
    print(f"drawing {TRAIN_GLYPHS} glyphs, a minute or two", flush=True)
    model = train(render_pairs(arguments.seed, TRAIN_GLYPHS), arguments.steps, arguments.seed)
    digest = publish_weights(model, arguments.out)
    print(
        f"zero-shot, 62 characters, held-out faces: {held_out_accuracy(model, HELD_OUT_GLYPHS):.1%}"
    )
    print(f"zero-shot, 10 digits, scikit-learn: {digits_accuracy(model):.1%}")
    print(f"sha256 {digest}  {arguments.out / tiny_clip.WEIGHTS_FILE.name}")


if __name__ == "__main__":
    main()
