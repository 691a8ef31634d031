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

__all__ = ["confusions", "effects", "orders", "per_class", "published", "robustness", "systems"]
