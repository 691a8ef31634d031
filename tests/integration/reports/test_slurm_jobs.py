"""Options that sbatch receives from a sweep. Fake Slurm commands record them."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from support.cli import SHORT, clip_hparam, fake, sweep
from support.in_process import Done

from clip_hparam.launch.slurm import job_poller
from clip_hparam.launch.slurm.job_array import list_job_arrays
from clip_hparam.records.record import Record

WORDS = ("-m", "seeds=1", *SHORT, "hydra/launcher=submitit_slurm", "detach=true")
STEP_FAILED = "srun: fatal: SLURM_MEM_PER_CPU and SLURM_MEM_PER_NODE are mutually exclusive."
Submit = Callable[..., Done]


@pytest.fixture
def submit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Submit:
    """Return a function that runs a sweep, whose job array gets the id 7."""
    commands = tmp_path / "bin"
    commands.mkdir()
    fake(commands, "sbatch", f'env > {tmp_path}/environment; cp "$2" {tmp_path}/script; echo 7')
    for name in ("srun", "scontrol"):
        fake(commands, name, f"env > {tmp_path}/environment_of_{name}")
    fake(commands, "squeue", "echo 7 0 PENDING 0 Resources")
    monkeypatch.setenv("PATH", f"{commands}:/usr/bin:/bin")
    return lambda *words, **environment: sweep(*WORDS, *words, cwd=tmp_path, **environment)


def variables(path: Path) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in path.read_text().splitlines())


def test_variables_of_an_allocation_do_not_reach_the_new_job(
    submit: Submit, tmp_path: Path
) -> None:
    own = {"SLURM_CONF": "/etc/own.conf", "SLURM_CLUSTERS": "", "TERM": "xterm"}
    of_job = {"SLURM_JOB_ID": "5", "SLURM_MEM_PER_CPU": "1500", "SBATCH_GPUS_PER_NODE": "1"}
    others = {"SQUEUE_FORMAT": "%i", "SLURM_TIME_FORMAT": "relative", "SLURM_EXPORT_ENV": "NONE"}
    done = submit("hydra.launcher.mem_gb=2", **own, **of_job, **others)
    assert done.code == 0, done.err
    for name in ("environment", "environment_of_scontrol"):
        found = variables(tmp_path / name)
        assert own.items() <= found.items()
        assert not found.keys() & {*of_job, *others}
    assert "--mem=2GB" in (tmp_path / "script").read_text()


def test_account_of_the_users_shell_is_an_option_of_the_script(
    submit: Submit, tmp_path: Path
) -> None:
    assert submit(SBATCH_ACCOUNT="lab").code == 0
    assert "#SBATCH --account=lab\n" in (tmp_path / "script").read_text()


@pytest.mark.parametrize("name", ["50%j_x", "a b='c'", "été,100%"])
def test_percent_in_the_path_is_no_pattern_of_slurm(
    name: str, submit: Submit, tmp_path: Path
) -> None:
    done = submit(f'machine.runs="{tmp_path}/{name}"')
    assert done.code == 0, done.err
    lines = (tmp_path / "script").read_text().splitlines()
    (output,) = [shlex.split(line)[1] for line in lines if line.startswith("#SBATCH --output")]
    (array,) = (tmp_path / name).glob(".sweeps/*/*/array.json")
    path = output.removeprefix("--output=").replace("%%", "\0").replace("%A_%a", "7_0")
    assert path.replace("\0", "%") == f"{array.parent}/7_0_0_log.out"
    hint = shlex.split(re.findall(r"clip-hparam (status .*) and the same", done.out)[0])
    assert hint[2:] == ["--watch", "--runs", f"{tmp_path}/{name}"]
    hint.remove("--watch")  # the job of this test never ends
    shown = clip_hparam(*hint, cwd=tmp_path)
    assert (shown.code, shown.err) == (0, "")


@pytest.mark.parametrize(
    "word", ["hydra.launcher.tasks_per_node=null", "~hydra.launcher.tasks_per_node"]
)
def test_tasks_per_node_can_be_left_out(word: str, submit: Submit, tmp_path: Path) -> None:
    done = submit(word)
    assert done.code == 0, done.err
    assert "ntasks-per-node" not in (tmp_path / "script").read_text()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("hydra.launcher.gpus_per_node=a100:1",), "hydra.launcher.gres=gpu:a100:1"),
        (("hydra.launcher.mem_gb=2", "hydra.launcher.mem_per_cpu=1G"), "exclude each other"),
        (("hydra.launcher.mem_gb=-1",), "mem_gb=-1 is not an amount of memory"),
        (
            ("hydra.launcher.timeout_min=1-00:00:00",),
            "timeout_min=1-00:00:00 is not a whole number",
        ),
        (("machine.runs='back\\slash'",), "with a backslash in its name"),
    ],
)
def test_wrong_options_submit_nothing(
    words: tuple[str, ...], sentence: str, submit: Submit, tmp_path: Path
) -> None:
    done = submit(*words)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert sentence in done.err
    assert not (tmp_path / "script").exists()


def test_output_of_srun_is_shown(
    submit: Submit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_poller, "LOST_SETTLE_SECONDS", 0.0)
    assert submit().code == 0
    (array,) = (tmp_path / "runs").glob(".sweeps/*/*/array.json")
    (array.parent / "7_0_0_log.err").write_text(f"{STEP_FAILED}\n")
    fake(tmp_path / "bin", "squeue", "echo 7 0 FAILED 256 NonZeroExitCode")
    shown = clip_hparam("status", cwd=tmp_path)
    assert "1 lost: Slurm job 7_0 ended FAILED 1:0 (" in shown.out
    assert STEP_FAILED in shown.out
    (path,) = (tmp_path / "runs").glob("*/status.json")
    failure = Record(path.parents[1], path.parent.name).failure()
    assert failure is not None
    assert STEP_FAILED in failure["message"]
    why = clip_hparam("why", path.parent.name, cwd=tmp_path).out
    assert why.count(STEP_FAILED) == 1  # in the message, and not again as output
    assert "run again in Slurm, with the other unfinished trials of its sweep: " in why


def test_a_job_names_its_trial(submit: Submit, tmp_path: Path) -> None:
    assert submit().code == 0
    (trial_id,) = [array.packs[0][0] for array in list_job_arrays(tmp_path / "runs")]
    shown = clip_hparam("why", "7_0", cwd=tmp_path)
    assert shown.out.startswith(f"{trial_id} is queued"), shown.err
    missing = clip_hparam("why", "7_1", cwd=tmp_path)
    assert (missing.code, missing.err.count("\n")) == (2, 1)
