"""Trials of different images are lists of their own, in the order of the first trial of each."""

from pathlib import Path

import pandas as pd

from clip_hparam.cli.commands.trials.data_sets import by_data_set
from clip_hparam.records.record import Record

COLUMNS = ["trial_id", "data.name", "data.fingerprint"]


def test_each_data_set_is_a_list_with_the_order_of_its_trials(tmp_path: Path) -> None:
    rows = [("t1", "folder", "aa"), ("t2", "digits", "bb"), ("t3", "folder", "aa")]
    groups = list(by_data_set(pd.DataFrame(rows, columns=COLUMNS), tmp_path))
    assert [list(group.trials["trial_id"]) for group in groups] == [["t1", "t3"], ["t2"]]
    assert [group.title for group in groups] == ["data=folder", "data=digits"]


def test_data_sets_of_one_name_are_distinguished_by_path_and_images(tmp_path: Path) -> None:
    Record(tmp_path, "t1").write_status("running", places={"data.root": "/photos"})
    rows = [("t1", "folder", "0123456789ab"), ("t2", "folder", "cd" * 6)]
    groups = by_data_set(pd.DataFrame(rows, columns=COLUMNS), tmp_path)
    assert [group.title for group in groups] == [
        "data=folder data.root=/photos, images 01234567",
        "data=folder, images cdcdcdcd",
    ]
