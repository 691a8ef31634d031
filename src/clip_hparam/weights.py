"""Build an image tower with its weights."""

import torch
from open_clip.model import CLIPVisionCfg, _build_vision_tower
from open_clip.transformer import VisionTransformer

from clip_hparam import tiny
from clip_hparam.draws import stream
from clip_hparam.recipe import Encoder
from clip_hparam.towers import RANDOM, model_config


def build_tower(encoder: Encoder, seed: int = 0) -> VisionTransformer:
    """The tower with the weights that `encoder.pretrained` names; random ones depend on seed."""
    config = model_config(encoder.name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(stream(seed, 0, "tower").integers(2**62)))
        tower = tower_from(config)
    if encoder.pretrained != RANDOM:
        visual = {
            name.removeprefix("visual."): tensor.float()
            for name, tensor in tiny.state_dict().items()
            if name.startswith("visual.")
        }
        tower.load_state_dict(visual)
    return tower


def tower_from(config: dict) -> VisionTransformer:  # type: ignore[type-arg]
    """A tower of an open_clip config, freshly initialised."""
    vision = CLIPVisionCfg(**config["vision_cfg"])
    # the one place that knows how open_clip reads its own configs; there is no public name for it
    return _build_vision_tower(config["embed_dim"], vision, config.get("quick_gelu", False))
