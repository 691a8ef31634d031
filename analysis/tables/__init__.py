"""Tables of sweeps and published data, written as Markdown, LaTeX, CSV and HTML.

Importing the package registers all tables.
"""

from clip_hparam.analysis.tables import effects, orders, per_class, published, systems
from clip_hparam.analysis.tables.stored_weights import derived

__all__ = ["derived", "effects", "orders", "per_class", "published", "systems"]
