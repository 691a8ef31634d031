"""Records on disk: one folder per trial, one manifest per sweep; how they are written and read.

Standard library only. A new file on disk goes here.
"""

from clip_hparam.renamed import moved_attributes

__getattr__ = moved_attributes(
    __name__,
    {
        "Record": "record.Record",
        "read_json": "atomic.read_json",
        "trial_ids": "record.trial_ids",
        "write_json": "atomic.write_json",
    },
)
