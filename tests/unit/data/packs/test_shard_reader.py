"""Parts of shards are read at random, by few descriptors, also after a fork."""

from pathlib import Path

import pytest

from clip_hparam.data.packs.pack_index import stamped
from clip_hparam.data.packs.shard_reader import OpenShards


def test_only_the_last_shards_stay_open(tmp_path: Path) -> None:
    packs = []
    for number in range(4):
        (tmp_path / f"{number}.tar").write_bytes(bytes([number]) * 8)
        packs.append(stamped(tmp_path / f"{number}.tar"))
    reader = OpenShards(limit=2)
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert [reader.read(pack, 2, 3) for pack in (*packs, *packs)] == [
        bytes([number]) * 3 for number in (0, 1, 2, 3) * 2
    ]
    assert len(list(Path("/proc/self/fd").iterdir())) == before + 2


def test_a_shard_that_has_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(b"12345678")
    pack = stamped(path)
    reader = OpenShards()
    assert reader.read(pack, 4, 4) == b"5678"
    path.write_bytes(b"12345")
    with pytest.raises(ValueError, match=r"x.tar was cut short after it was indexed"):
        reader.read(pack, 4, 4)
    with pytest.raises(ValueError, match=r"x.tar was changed after it was indexed"):
        OpenShards().read(pack, 0, 4)
