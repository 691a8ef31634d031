"""Tables of sweeps and published data, written as Markdown, LaTeX, CSV and HTML.

Importing the package registers all tables.
"""

from clip_hparam.analysis.tables import effects, orders, per_class, published, systems

__all__ = ["effects", "orders", "per_class", "published", "systems"]
