"""A mistake in the options of a search prints one sentence and exits with code 2.

The tests call app.main in this process.
"""

import sys
from pathlib import Path

import pytest
from support.cli import Done, assert_refused, plan

SEARCH = "hydra.sweeper.n_trials=5"
LR = f"{SEARCH} lr=interval(1e-3,1e-2)"
TWO = f"{LR} hydra.sweeper.objective=[selection_acc1,cost.seconds]"
MISTAKES = {
    SEARCH: "a search needs knobs to vary",
    f"{SEARCH} lr=interval(1e-2,1e-3)": "lr=interval(1e-2,1e-3) is not a range: it needs its low",
    f"{SEARCH} lr=tag(log,interval(0,1e-3))": "above 0 with log",
    f"{SEARCH} pool=interval(0,1)": "pool has none: try pool=a,b",
    f"{SEARCH} epochs=interval(2,5)": "try 'epochs=int(interval(2,5))'",
    f"{SEARCH} recipe=choice(llrd,ema)": "unknown knob recipe: a search varies knobs of a recipe",
    f"{SEARCH} ler=interval(1,2)": "did you mean lr?",
    f"{SEARCH} batch_size=int(interval(10,9000))": "batch_size=9000 is larger than an epoch of",
    f"{TWO} hydra.sweeper.pruner=asha": "several objectives has none: try pruner=none",
    f"{TWO} hydra.sweeper.direction=maximize": "give one direction for each",
    f"{TWO} hydra.sweeper.sampler=cmaes": "try nsgaii",
    f"{LR} hydra.sweeper.objective=test_acc1": "the test set is not used for selection",
    f"{LR} hydra.sweeper.objective=accuracy": "unknown hydra.sweeper.objective=accuracy",
    f"{LR} hydra.sweeper.sampler=tpee": "unknown hydra.sweeper.sampler=tpee: did you mean tpe?",
    f"{LR} hydra.sweeper.sampler=grid": "sampler=grid needs levels, and lr has a range",
    f"{LR} hydra.sweeper.sampler.multivari=true": "did you mean multivariate?",
    f"{LR} hydra.sweeper.pruner={{name:percentile,percentile:200}}": "hydra.sweeper.pruner=percen",
    f"{LR} hydra.sweeper.pruner=ashaa": "unknown hydra.sweeper.pruner=ashaa: did you mean asha?",
    f"{LR} hydra.sweeper.pruner=wilcoxon": "compares points over their seeds: try seeds=5",
    f"{LR} hydra.sweeper.timeout=soon": "hydra.sweeper.timeout=soon is not a time",
    f"{LR} hydra.sweeper.fidelity={{lr:1e-3}}": (
        "lr does not make a trial cheaper: choose from data.epoch_images, data"
    ),
    f"{LR} hydra.sweeper.fidelity={{epochs:20}}": "epochs=20 is no cheaper than epochs=10",
    f"{LR} hydra.sweeper.fidelity={{epochs:0}}": "epochs=0 is outside",
    f"{LR} hydra.sweeper.fidelity=epochs": "try hydra.sweeper.fidelity={epochs:5}",
    f"{LR} epochs=int(interval(2,5)) hydra.sweeper.fidelity={{epochs:1}}": "is searched itself",
    f"{LR} hydra.sweeper.n_trials=0": "hydra.sweeper.n_trials=0 is not a positive whole number",
    f"{LR} hydra.sweeper.ntrials=3": "unknown key hydra.sweeper.ntrials: did you mean n_trials?",
    f"{LR} hydra/launcher=basic": "a search cannot run through BasicLauncher",
    f"{LR} seed=0,1 seeds=2": "give one of them",
    f"{LR} detach=true": "detach=true: the trials of this launcher end with this command",
}
PASSWORD_VARIABLE = "CLIP_HPARAM_STORAGE"
STORAGE_ERRORS = {
    "postgresql://me:secret@127.0.0.1:9/db": "postgresql://me:***@127.0.0.1:9/db cannot be reached",
    "mysql://me:secret@127.0.0.1:9/db": "mysql://me:***@127.0.0.1:9/db cannot be reached",
    "mysql+pymysql://me:secret@127.0.0.1:9/db": "cannot be reached",
    "oracle://me:secret@db/x": "oracle://me:***@db/x cannot be reached: there is no driver",
    "sqlite:////proc/nope/x.db": "sqlite:////proc/nope/x.db cannot be reached",
    "/proc/nope/x.journal": "/proc/nope/x.journal cannot be written",
}


def plan_search(words: str, folder: Path) -> Done:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(PASSWORD_VARIABLE, raising=False)  # set by a search with a password
        return plan("-m", *words.split(), cwd=folder)


@pytest.mark.parametrize("words", MISTAKES)
def test_mistake_prints_one_sentence_and_exits_with_2(words: str, tmp_path: Path) -> None:
    assert_refused(plan_search(words, tmp_path), MISTAKES[words], tmp_path)


@pytest.mark.parametrize("url", STORAGE_ERRORS)
def test_unreachable_storage_is_named_without_its_password(url: str, tmp_path: Path) -> None:
    done = plan_search(f"{LR} hydra.sweeper.storage={url}", tmp_path)
    assert STORAGE_ERRORS[url] in done.err
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert not (tmp_path / "runs" / ".sweeps").exists()
    written = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any("secret" in text for text in (done.out, done.err, *written))


def test_missing_driver_is_reported_with_its_install_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    done = plan_search(
        f"{LR} hydra.sweeper.storage=postgresql://me:secret@127.0.0.1:9/db", tmp_path
    )
    assert "no driver for postgresql here: pip install 'clip-hparam[databases]'" in done.err
    assert (done.code, done.err.count("\n")) == (2, 1)
