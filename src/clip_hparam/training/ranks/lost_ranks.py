"""Name the rank that made a collective operation fail."""

import time
from collections.abc import Iterable
from contextlib import suppress

from torch.distributed import Store  # type: ignore[attr-defined] # not in its stubs

from clip_hparam.distributed import DistributedContext, PeerError, name_key
from clip_hparam.training.ranks.heartbeat import Heartbeat

EXIT_REASON_SECONDS = 10.0  # in which a rank that still runs reports that it lost a peer
POLL_SECONDS = 0.1


class LostRankError(RuntimeError):
    """A rank was killed or does not respond."""


def report_exit_reason(context: DistributedContext, reason: str) -> None:
    """Write to the store why this rank exits; empty if it has only lost a peer."""
    assert context.store is not None
    with suppress(RuntimeError):  # rank 0, which holds the store, may have exited
        context.store.set(_reason_key(context.rank), reason)


def find_peer_failure(
    world_size: int, heartbeat: Heartbeat, seconds: float, error: PeerError
) -> RuntimeError:
    """Return the error that names the failed ranks; called by rank 0 after a PeerError.

    A rank that raised an error has written it as its exit reason. A rank without a beat was killed
    or stopped. If all beat, the ranks that have come least far are those that the others wait for.
    seconds: timeout that the error states.
    """
    left = set(heartbeat.peers)
    deadline = time.monotonic() + EXIT_REASON_SECONDS
    while True:
        for rank in sorted(left):
            reason = _read(heartbeat.store, _reason_key(rank))
            if reason:
                return RuntimeError(f"rank {rank} of {world_size} failed: {reason}")
            if reason is not None:
                left.discard(rank)
        silent = {rank for rank in left if heartbeat.is_silent(rank)}
        if left == silent or time.monotonic() > deadline:
            break
        time.sleep(POLL_SECONDS)
    lost = silent or _least_far(left, heartbeat)
    if not lost:
        return LostRankError(f"an exchange of all {world_size} ranks failed: {error}")
    return lost_rank_error(lost, world_size, heartbeat.store, seconds)


def lost_rank_error(
    ranks: Iterable[int], world_size: int, store: Store, seconds: float
) -> LostRankError:
    """Return the error that names these ranks by process and host."""
    names = " and ".join(
        f"rank {rank} of {world_size} ({_read(store, name_key(rank)) or 'which never connected'})"
        for rank in sorted(ranks)
    )
    return LostRankError(f"{names} was killed, or did not respond for {seconds:g} s")


def _least_far(ranks: set[int], heartbeat: Heartbeat) -> set[int]:
    """Return the ranks that have begun the fewest collective operations."""
    begun = {rank: heartbeat.peers[rank].collectives for rank in ranks}
    return {rank for rank in ranks if begun[rank] == min(begun.values())}


def _read(store: Store, key: str) -> str | None:
    """Return the value of a key; None if it is not written."""
    return str(store.get(key), "utf-8") if store.check([key]) else None


def _reason_key(rank: int) -> str:
    return f"exit reason {rank}"
