"""Cache slow results of tables of trials, for a page that is built again and again."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from clip_hparam.analysis.frames.trial_table import TrialTable

MAX_RESULTS = 64
Result = TypeVar("Result")
_results: OrderedDict[str, Any] = OrderedDict()


def call_cached(function: Callable[..., Result], table: TrialTable, *more: Any) -> Result:
    """Return function(table, *more), from the cache after a call with an equal table."""
    facts = (function.__module__, function.__name__, table.knobs, table.objective, table.minimize)
    text = f"{facts} {more} {table.rows.to_csv()}"
    key = hashlib.sha256(text.encode()).hexdigest()
    if key not in _results:
        _results[key] = function(table, *more)
        if len(_results) > MAX_RESULTS:
            _results.popitem(last=False)
    _results.move_to_end(key)
    result: Result = _results[key]
    return result
