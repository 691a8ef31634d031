"""A secret in an environment variable is in no file of a trial or a sweep."""

from pathlib import Path

import pytest
from support.cli import SHORT, plan, sweep

SECRET = "hunter2secret"
REFERENCE = "${oc.env:MY_SECRET}"
DESIGN = "# @package hydra.sweeper.design\nname: mine\nkind: grid\nknobs: {lr: [1e-3, 3e-3]}\n"
FILES = {
    "base": ("sweeps", f'{DESIGN}base: ["data.root={REFERENCE}"]'),
    "label": (
        "sweeps",
        "# @package hydra.sweeper.design\nname: mine\nkind: list\n"
        f'steps: [{{label: "{REFERENCE}", overrides: [epochs=1]}}]',
    ),
    "name": ("sweeps", DESIGN.replace("mine", f'"{REFERENCE}"')),
    "key": ("sweeps", f'{DESIGN}when: {{"{REFERENCE}": lr}}'),
    "recipe": ("recipe", f'# @package _global_\ndata: {{root: "{REFERENCE}"}}'),
    "launcher": ("machine", f'# @package hydra.launcher\nsetup: ["export TOKEN={REFERENCE}"]'),
    "quoted": ("recipe", "# @package _global_\ndata: {root: \"${oc.env:'MY_SECRET',x}\"}"),
    "nested": ("recipe", '# @package _global_\nlr: "${oc.decode:${oc.env:MY_SECRET}}"'),
}
TYPED = [
    f"data.root={REFERENCE}",
    f"machine.runs={REFERENCE}",
    f"encoder.pretrained=/x/{REFERENCE}",
    f"hydra.sweeper.study_name={REFERENCE}",
    f"hydra.sweeper.storage=sqlite:///{REFERENCE}.db",
    "data.root=${oc.env: MY_SECRET}",
    "data.root=${oc.env:MY_SECRET,default}",
    f"+hydra.job.env_set.TOKEN={REFERENCE}",
]


def assert_nowhere(folder: Path) -> None:
    for path in folder.rglob("*"):
        assert SECRET not in path.name
        assert path.is_dir() or SECRET.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("case", FILES)
def test_secret_of_a_file_is_refused(case: str, tmp_path: Path) -> None:
    group, text = FILES[case]
    (tmp_path / group).mkdir()
    (tmp_path / group / "mine.yaml").write_text(text)
    words = (f"--config-dir={tmp_path}", "-m", f"{group}=mine", *SHORT)
    done = plan(*words, cwd=tmp_path, MY_SECRET=SECRET)
    assert done.code == 2
    assert f"{group}/mine asks for ${{oc.env:" in done.err
    assert "MY_SECRET" in done.err
    assert done.err.count("\n") == 1
    assert SECRET not in done.out + done.err
    assert_nowhere(tmp_path)


@pytest.mark.parametrize("multirun", [[], ["-m"]], ids=["single", "sweep"])
@pytest.mark.parametrize("typed", TYPED)
def test_typed_secret_is_refused(typed: str, multirun: list[str], tmp_path: Path) -> None:
    done = plan(*multirun, typed, *SHORT, cwd=tmp_path, MY_SECRET=SECRET)
    assert done.code == 2
    assert "use a variable whose NAME begins with CLIP_HPARAM_" in done.err
    assert done.err.count("\n") == 1
    assert SECRET not in done.out + done.err
    assert_nowhere(tmp_path)


def test_password_of_a_storage_is_in_no_file(tmp_path: Path) -> None:
    url = "postgresql://me:${oc.env:CLIP_HPARAM_PASSWORD}@localhost:1/db"
    search = ("-m", "lr=interval(1e-3,1e-2)", "hydra.sweeper.n_trials=1")
    words = (*search, f"hydra.sweeper.storage={url}", *SHORT)
    done = plan(*words, cwd=tmp_path, CLIP_HPARAM_PASSWORD=SECRET)
    assert done.code == 2
    assert "storage=postgresql://me:***@localhost:1/db cannot be reached" in done.err
    assert SECRET not in done.out + done.err
    assert_nowhere(tmp_path)


def test_environment_of_a_trial_is_in_no_file(tmp_path: Path) -> None:
    done = sweep(*SHORT, "hydra.verbose=true", cwd=tmp_path, MY_SECRET=SECRET)
    assert done.code == 0
    assert (tmp_path / "runs").exists()
    assert_nowhere(tmp_path)
