"""What another package adds by entry points is used: data sets, encoders, metrics, trackers."""

import csv
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra.core.config_store import ConfigStore
from support.cli import ROOT, clip_hparam, plan, records, sweep
from support.plugins import install_example

from clip_hparam.data import datasets
from clip_hparam.model import architectures
from clip_hparam.training.callbacks.trackers import registry
from clip_hparam.training.metrics.registry import all_metrics

CACHES = (
    datasets._installed_datasets,
    architectures._installed_encoders,
    registry._installed_trackers,
    all_metrics,
)
TRIAL = ("data=flowers", "encoder=small_vit", "tracker=csv", "epochs=2", "batch_size=10")


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the example of docs/extending.md on sys.path with its metadata, as if installed."""
    for cached in CACHES:
        cached.cache_clear()
    install_example(tmp_path / "site", monkeypatch)
    yield
    for cached in CACHES:
        cached.cache_clear()
    for group, name in (("data", "flowers.yaml"), ("encoder", "small_vit.yaml")):
        ConfigStore.instance().repo[group].pop(name, None)


@pytest.mark.usefixtures("example")
def test_trial_uses_the_data_set_the_encoder_the_metric_and_the_tracker(tmp_path: Path) -> None:
    done = sweep(*TRIAL, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    (record,) = records(tmp_path)
    recipe = record.recipe()
    assert recipe is not None
    assert recipe["recipe"]["data"]["name"] == "flowers"
    assert recipe["recipe"]["encoder"]["name"] == "small_vit"
    assert (recipe["recipe"]["data"]["shots"], recipe["recipe"]["hflip"]) == (0, 0.5)
    metrics = (record.result() or {})["metrics"]
    assert 0.1 <= metrics["test_confidence.raw.selected"] <= 1
    (file,) = tmp_path.glob("runs/.trackers/csv/*.csv")
    with file.open() as content:
        rows = list(csv.reader(content))
    losses = [float(value) for step, name, value in rows if name == "train_loss"]
    assert losses == [row["train_loss"] for row in record.rows()]
    sent = clip_hparam("sync", "csv", cwd=tmp_path)
    assert sent.out.startswith("0 trials sent, 1 was there already")


@pytest.mark.usefixtures("example")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("data=flower",), "unknown data=flower: did you mean flowers"),
        (("data=flowers", "encoder.name=smal_vit"), "unknown encoder.name=smal_vit: did you mean"),
        (("tracker=cvs",), "unknown tracker=cvs: did you mean csv?"),
        (
            ("data=flowers", "encoder=small_vit", "head_init=zero_shot"),
            "head_init=zero_shot",
        ),
    ],
)
def test_misspelled_names_suggest_those_of_packages(
    words: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    done = plan(*words, cwd=tmp_path)
    assert done.code == 2
    assert done.err.startswith(sentence)


def test_without_the_package_the_names_are_unknown(tmp_path: Path) -> None:
    done = plan("data=flowers", cwd=tmp_path)
    assert (done.code, done.err.partition(":")[0]) == (2, "unknown data=flowers")


@pytest.mark.slow
def test_built_and_installed_package_is_used(tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    site = next((tmp_path / "venv").glob("lib/python*/site-packages"))
    (site / "tested.pth").write_text(f"{ROOT / 'src'}\n{sysconfig.get_path('purelib')}\n")
    shutil.copytree(ROOT / "docs" / "examples" / "clip_hparam_flowers", tmp_path / "source")
    install = ("-m", "pip", "install", "--quiet", "--no-deps", tmp_path / "source")
    subprocess.run([python, *install], check=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [python, ROOT / "sweep.py", "-m", *TRIAL, "lr=1e-3,1e-2"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(tmp_path.glob("runs/.trackers/csv/*.csv"))) == 2
