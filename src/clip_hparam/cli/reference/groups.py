"""The groups of knobs in help pages, and their units.

A knob that is named nowhere here is in the group of the knob before it, in the order of the fields.
"""

GROUPS: dict[str, str] = {
    "optimisation": "how the weights are updated",
    "regularisation": "what keeps the model from overfitting, apart from augmentation",
    "augmentation": "how training images are changed",
    "model": "the encoder, its head, and what is trained",
    "data": "images, splits and evaluation sets",
    "machine": "where a trial runs; changes no number by intent",
    "driver": "how a sweep runs; changes no number of a trial",
}
"""Meaning of each group, in the order of the help page."""
FIRST_OF_GROUP = {
    "lr": "optimisation",
    "pool": "model",
    "crop_scale": "augmentation",
    "precision": "model",
    "seed": "optimisation",
    "encoder.name": "model",
    "data.name": "data",
    "machine.runs": "machine",
    "seeds": "driver",
}
"""Knobs at which a group begins."""
OUT_OF_ORDER = {
    "weight_decay": "regularisation",
    "drop_path": "regularisation",
    "label_smoothing": "regularisation",
    "mixup": "regularisation",
    "cutmix": "regularisation",
    "mix_pairs": "regularisation",
}
"""Knobs of another group than the fields around them."""
UNITS = {
    "warmup": "share of the run",
    "batch_size": "images",
    "epochs": "epochs",
    "ema_decay": "per step",
    "drop_path": "probability",
    "resolution": "px",
    "crop_scale": "share of the area",
    "hflip": "probability",
    "random_erasing": "probability",
    "label_smoothing": "share of the target",
    "data.shots": "images a class",
    "data.selection": "images a class, or share",
    "data.epoch_images": "images",
    "machine.threads": "threads",
    "machine.micro_batch": "images",
    "machine.loader_workers": "processes",
    "machine.rank_timeout": "s",
    "machine.checkpoint_seconds": "s",
    "budget": "time, as 30m",
    "workers": "trials",
    "gpus_per_trial": "processes",
    "retries": "attempts",
    "trials_per_job": "trials",
}
"""Units of knobs that have one."""
MEANINGS = {
    "machine.deterministic": "deterministic algorithms: the same bits each time, also on a"
    " GPU; slower",
    "seeds": "replicates of each cell: a number, or a list such as [0,1,2]",
    "dry_run": "print the plan, its predicted time and cost, and start nothing",
    "confirm": "allow trials that take GPU-hours each to start without a budget",
    "detach": "submit to Slurm and return; the same command follows the trials",
    "snapshot": "Slurm jobs run a copy of the code, so that you can edit it while they run",
    "name": "name of the sweep; without it: the sweep file's, or the swept knobs",
    "tags": "words by which status --tag WORD finds the sweep",
    "eval_sets": "sets beyond the test set, such as [glyphs,corruptions] or [NAME:FOLDER]",
    "tracker": "trackers that also receive the numbers of each trial, such as [tensorboard,wandb]",
    "replay": "train done trials again where a requested output is missing",
}
"""Meanings of options whose fields state none."""


def group_names(names: list[str]) -> dict[str, str]:
    """Return the group of each knob; `names` are in the order of the fields."""
    groups: dict[str, str] = {}
    current = next(iter(GROUPS))
    for name in names:
        current = FIRST_OF_GROUP.get(name, current)
        groups[name] = OUT_OF_ORDER.get(name, current)
    return groups
