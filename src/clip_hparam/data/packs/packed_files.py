"""Images that are parts of packs, with the interface of files."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from clip_hparam.data.dataset import FileFacts, ImageFiles, Indices, file_facts
from clip_hparam.data.packs.pack_index import Pack, Places
from clip_hparam.data.reading.errors import UnreadableImageError

ReadFunction = Callable[[Pack, int, int], bytes]
"""Pack and place of an image -> its bytes. Raises OSError, or ValueError with a reason."""
PLACE_BITS = 48  # bits of each of the two numbers of a place


@dataclass(frozen=True, eq=False, kw_only=True)
class PackedFiles(ImageFiles):
    """Images in packs; a path is that of the pack with the name of the image.

    pack_of: index into `packs`, shape (n,). places: shape (n, 2), see `PackIndex`.
    sizes: bytes of each image; 1 where they are not known without reading it.
    """

    packs: tuple[Pack, ...]
    pack_of: NDArray[np.int64]
    places: Places
    sizes: NDArray[np.int64]
    read: ReadFunction

    def __getitem__(self, index: Indices) -> Self:
        return replace(
            self,
            paths=self.paths[index],
            pack_of=self.pack_of[index],
            places=self.places[index],
            sizes=self.sizes[index],
        )

    def content(self, index: int) -> bytes:
        """Return the bytes of an image. Raises UnreadableImageError."""
        first, second = self.places[index].tolist()
        try:
            return self.read(self.packs[self.pack_of[index]], first, second)
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            name = os.fsencode(self.path(index)).decode(errors="backslashreplace")
            raise UnreadableImageError(
                f"{name} cannot be read as an image ({reason}): restore the file that holds it"
            ) from error

    def facts(self) -> Sequence[FileFacts]:
        """Return the facts about each image; the times are those of the packs."""
        of_pack = [file_facts(pack.path) for pack in self.packs]
        return [
            self._facts_of(of_pack[pack], size, first, second)
            for pack, size, (first, second) in zip(
                self.pack_of.tolist(), self.sizes.tolist(), self.places.tolist(), strict=True
            )
        ]

    def _facts_of(self, pack: FileFacts, size: int, first: int, second: int) -> FileFacts:
        if not pack.size:
            return FileFacts()
        inode = (((pack.inode << PLACE_BITS) + first) << PLACE_BITS) + second
        return FileFacts(size, pack.modified, pack.device, inode)
