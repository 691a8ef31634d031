"""The table of published numbers equals its sources: figure 1, the README and the logs."""

import math

import pandas as pd
import pytest

from clip_hparam.analysis.evidence.published import read_logs
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.tables.published import LOG_RUNGS, published_table
from clip_hparam.design.paper_ladder import PAPER_V100_HOURS


@pytest.fixture(scope="module")
def empty_frames() -> Frames:
    return Frames(pd.DataFrame(), pd.DataFrame(), [], [])


@pytest.fixture(scope="module")
def rows(empty_frames: Frames) -> list[dict[str, object]]:
    return published_table(empty_frames).data.to_dict("records")


def test_ladder_has_a_row_per_rung_with_its_hours(rows: list[dict[str, object]]) -> None:
    of_figure = [row for row in rows if str(row["source"]).startswith("Fig. 1")]
    assert {row["rung"]: row["v100_hours"] for row in of_figure} == PAPER_V100_HOURS
    assert {row["family"] for row in of_figure} == {"b16"}
    assert next(row["acc1"] for row in of_figure if row["rung"] == "weak_aug") == 85.7


@pytest.mark.parametrize("model", LOG_RUNGS)
def test_best_and_last_epochs_are_those_of_the_log(
    model: str, rows: list[dict[str, object]]
) -> None:
    log = read_logs().query("model == @model")
    family, rung = LOG_RUNGS[model]
    found = {
        (row["epoch"], row["weights"]): row["acc1"]
        for row in rows
        if (row["family"], row["rung"]) == (family, rung) and "logs" in str(row["source"])
    }
    assert found == {
        ("best", "ema"): log["ema_acc1"].max(),
        ("last", "ema"): log["ema_acc1"].iloc[-1],
        ("best", "raw"): log["raw_acc1"].max(),
        ("last", "raw"): log["raw_acc1"].iloc[-1],
    }


def test_costs_that_are_not_public_are_empty(empty_frames: Frames) -> None:
    table = published_table(empty_frames)
    of_l14 = table.data["family"] == "l14"
    assert of_l14.sum() == 10
    assert all(math.isnan(hours) for hours in table.data.loc[of_l14, "v100_hours"])
    assert set(table.shown.loc[of_l14, "V100-h"]) == {""}
