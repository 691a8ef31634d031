"""A peer is silent without new beats, and behind while this rank waits for its next operation."""

import pytest

from clip_hparam.training.ranks.heartbeat import Peer


@pytest.mark.parametrize(
    ("beats", "own", "silent", "behind"),
    [
        (["1 0", "2 0", "3 0"], [0, 0, 0], 0, 0),
        (["1 5", "1 5", "1 5"], [5, 5, 5], 2, 0),
        (["1 5", "2 5", "3 5"], [5, 6, 6], 0, 2),
        (["1 5", "2 7", "3 9"], [8, 10, 12], 0, 0),  # late by one beat, and not waited for
        (["1 5", "2 5", "3 6"], [6, 6, 6], 0, 0),
        (["1 5", "2 5", "2 5"], [6, 6, 6], 1, 2),
        (["", "", ""], [0, 0, 0], 3, 0),
        (["", "", ""], [1, 1, 1], 3, 3),
    ],
)
def test_peer_is_compared_with_its_last_beat_and_with_this_rank(
    beats: list[str], own: list[int], silent: int, behind: int
) -> None:
    peer = Peer()
    for beat, begun in zip(beats, own, strict=True):
        peer.update(beat, begun)
    assert (peer.silent, peer.behind) == (silent, behind)
