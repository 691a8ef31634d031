"""The report in a browser: sort, search, brush, theme, print, a phone; numbers of the frame.

One Chromium loads the pages side by side in frames; browser_check.js uses each page as a reader
does, and posts what the page shows.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.browser import CHROMIUM, browse
from support.predictions import write_predictions
from support.report_data import report_data
from support.trial_factory import LABELS, Runs, write_ladder

from clip_hparam.analysis.evidence.searches import dependence
from clip_hparam.analysis.frames.frame import Frames, reported_values
from clip_hparam.analysis.report import report

CHECK = Path(__file__).with_name("browser_check.js").read_text()
PHONE, DESKTOP = 390, 1280  # px
NASTY = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>'

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ, reason="no Chromium on this machine"
)


def write_runs(folder: Path) -> Runs:
    """Write a ladder of 35 trials, a random design of 24 and hostile labels."""
    runs = Runs(folder)
    write_ladder(runs)
    draw = np.random.default_rng(0)
    cells = {}
    for number in range(24):
        lr = float(10 ** draw.uniform(-4, -2))
        cells[f"draw {number}"] = {"lr": lr, "drop_path": float(draw.choice([0.0, 0.1]))}
        acc1 = 96 - abs(np.log10(lr) + 3) + float(draw.normal(0, 0.1))
        runs.done({**cells[f"draw {number}"], "epochs": 4}, 0, acc1)
    planned = {label: {**values, "epochs": 4} for label, values in cells.items()}
    runs.sweep("random", planned, seeds=[0])
    (manifest,) = folder.glob(".sweeps/random-*.json")
    plan = json.loads(manifest.read_text()) | {"kind": "random", "title": "random (epochs=4)"}
    manifest.write_text(json.dumps(plan))
    for seed in (0, 1):
        runs.done({"data.name": NASTY}, seed, 96.0 + seed, command=[NASTY])
        best = runs.done({"data.name": "b"}, seed, 97.0 + seed)
        wrong = np.flatnonzero(LABELS == 3)[:8].tolist()
        write_predictions(best, dict.fromkeys(wrong, 8), wrong)
    runs.planned({"data.name": "c"}).write_failure("failed", "error", NASTY)
    runs.sweep("names", {NASTY: {"data.name": NASTY}, "b": {"data.name": "b"}}, seeds=[0, 1])
    return runs


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Frames:
    folder = tmp_path_factory.mktemp("browser") / "runs"
    folder.mkdir()
    return write_runs(folder).frames()


@pytest.fixture(scope="module")
def page(frames: Frames) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dependence, "N_REFITS", 2)
        return report.render_html(report.report_page(frames))


@pytest.fixture(scope="module")
def seen(page: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what the page shows at both widths, and the console output under "console"."""
    pages = {"desktop": (page, DESKTOP), "phone": (page, PHONE)}
    found = browse(pages, CHECK, tmp_path_factory.mktemp("pages"))
    return {**found.pages, "console": found.console}


def ids_where(frames: Frames, rule: str) -> set[str]:
    return set(frames.trials.query(rule)["trial_id"])


@pytest.mark.parametrize("width", ["desktop", "phone"])
def test_page_works_without_an_error_at_each_width(seen: dict[str, Any], width: str) -> None:
    found = seen[width]
    assert "error" not in found, found["error"]
    assert seen["console"] == []
    assert found["width"] == {"desktop": DESKTOP, "phone": PHONE}[width]
    assert (found["wide"], found["hit"], found["undrawn"], found["unnamed"]) == (0, 0, [], 0)
    assert found["charts"] > 15


def test_table_sorts_and_search_filters_by_the_numbers_of_the_frame(
    seen: dict[str, Any], frames: Frames
) -> None:
    found = seen["desktop"]
    accuracy = reported_values(frames.trials, "selection_acc1").dropna().sort_values()
    assert set(found["start"]["ids"]) == set(frames.trials["trial_id"])
    up, down = (
        [float(text) for text in found[way] if text != "\N{EM DASH}"] for way in ("up", "down")
    )
    assert up == pytest.approx(accuracy.to_list(), abs=0.006)
    assert down == up[::-1]
    assert set(found["query"]["ids"]) == ids_where(frames, "lr > 1e-3")
    expected = len(ids_where(frames, "lr > 1e-3"))
    assert found["query"]["status"].startswith(f"{expected} of {len(frames.trials)} trials shown")
    assert "No column is called nosuch" in found["unknown"]["status"]
    table_up = [float(text.split()[0]) for text in found["tableUp"]]
    assert table_up == sorted(table_up)
    assert found["tableDown"] == found["tableUp"][::-1]


