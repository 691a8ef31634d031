"""Epochs are counted from 1 in the terminal, the report and the figures."""

from pathlib import Path

import pytest
from support.report_data import report_column
from support.trial_factory import Runs

from clip_hparam.analysis.figures.learning_curves import learning_curve, plot_learning_curve
from clip_hparam.analysis.figures.published_logs import plot_published_logs, published_log_panels
from clip_hparam.analysis.report.report import write_report
from clip_hparam.launch.finished import print_result


def test_selected_epoch_is_the_same_everywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = Runs(tmp_path / "runs")
    record = runs.done({"lr": 1e-3}, 0, 97.0)
    runs.sweep("lr", {"lr=0.001": {"lr": 1e-3}})
    result = record.result()
    assert result is not None
    selected = result["epochs"]["selected"] + 1
    print_result(record.folder, result)
    assert f"at the selected epoch {selected} (" in capsys.readouterr().out
    frames = runs.frames()
    page = write_report(frames, tmp_path / "results").read_text()
    assert report_column(page, "epochs.selected") == [selected]
    (axes,) = plot_learning_curve(learning_curve(frames, record.trial_id)).axes
    lines = {line.get_label(): list(line.get_xdata()) for line in axes.lines}  # type: ignore[arg-type]
    assert lines["raw"][0] == 1
    assert lines["raw"][-1] == len(record.rows())


def test_published_logs_are_drawn_from_epoch_1() -> None:
    for axes in plot_published_logs(published_log_panels()).axes:
        assert min(axes.lines[0].get_xdata()) == 1  # type: ignore[arg-type]
