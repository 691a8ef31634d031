"""Registry of encoders: their open_clip config, the shape of the image tower, bundled weights.

Imports neither torch nor open_clip: open_clip has a JSON file for each architecture, which is read
in a millisecond, while importing open_clip takes 3 s.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from clip_hparam.config.entry_points import ENCODER_GROUP, load_entry_points
from clip_hparam.config.knob import suggest
from clip_hparam.config.recipe import Encoder
from clip_hparam.model.tiny_clip import model as tiny_clip
from clip_hparam.model.tiny_clip.captions import CHARACTERS, tokenize

if TYPE_CHECKING:
    from torch import Tensor

TINY = "tiny"
RANDOM = "random"
TIMM_VITS = {"vit_large_patch14_clip_224": {"layers": 24, "width": 1024, "patch_size": 14}}
"""timm's names of networks with the same parameters as open_clip's VisionTransformer."""
ENCODER_HINT = "try ViT-B-16-quickgelu"


class BundledClip(Protocol):
    """Module of a CLIP whose weights are installed with the package."""

    def model_config(self) -> dict[str, Any]:
        """Return open_clip's config: embed_dim, vision_cfg, text_cfg."""

    def recorded_sha256(self) -> str:
        """Return the sha256 of the weights in hex."""

    def load_weights(self) -> "dict[str, Tensor]":
        """Return all parameters by open_clip's names."""

    def zero_shot_head(self, class_prompts: Iterable[list[str]]) -> "Tensor":
        """Return the unit text embedding of each class times the logit scale."""

    def zero_shot_accuracy(
        self, images: "Tensor", labels: "Tensor", class_prompts: Iterable[list[str]]
    ) -> float:
        """Return the zero-shot accuracy on normalised images, in [0, 1]."""


@dataclass(frozen=True)
class EncoderSpec:
    """Facts about an encoder beyond its config.

    bundled: weights and text tower from the package; None: from a file or an open_clip tag.
    threads: CPU threads of its trials; None: `machine.threads`.
    prompts: zero-shot prompts of a class name; None: those of the data set.
    class_names: class names that `prompts` accepts; None: any.
    tokenize: raises ValueError for a prompt with a word that the text tower does not know; None:
        it knows all.
    """

    bundled: BundledClip | None = None
    threads: int | None = None
    prompts: Callable[[str], list[str]] | None = None
    class_names: Collection[str] | None = None
    tokenize: Callable[[str], object] | None = None


BUNDLED_ENCODERS: dict[str, EncoderSpec] = {
    TINY: EncoderSpec(
        bundled=tiny_clip,
        threads=1,
        prompts=tiny_clip.scan_prompts,
        class_names=frozenset(CHARACTERS),
        tokenize=tokenize,
    )
}
"""By the name that `encoder.name` and `encoder.pretrained` take; other names are open_clip's."""


@dataclass(frozen=True)
class TowerShape:
    """Shape of an image tower.

    resolution, patch: native resolution and patch size in px.
    width: of a token. blocks: number of transformer blocks.
    projects_cls: whether CLIP reads the class token through ln_post and proj, as pool=clip does;
        some towers average the patches or attend over them.
    """

    resolution: int
    patch: int
    width: int
    blocks: int
    projects_cls: bool


def encoder_spec(name: str) -> EncoderSpec:
    """Return the facts about an encoder; those of an open_clip architecture are the defaults."""
    if name in BUNDLED_ENCODERS:
        return BUNDLED_ENCODERS[name]
    return _installed_encoders().get(name, EncoderSpec())


@cache
def _installed_encoders() -> dict[str, EncoderSpec]:
    """Return the encoders of other installed packages, which bring their weights."""
    return load_entry_points(
        ENCODER_GROUP,
        lambda value: isinstance(value, EncoderSpec) and value.bundled is not None,
        "a clip_hparam.model.architectures.EncoderSpec with `bundled`",
        frozenset(BUNDLED_ENCODERS),
    )


def bundled_clip(encoder: Encoder) -> BundledClip | None:
    """Return the bundled CLIP whose weights `encoder.pretrained` names, or None.

    Raises: ValueError if these are not weights of `encoder.name`.
    """
    bundled = encoder_spec(encoder.pretrained).bundled
    if bundled is not None and encoder.name != encoder.pretrained:
        raise ValueError(
            f"encoder.pretrained={encoder.pretrained} does not fit encoder.name={encoder.name}:"
            " try encoder.pretrained=random, or a local file"
        )
    return bundled


def model_config(name: str) -> dict[str, Any]:
    """Return open_clip's config of an architecture: embed_dim, vision_cfg, text_cfg.

    A network of TIMM_VITS gets the config of the equivalent VisionTransformer.

    Raises: ValueError for an unknown name, with similar ones.
    """
    config = _published_config(name)
    vision = config["vision_cfg"]
    plain = TIMM_VITS.get(vision.get("timm_model_name"))
    return (
        {**config, "vision_cfg": {"image_size": vision["image_size"], **plain}} if plain else config
    )


def shape_of(name: str) -> TowerShape:
    """Return the shape of an image tower.

    Raises: ValueError for a tower that is not a ViT with a class token, with the reason.
    """
    vision = model_config(name)["vision_cfg"]
    reason = _rejection_reason(vision)
    if reason:
        raise ValueError(f"encoder.name={name} {reason}: {ENCODER_HINT}")
    return TowerShape(
        resolution=vision["image_size"],
        patch=vision["patch_size"],
        width=vision["width"],
        blocks=vision["layers"],
        projects_cls=_projects_cls(_published_config(name)["vision_cfg"]),
    )


def patch_grid(resolution: int, patch: int) -> int:
    """Return the number of patches along a side of the image.

    Raises: ValueError if the patch size does not divide the resolution.
    """
    if resolution % patch:
        nearest = max(patch, round(resolution / patch) * patch)
        raise ValueError(
            f"resolution={resolution} is not a multiple of the patch size {patch}: try {nearest}"
        )
    return resolution // patch


def architecture_names() -> Iterator[str]:
    """Yield the legal values of `encoder.name`: those of packages, then open_clip's, sorted."""
    yield from BUNDLED_ENCODERS
    yield from _installed_encoders()
    for name in _config_files():
        if not _rejection_reason(model_config(name)["vision_cfg"]):
            yield name


def _published_config(name: str) -> dict[str, Any]:
    bundled = encoder_spec(name).bundled
    if bundled is not None:
        return bundled.model_config()
    files = _config_files()
    if name not in files:
        raise ValueError(f"unknown encoder.name={name}: {suggest(name, architecture_names())}")
    config: dict[str, Any] = json.loads(files[name].read_text())
    return config


def _projects_cls(vision: dict[str, Any]) -> bool:
    """Return whether CLIP projects the class token without a bias, which timm's projection has."""
    pools_cls = vision.get("pool_type", "tok") == "tok" and not vision.get("attentional_pool")
    return pools_cls and "timm_model_name" not in vision


def _rejection_reason(vision: dict[str, Any]) -> str:
    """Return why a config is not a ViT with a class token, or an empty string if it is."""
    if "timm_model_name" in vision:
        return f"is timm's {vision['timm_model_name']}, which is not a plain ViT with a class token"
    if not isinstance(vision.get("layers"), int):
        return "is a ResNet, not a ViT"
    return ""


@cache
def _config_files() -> dict[str, Path]:
    spec = find_spec("open_clip")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("open_clip is not installed: pip install open_clip_torch")
    folder = Path(spec.submodule_search_locations[0]) / "model_configs"
    return {path.stem: path for path in sorted(folder.glob("*.json"))}
