"""The learning rate as a pure function of the optimiser step: linear warm-up, then half a cosine.

Source: FT-CLIP `utils.cosine_scheduler` (LightDXY/FT-CLIP at 3f9cefa). It gives all 143 epoch means
of the four published logs.
"""

import numpy as np
from numpy.typing import NDArray

EMA_HALF_LIFE = 0.11
"""Half-life of the published EMA as a share of the run: 3465 of 31250 steps (d = .9998)."""


def lr_schedule(lr: float, min_lr: float, steps: int, warmup_steps: int) -> NDArray[np.float64]:
    """Base learning rate at each optimiser step, shape (steps,), float64.

    The warm-up starts at exactly 0 and ends at `lr`; the cosine starts at `lr` again and would
    reach `min_lr` one step after the last. A parameter group multiplies the whole curve, `min_lr`
    included, by its own lr_scale.

    Raises ValueError if the warm-up does not leave a step to anneal.
    """
    if not 0 <= warmup_steps < steps:
        raise ValueError(
            f"warmup_steps={warmup_steps} must be at least 0 and less than steps={steps}"
        )
    warmup = np.linspace(0.0, lr, warmup_steps)
    progress = np.arange(steps - warmup_steps) / (steps - warmup_steps)
    annealing = min_lr + 0.5 * (lr - min_lr) * (1 + np.cos(np.pi * progress))
    return np.concatenate([warmup, annealing])


def ema_decay_for(steps: int) -> float:
    """Decay per optimiser step whose half-life is EMA_HALF_LIFE of a run of `steps`.

    The raw .9998 of the paper would leave a short run at its initial weights.
    """
    return float(0.5 ** (1 / (EMA_HALF_LIFE * steps)))
