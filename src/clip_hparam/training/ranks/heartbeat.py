"""Thread of a rank that publishes a heartbeat and the number of collectives it began.

It also finds a rank that is lost while the main thread cannot: on a GPU the main thread waits
inside CUDA for the gradients of that rank.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from torch.distributed import Store  # type: ignore[attr-defined] # not in its stubs

from clip_hparam.distributed import DistributedContext, name_key

BEAT_SECONDS = 0.5
SILENT_SECONDS = 5.0  # without a beat, after which a process counts as killed or stopped
MAIN_THREAD_SECONDS = 10.0  # after the timeout of a rank, in which the main thread may report it


@dataclass
class Peer:
    """Last heartbeat of another rank.

    `silent` and `behind` count beats of this process, so that both stop while it is suspended.

    value: its last beat. collectives: operations that it had begun by then.
    silent: time without a new beat.
    behind: time in which it had begun fewer operations than this rank, and began none.
    """

    value: str = ""
    collectives: int = 0
    silent: int = 0
    behind: int = 0

    def update(self, value: str, own_collectives: int) -> None:
        """Compare a beat with the one before."""
        begun = int(value.partition(" ")[2] or 0)
        waits = begun == self.collectives and begun < own_collectives
        self.silent = self.silent + 1 if value == self.value else 0
        self.behind = self.behind + 1 if waits else 0
        self.value, self.collectives = value, begun


class Heartbeat:
    """Writes the beats of this rank to the store, and reads those of the others.

    Rank 0 reads all, the others that of rank 0.
    seconds: time after which a rank is given up.
    on_lost: called in this thread with ranks that were given up MAIN_THREAD_SECONDS ago and with
        the store, unless the main thread has called `leave_to_main_thread`.
    """

    def __init__(
        self,
        context: DistributedContext,
        seconds: float,
        on_lost: Callable[[set[int], Store], None],
    ) -> None:
        assert context.store is not None
        self.store: Store = context.store.clone()  # a client of its own: calls of one client queue
        self._context, self._seconds, self._on_lost = context, seconds, on_lost
        self._stopped, self._watches = threading.Event(), True
        ranks = range(1, context.world_size) if context.is_main else (0,)
        self.peers = {rank: Peer() for rank in ranks}
        self._thread = threading.Thread(target=self._run, daemon=True, name="heartbeat")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(SILENT_SECONDS)

    def leave_to_main_thread(self) -> None:
        """Stop calling `on_lost`: the main thread reports lost ranks."""
        self._watches = False

    def is_silent(self, rank: int) -> bool:
        """Return whether the process of another rank was killed or stopped."""
        return self.peers[rank].silent * BEAT_SECONDS > SILENT_SECONDS

    def _run(self) -> None:
        number = 0
        while not self._stopped.wait(BEAT_SECONDS):
            number += 1
            begun = self._context.connection.collectives
            with suppress(RuntimeError):  # rank 0, which holds the store, is lost
                self.store.set(_beat_key(self._context.rank), f"{number} {begun}")
            for rank, peer in self.peers.items():
                peer.update(self._read_beat(rank) or peer.value, begun)
            limit = (self._seconds + MAIN_THREAD_SECONDS) / BEAT_SECONDS
            lost = {
                rank for rank, peer in self.peers.items() if max(peer.silent, peer.behind) > limit
            }
            if lost and self._watches and not self._stopped.is_set():
                self._on_lost(lost, self.store)

    def _read_beat(self, rank: int) -> str | None:
        key = _beat_key(rank)
        with suppress(RuntimeError):
            return str(self.store.get(key), "utf-8") if self.store.check([key]) else None
        return None


def _beat_key(rank: int) -> str:
    return f"beat of {name_key(rank)}"
