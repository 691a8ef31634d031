"""Several searches in one runs folder are analysed separately."""

import json
from pathlib import Path

import numpy as np
import pytest
from support.trial_factory import Edit, Runs

from clip_hparam.analysis.figures import registry
from clip_hparam.analysis.figures.slice_parallel import parallel_coordinates
from clip_hparam.analysis.frames.frame import Frames, sampled_sweeps, trial_table
from clip_hparam.analysis.report import report
from clip_hparam.cli.analysis_app.analysis import main

SPACES = {"first": ("lr", "drop_path"), "second": ("weight_decay", "label_smoothing")}


@pytest.fixture
def frames(runs: Runs, edit: Edit) -> Frames:
    """Write two searches over different knobs; the second has fewer and better points."""
    for number, (name, space) in enumerate(SPACES.items()):
        points = np.random.default_rng(number).uniform(0.01, 0.1, (12 - 2 * number, 2))
        cells = {
            f"draw {n}": dict(zip(space, map(float, values), strict=True))
            for n, values in enumerate(points)
        }
        for n, values in enumerate(cells.values()):
            runs.done(values, 0, 80 + 10 * number + n / 2)
        runs.sweep(name, cells, seeds=[0])
    for path in (runs.folder / ".sweeps").glob("*.json"):
        edit(path, lambda tree: tree.update(kind="search"))
    return runs.frames()


def test_each_search_has_its_own_knobs_and_trials(frames: Frames) -> None:
    assert [sweep.name for sweep in sampled_sweeps(frames)] == list(SPACES)
    for sweep, count in zip(sampled_sweeps(frames), (12, 10), strict=True):
        table = trial_table(frames, sweep)
        assert (set(table.knobs), len(table.rows)) == (set(SPACES[sweep.name]), count)
    assert set(trial_table(frames).knobs) == set(SPACES["second"])


def test_the_figure_of_a_search_shows_only_its_trials(frames: Frames) -> None:
    for sweep, count in zip(sampled_sweeps(frames), (12, 10), strict=True):
        panels = registry.plot_figure(frames, sweep.name).axes
        assert {panel.get_xlabel() for panel in panels} == set(SPACES[sweep.name])
        assert len(panels[0].lines[0].get_xdata()) == count
    assert {axis.knob for axis in parallel_coordinates(trial_table(frames)).axes} == set(
        SPACES["second"]
    )


def test_the_report_has_a_part_for_each_search(frames: Frames) -> None:
    page = report.report_page(frames)
    parts = {part.anchor: part for part in page.parts}
    charts = {search["key"]: search for search in page.data["searches"]}
    assert "12 trials" in parts["first"].summary
    assert "10 trials" in parts["second"].summary
    for name, space in SPACES.items():
        assert all(knob in parts[name].summary for knob in space)
        assert {knob["name"] for knob in charts[name]["knobs"]} == set(space)
        assert charts[name]["importance"].keys() == {"fanova", "ped_anova"}


def test_the_summary_covers_the_newest_search_or_the_named_one(
    runs: Runs, frames: Frames, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(runs.folder)
    assert main(["summary", folder, "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["n"] == 10
    assert "of second, the newest; --sweep names another: first" in err
    assert main(["summary", folder, "--json", "--sweep", "first"]) == 0
    out, err = capsys.readouterr()
    assert (json.loads(out)["n"], err) == (12, "")
    for words, title in (((), "second"), (("--sweep", "first"), "first")):
        assert main(["summary", folder, *words]) == 0
        assert capsys.readouterr().out.startswith(f"{title}, sweep ")
    assert main(["summary", folder, "--sweep", "frist"]) == 2
    assert "there is no search frist on record: did you mean first?" in capsys.readouterr().err


def test_naming_a_search_without_any_on_record_is_an_error(
    runs: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs.done({}, 0, 90.0)
    assert main(["summary", str(runs.folder), "--sweep", "first"]) == 2
    assert "there is no search first on record: there is none" in capsys.readouterr().err
