"""Knobs for tests of resuming: each draws a random number, or keeps a state from step to step."""

STATEFUL_KNOBS = {
    "data.selection": 5.0,
    "lr": 3e-3,
    "layer_decay": 0.7,
    "ema_decay": 0.8,
    "drop_path": 0.2,
    "clip_grad": 1.0,
    "mixup": 0.8,
    "cutmix": 1.0,
    "random_erasing": 0.25,
}
