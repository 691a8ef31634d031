"""A user's mistake prints one sentence that states what to type, exits with 2, writes nothing."""

from pathlib import Path

import pytest
from huggingface_hub import constants
from support.cli import assert_refused, plan

WRONG = Path(__file__).parents[2] / "golden" / "README.md"
MISTAKES = {
    "ler=1": "unknown knob ler: did you mean lr?",
    "+x=1": "unknown knob x: --help lists the knobs",
    "+data.shot=1": "unknown knob data.shot: did you mean data.shots?",
    "~lr": "leave it",
    "lr=abc": "lr=abc is not a number of (0, inf): try lr=1e-3",
    "epochs=2.5": "epochs=2.5 is not a whole number of [1, inf): try epochs=20",
    "layer_decay=1.5": "layer_decay=1.5 is outside (0, 1]: 1 is no decay, try 0.65",
    "ema_decay=1": "ema_decay=1 is outside auto | [0, 1): try 0.99, or auto",
    "pool=avg": "pool=avg is not one of patch_mean, cls, clip",
    "recipe=nope": "unknown recipe=nope: choose from baseline,",
    "recipe=lowr_lr": "unknown recipe=lowr_lr: did you mean lower_lr?",
    "data.name=digit": "unknown data.name=digit: did you mean digits?",
    "data.shots=1000": "try a smaller data.shots",
    "resolution=30": "resolution=30 is not a multiple of the patch size 8: try 32",
    "batch_size=4000": "batch_size=4000 is larger than an epoch of",
    "encoder.name=ViT-B-99": "ViT-B-99",
    "encoder=clip_b16": "cannot be fetched from here (ConnectionError): get open_clip_model",
    "encoder.name=ViT-B16": "did you mean ViT-B-16",
    "encoder.pretrained=gone.pt": "gone.pt is not a file",
    f"encoder.pretrained={WRONG}": "does not read as weights",
    "freeze=first_9": "more blocks than the tower's",
    "machine.micro_batch=20 batch_size=50": "micro_batch=20 does not divide batch_size=50: try 10",
    "gpus_per_trial=3 batch_size=50": "gpus_per_trial=3 does not divide batch_size=50: try 2",
    "gpus_per_trial=2 batch_size=50 machine.micro_batch=25": (
        "gpus_per_trial=2 does not divide machine.micro_batch=25: try 1"
    ),
    "gpus_per_trial=8 batch_size=4": "gpus_per_trial=8 does not divide batch_size=4: try 4",
    "gpus_per_trial=2 batch_size=50 machine.device=cuda:1": (
        "machine.device=cuda:1 is one: try machine.device=cuda, and CUDA_VISIBLE_DEVICES=0,1,"
    ),
    "-m hydra/launcher=submitit_slurm hydra.launcher.nodes=3 batch_size=50 dry_run=true": (
        "nodes x tasks_per_node makes gpus_per_trial=3 does not divide batch_size=50: try 2"
    ),
    "machine.deterministic=maybe": "machine.deterministic=maybe",
    "epochs=[1": "epochs=[1 is not a whole number of [1, inf): try epochs=20",
    "lr=1e-3,1e-4": "add -m to sweep over them",
    "seeds=3": "add -m",
    "sweeps=ladder": "add -m",
    "machine.runs=/proc/nope": "machine.runs=/proc/nope cannot be written",
    "-m sweeps=nope": "unknown sweeps=nope: choose from",
    "-m sweeps=ladder ler=1": "unknown knob ler: did you mean lr?",
    "-m pool=cls,avg": "pool=avg is not one of",
    "-m lr=interval(1e-4,1e-2)": "is a range, and a sweep needs levels",
    "-m lr=interval(1e-2,1e-4) hydra.sweeper.n_trials=5": "lr=interval(1e-2,1e-4) is not a range",
    "-m seed=0,1 seeds=3": "give one of them",
    "-m sweeps=lr +hydra.sweeper.design.knobs.seed=[0,1]": "gives its cells a seed, and seeds=",
    "-m seeds=0": "try seeds=5",
    "-m seeds=[1,1]": "names a seed twice",
    "-m lr=1e-3,1e-4 machine.runs=/proc/nope": "cannot be written",
    "-m lr=1e-3 hydra/launcher=nope": "unknown hydra/launcher=nope: choose from",
}


@pytest.mark.parametrize("command", MISTAKES)
def test_mistake_is_one_sentence(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nothing answers there
    monkeypatch.setattr(constants, "HF_HUB_CACHE", "/proc/nowhere")
    monkeypatch.setenv("CLIP_HPARAM_CACHE", "/proc/nowhere")
    assert_refused(plan(*command.split(), cwd=tmp_path), MISTAKES[command], tmp_path)
