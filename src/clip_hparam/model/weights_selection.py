"""Find the image towers in a state dict, wherever they are nested, and select one.

Names are open_clip's or timm's, below prefixes such as `state_dict`, `model_ema` and `visual`.
docs/weights.md has the table.
"""

import hashlib
import math
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from clip_hparam.config.text.override_words import format_override
from clip_hparam.model.timm_keys import to_open_clip_keys
from clip_hparam.model.weights_reader import StateDict, read_state_dict, without_wrappers

DEFAULT_KEYS = ("state_dict", "model")  # where open_clip's and FT-CLIP's files hold tensors
ANCHORS = (("class_embedding", "conv1.weight"), ("cls_token", "patch_embed.proj.weight"))
"""Names in open_clip and in timm by which a tower is found."""
EMA_PATTERN = re.compile(r"(^|[._])(ema|swa|avg|averaged?|shadow)([._]|$)")


@dataclass(frozen=True)
class TowerTensors:
    """The tensors of one image tower in a file.

    root: dotted prefix of the tower in the file, such as "state_dict.visual".
    visual: tensors by open_clip's names. beside: tensors of the same model by name, such as those
    of the text tower. is_default: whether the file alone, without a key, means this tower.
    others: keys of the other towers in the file. elsewhere: names of the tensors that belong to no
    tower, such as those of an optimizer.
    """

    root: str
    visual: StateDict
    beside: StateDict
    is_default: bool
    others: tuple[str, ...]
    elsewhere: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The KEY that names this tower in FILE:KEY; "" for tensors without a prefix."""
        return _key_of(self.root)

    @property
    def grid(self) -> int:
        """Patches along a side of the square image of the positional embedding; 0 without one."""
        return math.isqrt(max(len(self.visual.get("positional_embedding", ())) - 1, 0))

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
    wanted = ".".join(without_wrappers(key))
    matching = [root for root in roots if not wanted or f"{root}.".startswith(f"{wanted}.")]
    default = _default_root(roots)
    root = default if default in matching and not wanted else _default_root(matching)
    if root is None:
        problem = f"has no weights under {key}" if not matching else "holds several sets of weights"
        raise ValueError(f"{path.name} {problem}: try {_advice(path, roots)}")
    visual = to_open_clip_keys(_below(state, root))
    model = _without_last(root, "visual")
    beside = {} if model == root else _below(state, model)
    beside = {name: tensor for name, tensor in beside.items() if not name.startswith("visual.")}
    others = tuple(_key_of(other) for other in roots if other != root)
    models = tuple(f"{_without_last(other, 'visual')}.".lstrip(".") for other in roots)
    elsewhere = tuple(name for name in state if not name.startswith(models))
    return TowerTensors(root, visual, beside, root == default, others, elsewhere)


def _advice(path: Path, roots: list[str]) -> str:
    """Return an override for the first tower, as a word of a shell, and the keys of the others."""
    first, *others = [key for root in roots if (key := _key_of(root))] or [""]
    word = format_override("encoder.pretrained", f"{path}:{first}" if first else str(path))
    return " or ".join([shlex.quote(word), *(f":{key}" for key in others)])


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
