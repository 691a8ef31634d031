"""Operations and magnitudes of a RandAugment string, as timm parses it."""

from dataclasses import dataclass
from functools import cache

from timm.data.auto_augment import rand_augment_transform

from clip_hparam.model.normalization import NORMALIZATIONS

LARGEST_LEVEL = 10.0  # largest magnitude of timm, unless the string has mmax


@dataclass(frozen=True)
class Policy:
    """Operations to draw from, and the distribution of their magnitudes.

    names: timm's names of the operations.
    weights: probability of each name in a draw without replacement; None: equal, with replacement.
    layers: operations drawn for an image. probability: of applying a drawn operation.
    magnitude, deviation: mean and standard deviation; deviation inf: uniform in [0, magnitude].
    highest: magnitudes are clipped to [0, highest].
    """

    names: tuple[str, ...]
    weights: tuple[float, ...] | None
    layers: int
    probability: float
    magnitude: float
    deviation: float
    highest: float


@cache
def parse_policy(text: str) -> Policy:
    """Return the policy of a string that `Recipe.rand_augment` allows; "none" has no layers."""
    if text == "none":
        return Policy((), None, 0, 0.0, 0.0, 0.0, LARGEST_LEVEL)
    parsed = rand_augment_transform(text)
    operation = parsed.ops[0]  # all operations of a string have the same settings
    weights = parsed.choice_weights
    return Policy(
        names=tuple(each.name for each in parsed.ops),
        weights=None if weights is None else tuple(map(float, weights)),
        layers=parsed.num_layers,
        probability=operation.prob,
        magnitude=float(operation.magnitude),
        deviation=float(operation.magnitude_std),
        highest=float(operation.magnitude_max or LARGEST_LEVEL),
    )


def fill_levels(normalization: str) -> tuple[int, ...]:
    """Return the level of each channel outside a moved image: the mean that timm fills with.

    normalization: a key of NORMALIZATIONS.
    """
    mean, _ = NORMALIZATIONS[normalization]
    return tuple(min(255, round(255 * level)) for level in mean)
