"""Controls are rows below the ladder of the same data, outside its differences and its csv."""

from collections.abc import Callable

import pytest
from support.trial_factory import Runs, ladder_cells, write_ladder

from clip_hparam.analysis.evidence.ablations import ABLATIONS
from clip_hparam.analysis.evidence.controls import control_evidence
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.tables.cell_table import cell_table

CELLS: dict[str, dict[str, object]] = {
    "zero_shot": {"epochs": 1, "freeze": "backbone"},
    "linear_probe": {"freeze": "backbone"},
    "random_weights": {"encoder.weights": "random"},
}


def write_controls(runs: Runs, **more: object) -> None:
    for values, acc1 in zip(CELLS.values(), (30.0, 80.0, 50.0), strict=True):
        for seed in range(3):
            runs.done({**values, **more}, seed, acc1 + seed)
    runs.sweep("controls", {label: {**values, **more} for label, values in CELLS.items()}, range(3))


def test_controls_are_rows_below_the_ladder_without_a_difference(runs: Runs) -> None:
    write_ladder(runs)
    before = cell_table(runs.frames(), ABLATIONS["ladder"])
    write_controls(runs)
    after = cell_table(runs.frames(), ABLATIONS["ladder"])
    assert after.data.equals(before.data)
    rungs = after.shown.iloc[: len(before.shown)]
    assert rungs.to_numpy().tolist() == before.shown.to_numpy().tolist()
    controls = after.shown.iloc[len(before.shown) :]
    assert list(controls["rung"]) == [
        *("control: zero shot", "control: linear probe", "control: random weights"),
    ]
    # the test factory records 41.2 % before training
    assert [text.partition(" ")[0] for text in controls["test accuracy, %"]] == [
        *("41.20", "81.00", "51.00"),
    ]
    assert set(controls["Δ to the rung before"]) == set(controls["paper, %"]) == {""}
    assert after.bold.shape == after.shown.shape
    assert not after.bold.iloc[len(before.shown) :].to_numpy().any()
    assert any(note.startswith("Controls are cells") for note in after.notes)


def test_controls_on_other_data_are_not_shown(runs: Runs) -> None:
    write_ladder(runs)
    write_controls(runs, **{"data.fingerprint": "ef" * 32})
    assert control_evidence(runs.frames(), ABLATIONS["ladder"]).empty
    assert len(cell_table(runs.frames(), ABLATIONS["ladder"]).shown) == len(ladder_cells())


def test_zero_shot_is_the_accuracy_before_training(runs: Runs) -> None:
    write_controls(runs)
    data = cell_evidence(runs.frames(), ABLATIONS["controls"]).set_index("control")
    assert data.loc["zero_shot", "test_acc1"] == 41.2
    assert data.loc["linear_probe", "test_acc1"] == pytest.approx(81.0)
    assert data.loc["linear_probe", "delta"] == pytest.approx(81.0 - 41.2)
    assert data["both_low"].isna().all()  # images are recorded after training


def test_ladder_is_written_again_when_controls_are_new(
    runs: Runs, call: Callable[..., tuple[int, str, str]]
) -> None:
    write_ladder(runs)
    assert call("tables", "ladder")[0] == 0
    assert "unchanged" in call("tables", "ladder")[2]
    write_controls(runs)
    code, out, _ = call("tables", "ladder")
    assert code == 0
    assert "ladder.md" in out
