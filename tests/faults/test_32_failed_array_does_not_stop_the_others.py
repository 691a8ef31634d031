"""All trials of one array fail, or Slurm takes no further one: the others run, or none does."""

import shutil
from pathlib import Path

import pytest
from support.cli import SHORT, fake, records, sweep
from support.slurm_cluster import Cluster
from support.slurm_jobs import SLURM, id_of, seed_of, sent

SPLIT = "echo MaxArraySize = 2"
LATER = "+hydra.launcher.additional_parameters.begin=now+600"
SECOND_REFUSED = """
n=$(cat {count} 2>/dev/null || echo 0); echo $((n + 1)) > {count}
[ $n -lt 1 ] && exec {sbatch} "$@"
echo "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit" \
  "limit, user's size and/or time limits)" >&2
exit 1
"""


@pytest.fixture
def split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder first on PATH, where Slurm says that an array has two jobs at most."""
    fake(tmp_path, "scontrol", SPLIT)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path


def test_the_other_arrays_run(slurm: Cluster, split: Path) -> None:
    folder = split / "work"
    for seed in (0, 1):
        (folder / "runs" / id_of(seed) / "metrics.jsonl").mkdir(parents=True)  # cannot be written
    done = sweep("-m", "seeds=5", *SHORT, *SLURM, cwd=folder)
    assert done.code == 1, done.err
    assert [len(array.packs) for array in sent(folder)] == [2, 2, 1]
    assert sorted(seed_of(one) for one in records(folder) if one.is_done()) == [2, 3, 4]
    assert done.out.count("failed: IsADirectoryError") == 2


def test_nothing_is_submitted_half(slurm: Cluster, split: Path) -> None:
    script = SECOND_REFUSED.format(count=split / "count", sbatch=shutil.which("sbatch"))
    fake(split, "sbatch", script)
    folder = split / "work"
    folder.mkdir()
    done = sweep("-m", "seeds=5", *SHORT, *SLURM, LATER, "detach=true", cwd=folder)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "trials_per_job" in done.err
    assert "2 jobs submitted before it were cancelled" in done.err
    assert sent(folder) == []
    assert slurm.waiting() == []
