"""Child processes that a test starts."""

import multiprocessing


class ChildProcesses:
    """The living child processes that were started after this object was made.

    Those that an earlier test left in this process are not counted: they may end at any moment.
    """

    def __init__(self) -> None:
        self.earlier = _living()

    def living(self) -> set[int | None]:
        return _living() - self.earlier


def _living() -> set[int | None]:
    return {child.pid for child in multiprocessing.active_children()}