def test_brushes_filter_the_table_and_are_released(seen: dict[str, Any], frames: Frames) -> None:
    found = seen["desktop"]
    (chip,) = found["brushed"]["chips"]
    low, high = map(float, re.findall(r"[\d.e-]+", chip.removeprefix("lr"))[:2])
    inside = ids_where(frames, f"lr >= {low * 0.99} and lr <= {high * 1.01}")
    assert 0 < len(found["brushed"]["ids"]) < len(frames.trials)
    assert set(found["brushed"]["ids"]) == inside
    assert len(found["released"]["ids"]) == len(frames.trials)
    assert len(found["rectangle"]["chips"]) == 2
    assert 0 < len(found["rectangle"]["ids"]) < len(frames.trials)
    assert (found["cleared"]["chips"], len(found["cleared"]["ids"])) == ([], len(frames.trials))


@pytest.mark.parametrize(("width", "in_first_row"), [("desktop", 8), ("phone", 3)])
def test_pictures_of_errors_lie_side_by_side_with_their_classes(
    seen: dict[str, Any], width: str, in_first_row: int
) -> None:
    pictures = seen[width]["pictures"]
    assert [one["text"].split() for one in pictures] == [["3", "as", "8", "(75.0", "%)"]] * 8
    assert [one["top"] for one in pictures].count(pictures[0]["top"]) == in_first_row


def test_cells_of_the_table_have_the_name_of_their_sweep_and_no_title(
    seen: dict[str, Any],
) -> None:
    assert {"ladder: baseline", "random: draw 0"} <= set(seen["desktop"]["cells"])


def test_details_theme_and_print(seen: dict[str, Any], frames: Frames) -> None:
    found = seen["desktop"]
    trial_id = found["details"]["id"]
    trial = frames.trials.set_index("trial_id").loc[trial_id]
    assert found["details"]["heading"] == f"Trial {trial_id}"
    assert (
        f"{reported_values(frames.trials)[trial.name == frames.trials['trial_id']].iloc[0]:.2f}"
        in (found["details"]["facts"])
    )
    assert found["details"]["command"]
    assert found["theme"]["before"] != found["theme"]["after"]


def test_ends_and_texts_of_charts(seen: dict[str, Any], page: str) -> None:
    found = seen["desktop"]
    cells = [cell for sweep in report_data(page)["sweeps"] for cell in sweep["cells"]]
    assert max(cell["ends"][1] for cell in cells if cell["ends"][1] is not None) > 100
    assert max(found["ends"]) == 100  # an accuracy has a limit, the t interval of two seeds none
    assert found["titles"] == ["Test accuracy of each rung, %", "Test accuracy of each rung, %"]
    assert found["label"] == "lr"  # for screen readers
    assert found["ticks"] == ["3e\N{MINUS SIGN}4", "0.001", "0.003"]


def test_charts_hold_the_numbers_of_the_tables(page: str, frames: Frames) -> None:
    data = report_data(page)
    ladder = next(sweep for sweep in data["sweeps"] if sweep["key"] == "ladder")
    accuracy = reported_values(frames.trials).set_axis(frames.trials["trial_id"])
    manifest = next(sweep for sweep in frames.sweeps if sweep.name == "ladder")
    for cell, planned in zip(ladder["cells"], manifest.cells, strict=True):
        values = accuracy[list(planned.trials.values())]
        assert cell["mean"] == pytest.approx(values.mean(), abs=1e-3)
        assert [value for _, value in cell["seeds"]] == pytest.approx(values.to_list(), abs=1e-3)


def test_console_errors_of_a_page_are_detected(tmp_path: Path) -> None:
    """An empty console means that there were no errors, since those of a broken page appear."""
    broken = "<!doctype html><script>console.error('seen'); nothing.at.all</script></html>"
    found = browse({"broken": (broken, DESKTOP)}, CHECK, tmp_path)
    assert len(found.console) == 2
    assert "error" in found.pages["broken"]
