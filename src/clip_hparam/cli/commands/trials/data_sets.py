"""Split a list of trials by their data set: accuracies on different images are no ranking."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from clip_hparam.config.text.override_words import format_override
from clip_hparam.records.record import Record

if TYPE_CHECKING:
    import pandas as pd

NAME, FINGERPRINT = "data.name", "data.fingerprint"
SHOWN_DIGITS = 8


class DataSetTrials(NamedTuple):
    """The trials of one data set in the order of the list; `title` names it among the others."""

    title: str
    trials: "pd.DataFrame"


def by_data_set(trials: "pd.DataFrame", runs: Path) -> Iterator[DataSetTrials]:
    """Yield the trials of each data set, first that of the first trial."""
    groups = [
        (str(name), str(fingerprint), rows)
        for (name, fingerprint), rows in trials.groupby(
            [NAME, FINGERPRINT], sort=False, dropna=False
        )
    ]
    names = [name for name, _, _ in groups]
    for name, fingerprint, rows in groups:
        which = f", images {fingerprint[:SHOWN_DIGITS]}" if names.count(name) > 1 else ""
        places = Record(runs, rows["trial_id"].iloc[0]).status().get("places", {})
        root = format_override("data.root", places["data.root"]) if "data.root" in places else ""
        yield DataSetTrials(f"data={name} {root}".rstrip() + which, rows)
