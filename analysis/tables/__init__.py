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
from clip_hparam.renamed import moved_attributes

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

__getattr__ = moved_attributes(
    __name__,
    {
        "Table": "cell_table.Table",
        "difference_text": ".frames.labels.format_difference",
        "table": "cell_table.cell_table",
        "title_of": ".frames.labels.metric_title",
        "with_interval": ".frames.labels.format_interval",
    },
)
