"""The order in which local trials start: the longest first, so that no worker is idle for long.

In the order of the cells the last rung of the ladder, whose trials are twice as long, would start
last: at the end one worker would train while the others have nothing to do. Imports no torch.
"""

from collections.abc import Sequence

from clip_hparam.config.resolved_recipe import as_resolved
from clip_hparam.config.worker_spec import LaunchSpec, WorkerSpec
from clip_hparam.planning.estimates.throughput import operations


def longest_first(specs: Sequence[LaunchSpec]) -> list[LaunchSpec]:
    """Return trials by decreasing operations of their training, equal ones in the given order.

    Workers of a search, whose trials are not known, keep their order and come first.
    """
    return sorted(specs, key=_operations, reverse=True)


def _operations(spec: LaunchSpec) -> float:
    return float("inf") if isinstance(spec, WorkerSpec) else operations(as_resolved(spec.recipe))
