"""Options of a Slurm job in a machine file and on the command line, as the plan of a sweep."""

from pathlib import Path

import pytest
from support.cli import plan

HEAD = "# @package _global_\n"
LAB = "defaults: [override /hydra/launcher: submitit_slurm]\nhydra: {launcher: {partition: lab}}\n"
SWEEP = ("-m", "lr=1e-3", "epochs=1", "dry_run=true")


def with_file(folder: Path, text: str) -> tuple[str, ...]:
    """Write FOLDER/mine/machine/lab.yaml and return the words of a sweep that chooses it."""
    path = folder / "mine" / "machine" / "lab.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return ("--config-dir", str(folder / "mine"), *SWEEP, "machine=lab")


@pytest.mark.parametrize("is_own", [True, False])
def test_an_option_on_the_command_line_replaces_that_of_the_machine_file(
    is_own: bool, tmp_path: Path
) -> None:
    words = with_file(tmp_path, HEAD + LAB) if is_own else (*SWEEP, "machine=slurm_gpu")
    own = "+hydra.launcher.additional_parameters.exclusive=user"
    given = ("hydra.launcher.partition=main", "hydra.launcher.mem_gb=null", own)
    done = plan(*words, *given, cwd=tmp_path)
    assert done.code == 0, done.err
    request = next(line for line in done.out.splitlines() if line.startswith("each Slurm job: "))
    assert request.startswith("each Slurm job: partition=main nodes=1 tasks_per_node=1 ")
    assert request.endswith(" exclusive=user")
    assert "mem_gb" not in request


def test_a_file_of_the_user_is_named_with_its_folder(tmp_path: Path) -> None:
    _, _, *words = with_file(tmp_path, HEAD + LAB)
    done = plan(*words, cwd=tmp_path)
    sentence = "unknown machine=lab: for mine/machine/lab.yaml type --config-dir mine before"
    assert (done.code, done.out, done.err) == (2, "", f"{sentence} machine=lab\n")
    assert plan("machine=**", cwd=tmp_path).err.startswith("unknown machine=**: choose from ")
    done = plan("--config-dir", "mine", *words, cwd=tmp_path)
    assert "sweep.py --config-dir mine ..." in " ".join(done.out.split())


def test_a_plan_without_slurm_asks_for_no_job(tmp_path: Path) -> None:
    assert "each Slurm job" not in plan(*SWEEP, cwd=tmp_path).out


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (LAB, "machine/lab needs `# @package _global_` as its first line: add it"),
        (
            HEAD + LAB.replace("partition", "time"),
            "machine/lab: unknown key hydra.launcher.time: write hydra.launcher.timeout_min"
            " (hydra/launcher=submitit_slurm)",
        ),
        (
            HEAD + LAB.replace("submitit_slurm", "workers"),
            "machine/lab: hydra.launcher.partition is an option of Slurm jobs, and no Slurm is"
            " chosen: add hydra/launcher=submitit_slurm, or machine=slurm_gpu",
        ),
    ],
)
def test_a_mistake_in_a_machine_file_is_one_sentence(
    text: str, sentence: str, tmp_path: Path
) -> None:
    done = plan(*with_file(tmp_path, text), cwd=tmp_path)
    assert (done.code, done.out, done.err) == (2, "", f"{sentence}\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("machine=slurm_gpu", "+hydra.launcher.mem=8G"), "write hydra.launcher.mem_gb"),
        (("machine=slurm_gpu", "+hydra.launcher.acount=a"), "did you mean account or comment?"),
        (("hydra.launcher.partition=main",), "no Slurm is chosen: add hydra/launcher="),
        (("+hydra.launcher.partition=main",), "no Slurm is chosen: add hydra/launcher="),
    ],
)
def test_a_mistake_on_the_command_line_is_one_sentence(
    words: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    done = plan(*SWEEP, *words, cwd=tmp_path)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert sentence in done.err
