"""Statistics of plain numbers: intervals, power, bootstrap, factorial contrasts."""

from clip_hparam.renamed import moved_attributes

__getattr__ = moved_attributes(
    __name__,
    {
        "estimate": "intervals.estimate",
        "paired": "intervals.paired_differences",
    },
)
