"""Statistics of arrays: intervals, power, bootstrap, factorial contrasts, Shapley values."""

from clip_hparam.renamed import moved_attributes

__getattr__ = moved_attributes(
    __name__,
    {
        "estimate": "intervals.estimate",
        "paired": "intervals.paired_differences",
    },
)
