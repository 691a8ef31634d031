"""The batch script of a job array: file patterns, and options that are left out."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from support.cli import fake

from clip_hparam.config.options.launcher_options import LauncherOptions
from clip_hparam.launch.slurm.batch_script import submission_script, validate_runs_folder
from clip_hparam.launch.slurm.job_array import JobLimits, create_job_array

LIMITS = JobLimits(timeout_min=1, signal_delay_s=15, max_num_timeout=0)


@pytest.fixture(autouse=True)
def _srun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    fake(tmp_path / "bin", "srun", "")  # submitit looks for it
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")


def script(runs: Path, **options: Any) -> str:
    array = create_job_array(runs, "s", "lr", [[]], LIMITS)
    return submission_script(array, LauncherOptions(**options), None)


def sbatch_options(text: str) -> dict[str, str]:
    """Return the options of the script by name."""
    words = [shlex.split(line)[1] for line in text.splitlines() if line.startswith("#SBATCH")]
    return dict(word.removeprefix("--").partition("=")[::2] for word in words)


@pytest.mark.parametrize("name", ["50%j_x", "100%", "a b=c'd", 'q"uo', "été", "%%t", "$HOME"])
def test_patterns_name_the_folder_of_the_array(name: str, tmp_path: Path) -> None:
    text = script(tmp_path / name)
    (folder,) = (tmp_path / name).glob(".sweeps/s/*")
    escaped = str(folder).replace("%", "%%")
    options = sbatch_options(text)
    assert options["output"] == f"{escaped}/%A_%a_0_log.out"
    assert options["error"] == f"{escaped}/%A_%a_0_log.err"
    (command,) = [line for line in text.splitlines() if line.startswith("srun ")]
    arguments = shlex.split(command)
    assert f"--error={escaped}/%A_%a_%t_log.err" in arguments
    assert arguments[-1] == str(folder)


@pytest.mark.parametrize(
    ("option", "line"),
    [
        ("tasks_per_node", "ntasks-per-node"),
        ("nodes", "nodes"),
        ("timeout_min", "time"),
        ("mem_gb", "mem"),
    ],
)
def test_option_that_is_null_is_left_out(option: str, line: str, tmp_path: Path) -> None:
    assert line in sbatch_options(script(tmp_path, mem_gb=4))
    assert line not in sbatch_options(script(tmp_path, **{"mem_gb": 4, option: None}))


def test_options_of_the_script(tmp_path: Path) -> None:
    more = {"hold": True, "reservation": None, "exclusive": False}
    options = sbatch_options(
        script(tmp_path, gres="gpu:a100:1", cpus_per_gpu=2, additional_parameters=more)
    )
    assert options["gres"] == "gpu:a100:1"
    assert "hold" in options
    assert not options.keys() & {"reservation", "exclusive", "wckey"}
    assert re.fullmatch(r"0-0%1", options["array"])


@pytest.mark.parametrize("name", ["back\\slash", "line\nbreak"])
def test_folder_that_no_pattern_can_hold_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="in its name, which Slurm cannot write to"):
        validate_runs_folder(tmp_path / name)
