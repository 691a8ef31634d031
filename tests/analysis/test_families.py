"""Tables and figures of another recipe family go to a folder of its own, with published numbers."""

import csv
import json
from pathlib import Path

import pytest
from support.trial_factory import Runs

from clip_hparam.cli.analysis_app.analysis import main
from clip_hparam.design.paper_ladder import PAPER_V100_HOURS


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """Return a folder with a sweep `lr` of the miniature and another of b16."""
    monkeypatch.chdir(tmp_path)
    made = Runs(tmp_path / "runs")
    made.folder.mkdir()
    for lr, acc1 in ((1e-3, 90.0), (2e-3, 92.0)):
        made.done({"lr": lr}, 0, acc1)
    for lr, acc1 in ((1e-4, 84.0), (2e-4, 85.0)):
        made.done({"lr": lr}, 0, acc1)
    made.sweep("lr", {"lr=0.001": {"lr": 1e-3}, "lr=0.002": {"lr": 2e-3}}, [0])
    (first,) = made.folder.glob(".sweeps/*.json")
    made.sweep("lr", {"lr=0.0001": {"lr": 1e-4}, "lr=0.0002": {"lr": 2e-4}}, [0])
    (second,) = set(made.folder.glob(".sweeps/*.json")) - {first}
    second.write_text(json.dumps({**json.loads(second.read_text()), "family": "b16"}))
    return made


def column(path: Path, name: str) -> list[str]:
    with path.open() as file:
        return [row[name] for row in csv.DictReader(file)]


def test_each_family_has_a_folder_and_equal_names_do_not_meet(runs: Runs) -> None:
    assert main(["tables", "lr"]) == 0
    assert column(Path("results/lr.csv"), "lr") == ["0.001", "0.002"]
    assert column(Path("results/b16/lr.csv"), "lr") == ["0.0001", "0.0002"]


def test_only_the_named_family_is_written(runs: Runs) -> None:
    assert main(["tables", "--family", "b16"]) == 0
    assert not Path("results/lr.csv").exists()
    assert Path("results/b16/lr.csv").exists()


def test_published_numbers_belong_to_real_families(runs: Runs) -> None:
    assert main(["tables"]) == 0
    assert not Path("results/published.csv").exists()
    assert Path("results/b16/systems.csv").exists()
    rungs = column(Path("results/b16/published.csv"), "rung")
    assert set(PAPER_V100_HOURS) <= set(rungs)


def test_published_numbers_need_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["tables", "--family", "b16"]) == 0
    assert main(["figures", "--family", "b16"]) == 0
    assert Path("results/b16/published.md").exists()
    assert Path("results/b16/logs.png").exists()
    assert main(["report", "--family", "b16"]) == 0
    assert "published systems" in Path("results/b16/report.html").read_text()
    assert main(["tables"]) != 4
    assert "no sweep is on record" in capsys.readouterr().err


def test_report_of_a_family_has_its_sweeps_alone(runs: Runs) -> None:
    assert main(["report"]) == 0
    small, real = (Path(f"results/{name}report.html").read_text() for name in ("", "b16/"))
    assert "lr=0.001" in small
    assert "published systems" not in small
    assert "lr=0.0002" in real


def test_unknown_family_is_one_sentence(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tables", "--family", "b61"]) == 2
    assert "--family b61 is unknown: did you mean b16?" in capsys.readouterr().err
