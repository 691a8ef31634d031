"""Sweeping a key that is no knob, or giving a swept key twice, runs nothing."""

from pathlib import Path

import pytest
from support.cli import plan


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("sweeps=lr,layer_decay", "type one command per design"),
        ("sweeps=glob(l*)", "type one command per design"),
        ("seeds=3,5", "for these seeds type 'seeds=[3,5]'"),
        ("seeds=range(1,3)", "for these seeds type 'seeds=[1,2]'"),
        ("sweeps=[lr,ema]", "names a list of options"),
        ("recipe=[ema,llrd]", "names a list of options"),
        ("dry_run=true,false", "type one command per value"),
        ("budget=1h,2h", "type one command per value"),
        ("workers=1,2", "type one command per value"),
        ("machine.runs=a,b", "type one command per value"),
        ("machine=slurm_gpu,slurm_node8", "type one command per value"),
        ("machine.threads=choice(1,2)", "type one command per value"),
    ],
)
def test_sweeping_a_key_that_is_no_knob_runs_nothing(
    typed: str, sentence: str, tmp_path: Path
) -> None:
    done = plan("-m", typed, "lr=1e-3", cwd=tmp_path)
    assert done.code == 2
    assert typed.partition("=")[0] in done.err
    assert sentence in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "typed", [("lr=1e-3,3e-3", "lr=1e-2"), ("lr=1e-2", "lr=1e-3,3e-3"), ("lr=1,2", "lr=3,4")]
)
def test_a_swept_key_that_is_given_twice_is_refused(typed: tuple[str, str], tmp_path: Path) -> None:
    done = plan("-m", *typed, cwd=tmp_path)
    assert done.code == 2
    assert f"lr is given 2 times ({typed[0]}, {typed[1]}): keep one" in done.err
    assert list(tmp_path.iterdir()) == []
