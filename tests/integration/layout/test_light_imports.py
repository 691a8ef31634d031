"""Commands and plans start fast: they import no training stack and no library that they do not use.

Each test asks its questions in one new interpreter, from the lightest to the heaviest import.
"""

import json
import os
from pathlib import Path

import pytest
from safetensors.torch import save_file
from support.cli import ROOT, python
from support.trial_factory import Ladder

from clip_hparam.config.recipe import Encoder
from clip_hparam.model.tiny_clip import model as tiny_clip
from clip_hparam.model.weights_identity import weights_sha256

ASSERT_ABSENT = """
import sys

def assert_absent(*modules):
    loaded = sorted(set(modules) & set(sys.modules))
    assert not loaded, loaded
"""
PLAN = """
from clip_hparam.model.tiny_clip.model import recorded_sha256
print(recorded_sha256())
assert_absent("torch", "open_clip", "numpy")

from clip_hparam.cli.main import main
sys.argv[1:] = ["status"]
assert main() == 0
assert_absent("torch", "timm", "numpy", "pandas", "hydra")

from clip_hparam.config.recipe import Encoder, Recipe
from clip_hparam.planning.resolve import resolve
print(resolve(Recipe(encoder=Encoder("tiny", WEIGHTS))).encoder.weights)
assert_absent("torch", "open_clip")

from clip_hparam.model.architectures import architecture_names, shape_of
assert len([shape_of(name) for name in architecture_names()]) > 1
assert_absent("torch", "open_clip", "timm")

from clip_hparam.planning.describe import describe
assert describe(resolve(Recipe()))
assert_absent("torch", "timm", "open_clip", "sklearn")
"""
HYDRA = """
from clip_hparam.cli.sweep_entry import main

for words in (["--help"], ["-m", "sweeps=ladder", "dry_run=true"], ["--cfg", "job"]):
    sys.argv[1:] = words
    assert main() == 0, words
    assert_absent("torch", "timm", "open_clip", "pandas")
"""
NOT_ANALYSIS = ("torch", "hydra", "omegaconf", "optuna", "scipy.stats", "statsmodels", "timm")
ANALYSIS = f"""
import analysis
assert_absent(*{NOT_ANALYSIS}, "scipy", "matplotlib", "jinja2")

from clip_hparam.cli.analysis_app.analysis import main
for what in ("tables", "figures"):
    assert main([what, "--runs", "runs", "--out", what]) == 0
    assert_absent(*{NOT_ANALYSIS}, *(["matplotlib"] if what == "tables" else []))
"""


def run(code: str, folder: Path, **environment: str) -> str:
    """Run code in a new interpreter and return its output."""
    paths = [str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    done = python("-c", ASSERT_ABSENT + code, cwd=folder, **environment)
    assert done.code == 0, done.err
    return done.out


@pytest.fixture
def checked_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Encoder:
    """Write weights of a tower, and let a plan read them once: its cache is tmp_path/cache."""
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))
    encoder = Encoder("tiny", str(tmp_path / "weights.safetensors"))
    save_file(tiny_clip.load_weights(), encoder.pretrained)
    weights_sha256(encoder)
    return encoder


def test_plans_and_status_import_no_training_stack(
    ladder: Ladder, checked_weights: Encoder, tmp_path: Path
) -> None:
    code = PLAN.replace("WEIGHTS", json.dumps(checked_weights.pretrained))
    recorded, *status, weights = run(code, tmp_path).splitlines()
    assert recorded == tiny_clip.recorded_sha256()
    assert any("34 done" in line for line in status)
    assert weights == weights_sha256(checked_weights)


def test_help_and_dry_runs_import_no_training_stack(tmp_path: Path) -> None:
    run(HYDRA, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_analysis_imports_no_training_stack_and_no_unused_library(
    ladder: Ladder, tmp_path: Path
) -> None:
    run(ANALYSIS, tmp_path)
    for what in ("tables", "figures"):
        assert any((tmp_path / what).iterdir())
