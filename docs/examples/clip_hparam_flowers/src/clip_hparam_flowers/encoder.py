"""An encoder that brings its own weights: a ViT of two blocks.

The weights of this example are drawn from a seed. A real package reads them from a file and returns
the sha256 of the file, which becomes part of the id of each trial.
"""

import hashlib
import json
from typing import TYPE_CHECKING, Any

from clip_hparam.model.architectures import EncoderSpec

if TYPE_CHECKING:
    from torch import Tensor

SEED = 1
CONFIG: dict[str, Any] = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 16, "vocab_size": 64, "width": 32, "heads": 2, "layers": 1},
}


class SmallVit:
    """What clip_hparam.model.architectures.BundledClip asks for."""

    def model_config(self) -> dict[str, Any]:
        """Return open_clip's config of both towers."""
        return CONFIG

    def recorded_sha256(self) -> str:
        """Return the identity of the weights, 64 hex digits."""
        return hashlib.sha256(json.dumps([CONFIG, SEED]).encode()).hexdigest()

    def load_weights(self) -> "dict[str, Tensor]":
        """Return the parameters by open_clip's names; `visual.` prefixes the image tower."""
        import torch
        from open_clip import CLIP

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            return CLIP(**CONFIG).state_dict()

    def zero_shot_head(self, class_prompts: Any) -> "Tensor":
        """Return the head of head_init=zero_shot, which an encoder without a vocabulary lacks."""
        raise ValueError("small_vit has no text tower for prompts: try head_init=random")

    def zero_shot_accuracy(self, images: Any, labels: Any, class_prompts: Any) -> float:
        """Return the zero-shot accuracy, likewise; it is asked for with data sets of tiny CLIP."""
        return float("nan")


SMALL_VIT = EncoderSpec(bundled=SmallVit())
