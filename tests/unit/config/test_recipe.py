"""The identity of a recipe, and the legal values of its knobs."""

import hashlib
import json

import pytest

from clip_hparam.config.identity import canonical, identity, label, trial_id, with_missing_knobs
from clip_hparam.config.recipe import Recipe, flatten, knobs, with_values
from clip_hparam.planning.resolve import resolve

OPEN = with_values(Recipe(), {"data.selection": 10.0, "augment_backend": "timm"})
RESOLVED = resolve(OPEN)
CHANGES: dict[str, object] = {
    "rand_augment": "rand-m9-mstd0.5-inc1",
    "freeze": "first_2",
    "pool": "cls",
    "tune": "bias",
    "head_init": "zero_shot",
    "logit_scale": "trained",
    "interpolation": "bilinear",
    "precision": "bf16",
    "augment_backend": "tensor",
    "mix_pairs": "adjacent",
    "encoder.name": "ViT-B-32",
    "encoder.weights": "0" * 64,
    "encoder.pixels": "imagenet",
    "data.name": "folder",
    "data.fingerprint": "0" * 64,
    "data.prompts": "0" * 64,
    "data.selection": 5.0,
    "data.shift": "printed",
    "data.on_error": "skip",
}
BESIDE: dict[str, dict[str, object]] = {
    "lora_rank": {"tune": "lora"},
    "lora_alpha": {"tune": "lora"},
    "probe_l2": {"head_init": "linear_probe"},
    "logit_scale": {"head_init": "zero_shot"},
}
"""Values of other knobs that a knob needs to be legal."""
HASHED = [name for name, field in knobs().items() if field.metadata["hashed"]]
PLACES = [name for name in knobs() if name not in HASHED]


def another(name: str) -> object:
    """Return a legal value of a knob that differs from the one in RESOLVED."""
    value = flatten(RESOLVED)[name]
    if name in CHANGES:
        return CHANGES[name]
    if isinstance(value, int):
        return value + 1
    assert isinstance(value, float)
    return value / 2 if value else 0.25


@pytest.mark.parametrize("name", HASHED)
def test_every_hashed_knob_changes_the_id(name: str) -> None:
    before = with_values(RESOLVED, BESIDE.get(name, {}))
    assert trial_id(with_values(before, {name: another(name)})) != trial_id(before)


@pytest.mark.parametrize("name", PLACES)
def test_path_does_not_change_the_id(name: str) -> None:
    other = "classes" if name == "data.folders" else "elsewhere"
    assert trial_id(with_values(RESOLVED, {name: other})) == trial_id(RESOLVED)


def test_order_of_keys_does_not_change_the_id() -> None:
    values = {name: flatten(RESOLVED)[name] for name in reversed(list(knobs()))}
    assert trial_id(with_values(Recipe(), values)) == trial_id(RESOLVED)


def test_integer_has_the_id_of_the_equal_float() -> None:
    one, two = (with_values(RESOLVED, {"lr": lr, "cutmix": lr}) for lr in (1, 1.0))
    assert trial_id(one) == trial_id(two)


def test_canonical_recipe_is_json_without_paths() -> None:
    tree = json.loads(json.dumps(canonical(RESOLVED)))
    assert "root" not in tree["data"]
    assert "pretrained" not in tree["encoder"]
    assert tree["lr"] == RESOLVED.lr


def test_unresolved_recipe_has_no_id() -> None:
    with pytest.raises(ValueError, match="still auto"):
        trial_id(Recipe())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"layer_decay": 1.5}, r"layer_decay=1.5 is outside \(0, 1\]: .*try 0.65"),
        ({"layer_decay": float("nan")}, "outside"),
        ({"lr": float("inf")}, "outside"),
        ({"ema_decay": 1}, "outside"),
        ({"epochs": 2.5}, "not a whole number of"),
        ({"epochs": True}, "not a whole number of"),
        ({"pool": "avg"}, "not one of patch_mean, cls, clip"),
        ({"freeze": "first_0"}, "freeze=first_0 is not legal: try none, patch, backbone, or"),
        ({"ler": 1e-3}, "did you mean lr"),
        ({"data.shot": 5}, "did you mean data.shots"),
        (
            {"lora_rank": 4},
            "applies to low-rank updates, and tune=full has none: leave it at 8, or try",
        ),
        (
            {"tune": "bias", "lora_alpha": 4},
            "lora_alpha=4 applies to low-rank updates, and tune=bias",
        ),
        ({"probe_l2": 0.1}, "applies to the linear probe, and head_init=random has none"),
        ({"logit_scale": "fixed"}, "applies to a zero-shot head, .* try head_init=zero_shot"),
        (
            {"head_init": "linear_probe", "head_init_scale": 1},
            "head_init_scale=1 applies to a random",
        ),
        ({"tune": "lora", "freeze": "backbone"}, "leaves nothing of the tower for tune=lora: try"),
        ({"tune": "lora", "lora_rank": 0}, "lora_rank=0 is outside"),
    ],
)
def test_illegal_value_is_refused_with_the_legal_range(
    values: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        with_values(Recipe(), values)


def test_label_lists_differences_from_the_defaults_and_is_short() -> None:
    assert "lr=0.25" in label(with_values(RESOLVED, {"lr": 0.25}))
    many = {name: another(name) for name in ("lr", "epochs", "mixup", "cutmix", "beta1", "min_lr")}
    assert len(label(with_values(RESOLVED, many))) <= 60


def test_new_knob_at_its_old_value_keeps_the_id() -> None:
    tree = canonical(RESOLVED)
    assert tree.pop("tune") == "full"
    assert (tree.pop("lora_rank"), tree.pop("lora_alpha")) == (8, 16.0)
    assert (tree.pop("probe_l2"), tree.pop("logit_scale")) == (1e-4, "in_head")
    assert tree.pop("head_init") == "random"
    assert tree.pop("mix_pairs") == "mirrored"
    assert tree["encoder"].pop("pixels") == "clip"
    assert tree["data"].pop("shift") == "none"
    assert tree["data"].pop("on_error") == "raise"
    assert tree["data"].pop("prompts") == "default"
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"))
    assert trial_id(RESOLVED) == hashlib.sha256(text.encode()).hexdigest()[:12]
    assert trial_id(resolve(Recipe())) == "22a045417cdd", "its id when there was no such knob"


def test_old_record_gets_the_old_values_of_new_knobs() -> None:
    assert with_missing_knobs(identity(RESOLVED)) == canonical(RESOLVED)
    changed = canonical(with_values(RESOLVED, {"encoder.pixels": "imagenet"}))
    assert with_missing_knobs(changed) == changed
