"""Tables of sweeps and published data, written as Markdown, LaTeX, CSV and HTML.

Importing the package registers all tables.
"""

from clip_hparam.analysis.tables import (
    confusions,
    effects,
    orders,
    per_class,
    published,
    robustness,
    systems,
)
from clip_hparam.analysis.tables.stored_weights import derived

__all__ = [
    "confusions",
    "derived",
    "effects",
    "orders",
    "per_class",
    "published",
    "robustness",
    "systems",
]
