"""A campaign by its command: to its report and winner, also when interrupted."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from hydra.core.global_hydra import GlobalHydra
from support.cli import (
    clip_hparam,
    plan,
    records,
    results,
    start,
    sweep,
    wait_until,
)
from support.image_folders import grow
from support.study_factory import write_manifest
from support.trial_factory import Runs

from clip_hparam.config.options.sweep_options import SweepOptions, seed_list
from clip_hparam.config.recipe import knobs
from clip_hparam.design import racing
from clip_hparam.design.design import Design, parse_design
from clip_hparam.design.expand import expand_design
from clip_hparam.design.knob_levels import parse_level
from clip_hparam.launch.resources import gpu_slots
from clip_hparam.sweep.campaigns import campaign
from clip_hparam.sweep.campaigns.decisions import Decisions
from clip_hparam.sweep.campaigns.stages import STAGES

SMALL = ("data=folder", "batch_size=20", "data.selection=5", "data.epoch_images=40", "epochs=3")
CLASSES = dict.fromkeys("abcde", 16)
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


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("dry_run=true", "budget=8h"), 0, "proof: planned when"),
        ((), 2, "a study needs a budget: try budget=8h"),
    ],
)
def test_plan_lists_the_stages_and_a_budget_is_required(
    words: tuple[str, ...], code: int, said: str, tmp_path: Path
) -> None:
    done = plan("-m", "sweeps=study", *words, cwd=tmp_path)
    assert done.code == code
    assert said in done.out + done.err
    assert list(tmp_path.iterdir()) == []


class Written:
    """Replaces the commands of a campaign and writes trials whose accuracy depends on the knobs."""

    def __init__(self, runs: Runs, dies_in: str = "") -> None:
        self.runs, self.dies_in = runs, dies_in
        self.ran: list[str] = []
        self.words: list[Sequence[str]] = []

    def __call__(self, code: str, words: Sequence[str]) -> int:
        self.words.append(words)
        if code == campaign.CLI_CODE:
            self.ran.append(words[0])
            return 0
        (name,) = (word.removeprefix("sweeps=") for word in words if word.startswith("sweeps="))
        self.ran.append(name)
        if name == self.dies_in:
            return 130
        file = self.runs.folder / ".studies" / "small" / "conf" / "sweeps" / f"{name}.yaml"
        design = parse_design(json.loads(file.read_text().partition("\n")[2]))
        asked = replace(design, kind="random", samples=12) if design.kind == "search" else design
        race = racing.parse_race(design.seeds)
        seeds = race.seeds[: race.start] if race else seed_list(design.seeds) or [0]
        made = {cell.label: dict(map(knob_of, cell.overrides[1:])) for cell in expand_design(asked)}
        for values in made.values():
            for seed in seeds:
                worth = 80 - 20 * float(values.get("crop_scale", 0.5)) + 0.1 * seed
                known = {key: value for key, value in values.items() if key in knobs()}
                self.runs.done(known, seed, worth)
        more = {"race": asdict(race)} if race else {}
        write_manifest(self.runs, name, asked.kind, made, list(seeds), **more)
        return 0


def knob_of(override: str) -> tuple[str, Any]:
    key, _, text = override.partition("=")
    return key, parse_level(text)


def test_stages_follow_from_results_and_decisions_do_not_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = Runs(tmp_path / "runs")
    space = {
        "lr": ["tag(log, interval(1e-3, 3e-2))"],
        "mixup": ["0", "0.8"],
        "crop_scale": ["interval(0.2, 1.0)"],
    }
    small = campaign.Campaign(
        Design("small", "study", ("recipe=weak_aug",), space),
        (),
        runs.folder,
        budget=3000,
        workers=2,
    )
    written = Written(runs, dies_in="small_search")
    monkeypatch.setattr(campaign, "run_python", written)
    assert small.run() == 130
    assert written.ran == ["small_reference", "small_screening", "small_search"]
    file = small.folder / "decisions.json"
    decided = json.loads(file.read_text())
    assert list(decided["search"]["design"]["knobs"]) == ["lr", "crop_scale"]
    written.dies_in = ""
    assert small.run() == 0
    assert written.ran[-3:] == ["small_proof", "export-recipe", "report"]
    after = json.loads(file.read_text())
    assert {name: after[name] for name in decided} == decided
    best = after["proof"]["design"]["steps"][1]
    assert (best["label"], "crop_scale" in str(best["overrides"])) == ("winner 1", True)
    text = (small.folder / "study.md").read_text()
    assert "effects on selection accuracy" in text
    assert text.splitlines()[2].startswith("**Winner 1 is UNDECIDED: +")
    assert capsys.readouterr().out.count("small: Winner 1 is UNDECIDED: +") == 1
    assert written.words[-1][-2:] == ["--out", str(small.folder)]  # the records are not in runs


def test_a_study_of_the_same_name_with_other_overrides_is_refused(tmp_path: Path) -> None:
    decisions = Decisions(tmp_path / "small")
    decisions.validate_overrides(["epochs=2", "data=digits", "workers=1"])
    decisions.validate_overrides(["data=digits", "epochs=2", "machine.threads=2"])
    with pytest.raises(ValueError, match=r"was started with data=digits epochs=2.*name=NAME"):
        decisions.validate_overrides(["data=folder", "epochs=2"])


def seconds_of_trials(trials: int, small: Sequence[str], folder: Path) -> int:
    """Return the seconds that so many trials take all workers on this machine."""
    folder.mkdir()
    done = sweep("-m", "recipe=weak_aug", "seeds=4", *small, cwd=folder)
    assert done.code == 0, done.err
    costs = [result["cost"]["seconds"] for one in records(folder) if (result := one.result())]
    return round(trials * fmean(costs) / len(gpu_slots(SweepOptions(), "cpu")))


def run_in_this_process(code: str, words: Sequence[str]) -> int:
    """Replace `run_python`: call the command here, where all modules are imported."""
    outer = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    command = {campaign.SWEEP_CODE: sweep, campaign.CLI_CODE: clip_hparam}[code]
    done = command(*words, cwd=Path.cwd())
    GlobalHydra.instance().hydra = outer
    print(done.out, done.err)
    return done.code


def test_interrupted_campaign_continues_to_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The campaign that is interrupted is a process; the same command continues in this one."""
    small = (*SMALL, f"data.root={grow(tmp_path / 'photos', CLASSES)}")
    budget = seconds_of_trials(50, small, tmp_path / "calibration")
    words = [*asked(tmp_path, f"{budget}s"), *small]
    process = start(*words, cwd=tmp_path)
    wait_until(lambda: len(results(tmp_path)) >= 8, 120)  # the screening is under way
    process.terminate()
    process.communicate(timeout=60)
    before = results(tmp_path)
    monkeypatch.setattr(campaign, "run_python", run_in_this_process)
    done = sweep(*words, cwd=tmp_path)
    assert done.code == 0, done.out + done.err
    assert before.items() <= results(tmp_path).items()
    epochs = sum(row["seconds"] for record in records(tmp_path) for row in record.rows())
    assert epochs < 1.25 * budget * len(gpu_slots(SweepOptions(), "cpu"))
    folder = tmp_path / "runs" / ".studies" / "small"
    decisions = json.loads((folder / "decisions.json").read_text())
    assert list(decisions) == list(STAGES)
    assert all(decision["design"] for decision in decisions.values()), decisions
    assert "always searched" in decisions["search"]["why"]
    assert "selection images: they can resolve effects from" in decisions["screening"]["why"]
    assert "## Proof" in (folder / "study.md").read_text()
    assert "# Race: " in (folder / "winner.yaml").read_text()
    assert (folder / "winner.yaml").read_text().startswith("# @package _global_")
    assert (tmp_path / "results" / "report.html").stat().st_size > 10_000
    again = sweep(*words, cwd=tmp_path)
    assert again.code == 0, again.out + again.err
    assert json.loads((folder / "decisions.json").read_text()) == decisions
