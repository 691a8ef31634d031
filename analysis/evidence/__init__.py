"""Results of a sweep: paired differences, best cell, importance of knobs, published numbers."""

from clip_hparam.renamed import moved_attributes

__getattr__ = moved_attributes(
    __name__,
    {
        "ablation_of": "ablations.ablation_of",
    },
)
