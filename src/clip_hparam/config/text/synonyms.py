"""Names that other tools have for our knobs; the message about an unknown key uses them."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from clip_hparam.config.knob import close_names

SYNONYMS: dict[str, tuple[str, ...]] = {
    "lr": (
        *("learning_rate", "base_lr", "peak_lr", "max_lr", "init_lr", "lrate", "blr", "eta"),
        "step_size",
    ),
    "min_lr": ("lr_min", "eta_min", "final_lr", "min_learning_rate", "end_lr"),
    "warmup": ("warmup_epochs", "warmup_steps", "warmup_ratio", "warmup_fraction", "warmup_length"),
    "layer_decay": ("llrd", "lr_decay", "layerwise_decay", "layerwise_lr_decay", "layer_lr_decay"),
    "weight_decay": ("wd", "weight-decay", "l2", "adamw_wd"),
    "beta1": ("momentum", "b1", "adam_beta1"),
    "beta2": ("b2", "adam_beta2"),
    "eps": ("epsilon", "adam_epsilon", "opt_eps"),
    "clip_grad": (
        "grad_clip",
        "clip_grad_norm",
        "max_grad_norm",
        "grad_clip_norm",
        "gradient_clipping",
    ),
    "batch_size": ("bs", "batch", "batch-size", "train_batch_size", "minibatch", "bsz"),
    "epochs": ("num_epochs", "n_epochs", "max_epochs", "epoch", "ep", "num_train_epochs"),
    "ema_decay": ("ema", "model_ema", "model_ema_decay", "ema_momentum", "polyak", "swa_decay"),
    "pool": ("pooling", "global_pool", "pooling_type"),
    "freeze": ("frozen", "freeze_layers", "lock_image", "unfreeze"),
    "drop_path": ("dp", "drop-path", "drop_path_rate", "stochastic_depth", "dropout", "drop_rate"),
    "tune": ("peft", "finetune", "adapter", "tuning"),
    "lora_rank": ("lora_r", "rank"),
    "lora_alpha": ("lora_scale", "lora-alpha"),
    "head_init": ("head_initialization", "zero_shot_init", "lp_ft"),
    "probe_l2": ("probe_decay", "probe_wd", "probe_c"),
    "logit_scale": ("temperature", "logit-scale"),
    "head_init_scale": ("head_scale", "init_scale", "head_init_std"),
    "resolution": ("img_size", "image_size", "input_size", "res", "im_size", "px"),
    "crop_scale": ("scale", "rrc_scale", "min_crop", "crop_size", "min_crop_scale"),
    "hflip": ("flip", "horizontal_flip", "flip_rate", "flip_prob"),
    "rand_augment": ("randaug", "randaugment", "aa", "autoaugment", "ra", "augment", "aug"),
    "color_jitter": ("colour_jitter", "jitter", "cj"),
    "random_erasing": ("reprob", "erasing", "random_erase", "rand_erase", "cutout"),
    "mixup": ("mixup_alpha", "mix"),
    "cutmix": ("cutmix_alpha",),
    "label_smoothing": ("ls", "smoothing", "label_smooth", "smooth"),
    "interpolation": ("train_interpolation", "resample"),
    "precision": ("amp", "dtype", "fp16", "bf16", "mixed_precision", "autocast"),
    "seed": ("random_seed", "rng_seed", "manual_seed"),
    "seeds": ("n_seeds", "num_seeds", "replicates", "repeats", "runs_per_cell"),
    "encoder.name": ("model", "arch", "architecture", "model_name", "backbone", "network", "net"),
    "encoder.pretrained": ("pretrained", "checkpoint", "ckpt", "weights", "init", "resume"),
    "data.name": ("dataset", "dataset_name"),
    "data.root": ("data_dir", "data_path", "root", "dataset_dir", "image_dir", "path", "data_root"),
    "data.subset": ("classes", "class_list", "class_subset", "imagenet100", "in100"),
    "data.shots": ("shots", "n_shots", "k_shot", "few_shot", "images_per_class", "shot"),
    "data.selection": ("val", "val_size", "val_fraction", "validation", "val_split", "holdout"),
    "data.epoch_images": ("epoch_size", "samples_per_epoch", "train_num_samples"),
    "machine.runs": ("output_dir", "out_dir", "save_dir", "log_dir", "output", "work_dir"),
    "machine.device": ("gpu", "cuda", "accelerator"),
    "machine.loader_workers": ("num_workers", "n_workers", "dataloader_workers"),
    "machine.micro_batch": (
        "grad_accum",
        "accum_steps",
        "gradient_accumulation_steps",
        "micro_batch",
    ),
    "workers": ("n_jobs", "parallel", "jobs", "nproc"),
    "budget": ("max_time", "time_limit", "timeout"),
    "dry_run": ("dry-run", "plan", "preview"),
    "keep_checkpoints": (
        "save_checkpoints",
        "save_model",
        "save_checkpoint",
        "save_weights",
        "save",
    ),
    "tracker": ("trackers", "logger", "loggers", "report_to", "log_to", "use_wandb"),
    "gpus_per_trial": ("n_gpus", "gpus", "num_gpus", "world_size"),
}
"""Known names by knob, as other tools spell them; separators and case do not count."""
SEVERAL = {
    "decay": ("weight_decay", "layer_decay", "ema_decay"),
    "augmentation": ("rand_augment", "mixup", "augment_backend"),
    "betas": ("beta1", "beta2"),
}
"""Names that may mean each of several knobs."""
LOSS = (
    "the loss is cross-entropy, which label_smoothing, mixup and cutmix change; docs/methods.md"
    " says why there is no loss=contrastive (FLYP)"
)
ABSENT = dict.fromkeys(("loss", "lossfn", "lossname", "criterion", "contrastive", "flyp"), LOSS)
"""Names of what is no knob, with what there is instead."""


GROUPS = ("recipe", "data", "encoder", "machine", "family", "sweeps")
"""Words before `=` that choose a file, and are no knobs."""


def suggest_key(name: str, known: Iterable[str]) -> str:
    """Return the end of the sentence about an unknown key: the keys that may be meant.

    known: all legal keys, dotted.
    """
    if _plain(name) in ABSENT:
        return ABSENT[_plain(name)]
    names = sorted(known)
    meant = (
        _same_key(name, names)
        or ([] if "." in name else get_close_matches(name, GROUPS, n=1, cutoff=0.8))
        or close_names(name, names)
        or _of_its_node(name, names)
    )
    return f"did you mean {' or '.join(meant)}?" if meant else "--help lists the knobs"


def _same_key(name: str, known: list[str]) -> list[str]:
    """Return the keys that have `name`, or its last part, as another spelling or a synonym."""
    for text in (name, re.split(r"[./]", name)[-1]):
        plain = _plain(text)
        leaf = [key for key in known if _plain(key) == plain or _plain(_leaf(key)) == plain]
        synonyms = [key for key, others in SYNONYMS.items() if plain in map(_plain, others)]
        keys = leaf or [key for key in (*synonyms, *SEVERAL.get(plain, ())) if key in known]
        if keys:
            return keys
    return []


def _of_its_node(name: str, known: list[str]) -> list[str]:
    """Return all keys of the node that `name` names, such as those of machine for machine.x."""
    node, dot, leaf = name.rpartition(".")
    if not dot:
        return []
    return close_names(leaf, [key for key in known if "." not in key]) or [
        key for key in known if key.startswith(f"{node}.")
    ]


def _leaf(key: str) -> str:
    return key.rpartition(".")[2]


def _plain(name: str) -> str:
    return re.sub(r"[-_. ]", "", name).lower()
