"""Groups of batches that RandAugment takes together.

Its calls cost as much as their work on 50 images of 32 px, because each call has few images of one
operation. Crops and normalised images stay in batches: their work fits into the cache.
"""

from collections.abc import Iterable, Iterator

from torch import Tensor

PIXELS_AT_ONCE = 2**19  # 512 images of 32 px, 1 MB to 2 MB


def groups(batches: Iterable[Tensor], pixels: int) -> Iterator[list[Tensor]]:
    """Yield lists of consecutive batches: the fewest that have `pixels` px of a channel together.

    batches: shape (b, c, h, w).
    """
    group: list[Tensor] = []
    for batch in batches:
        group.append(batch)
        if sum(batch.shape[0] * batch.shape[2] * batch.shape[3] for batch in group) >= pixels:
            yield group
            group = []
    if group:
        yield group
