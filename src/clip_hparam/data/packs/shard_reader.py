"""Read parts of shards: one file descriptor a shard and process, positions are never shared."""

import os
from collections import OrderedDict

from clip_hparam.data.packs.pack_index import Pack

MAX_OPEN = 64  # shards of a process; opening costs microseconds on a local disk


class OpenShards:
    """File descriptors of shards; the one that was used least recently is closed first.

    `os.pread` has no position, so that processes may share a descriptor after a fork.
    """

    def __init__(self, limit: int = MAX_OPEN) -> None:
        self.limit = limit
        self._open: OrderedDict[Pack, int] = OrderedDict()

    def read(self, pack: Pack, offset: int, size: int) -> bytes:
        """Return the bytes of an image. Raises OSError, and ValueError for a changed shard."""
        content = os.pread(self._descriptor(pack), size, offset)
        if len(content) != size:
            raise ValueError(f"{pack.path.name} was cut short after it was indexed")
        return content

    def _descriptor(self, pack: Pack) -> int:
        if pack in self._open:
            self._open.move_to_end(pack)
            return self._open[pack]
        descriptor = os.open(pack.path, os.O_RDONLY | os.O_CLOEXEC)
        stat = os.fstat(descriptor)
        if (stat.st_size, stat.st_mtime_ns) != (pack.size, pack.modified):
            os.close(descriptor)
            raise ValueError(f"{pack.path.name} was changed after it was indexed")
        self._open[pack] = descriptor
        if len(self._open) > self.limit:
            os.close(self._open.popitem(last=False)[1])
        return descriptor


_SHARDS = OpenShards()


def read_shard(pack: Pack, offset: int, size: int) -> bytes:
    """Return a part of a shard, see `OpenShards.read`."""
    return _SHARDS.read(pack, offset, size)
