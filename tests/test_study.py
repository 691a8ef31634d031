"""A study by its command: to its report and winner, stopped in between and taken up again."""

import json
import sys
from pathlib import Path

import pytest
from commands import results, start, sweep, wait_until

from clip_hparam.app import main
from clip_hparam.stages import STAGES

SMALL = ("data.epoch_images=50", "data.selection=5", "epochs=3")
DESIGN = """# @package hydra.sweeper.design
name: small
kind: study
base: [recipe=weak_aug]
knobs:
  lr: tag(log, interval(1e-3, 3e-2))
  mixup: [0, 0.8]
  crop_scale: interval(0.2, 1.0)
"""


def asked(folder: Path, budget: str) -> list[str]:
    (folder / "conf" / "sweeps").mkdir(parents=True, exist_ok=True)
    (folder / "conf" / "sweeps" / "small.yaml").write_text(DESIGN)
    return [
        "-m",
        "sweeps=small",
        f"hydra.searchpath=[file://{folder / 'conf'}]",
        f"budget={budget}",
    ]


@pytest.mark.parametrize(("words", "said"), [(["dry_run=true"], "proof: planned when"), ([], "")])
def test_a_study_says_its_stages_and_needs_a_budget(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    budget = ["budget=8h"] if words else []
    monkeypatch.setattr(sys, "argv", ["sweep.py", "-m", "sweeps=study", *words, *budget])
    assert main() == (0 if words else 2)
    out, err = capsys.readouterr()
    assert said in out
    assert words or "say how long it may take, budget=8h" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_study_runs_to_its_report_also_in_two_parts(tmp_path: Path) -> None:
    words = [*asked(tmp_path, "5m"), *SMALL]
    process = start(*words, cwd=tmp_path)
    wait_until(lambda: len(results(tmp_path)) >= 8, 300)  # the screening is under way
    process.terminate()
    process.wait(60)
    before = results(tmp_path)
    done = sweep(*words, cwd=tmp_path, timeout=900)
    assert done.code == 0, done.err
    assert before.items() <= results(tmp_path).items()
    folder = tmp_path / "runs" / ".studies" / "small"
    decisions = json.loads((folder / "decisions.json").read_text())
    assert list(decisions) == list(STAGES)
    assert all(decision["design"] for decision in decisions.values()), decisions
    assert "(Lenth)" in decisions["search"]["why"]
    assert (folder / "winner.yaml").read_text().startswith("# @package _global_")
    assert (tmp_path / "results" / "report.html").stat().st_size > 10_000
    again = sweep(*words, cwd=tmp_path, timeout=300)
    assert again.code == 0, again.err
    assert json.loads((folder / "decisions.json").read_text()) == decisions
