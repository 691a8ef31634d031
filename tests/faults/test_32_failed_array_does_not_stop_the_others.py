"""All trials of an array fail: other arrays run. sbatch refuses an array: none is submitted."""

import shutil
from pathlib import Path

import pytest
from support.cli import SHORT, fake, records, sweep
from support.slurm_cluster import Cluster
from support.slurm_jobs import SLURM, seed_of, submitted_arrays, trial_id_of

SPLIT = "echo MaxArraySize = 2"
LATER = "+hydra.launcher.additional_parameters.begin=now+600"
SECOND_REFUSED = """
[ "$1" = --test-only ] && exec {sbatch} "$@"
n=$(cat {count} 2>/dev/null || echo 0); echo $((n + 1)) > {count}
[ $n -lt 1 ] && exec {sbatch} "$@"
echo "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit" \
  "limit, user's size and/or time limits)" >&2
exit 1
"""


@pytest.fixture
def split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that is first on PATH; its scontrol prints a MaxArraySize of 2."""
    fake(tmp_path, "scontrol", SPLIT)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path


def test_failed_array_does_not_stop_the_others(slurm: Cluster, split: Path) -> None:
    folder = split / "work"
    for seed in (0, 1):
        (folder / "runs" / trial_id_of(seed) / "metrics.jsonl").mkdir(
            parents=True
        )  # cannot be written
    done = sweep("-m", "seeds=5", *SHORT, *SLURM, cwd=folder)
    assert done.code == 1, done.err
    assert [len(array.packs) for array in submitted_arrays(folder)] == [2, 2, 1]
    assert sorted(seed_of(one) for one in records(folder) if one.is_done()) == [2, 3, 4]
    assert done.out.count("failed: IsADirectoryError") == 2


def test_refused_array_cancels_the_submitted_ones(slurm: Cluster, split: Path) -> None:
    script = SECOND_REFUSED.format(count=split / "count", sbatch=shutil.which("sbatch"))
    fake(split, "sbatch", script)
    folder = split / "work"
    folder.mkdir()
    done = sweep("-m", "seeds=5", *SHORT, *SLURM, LATER, "detach=true", cwd=folder)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "trials_per_job" in done.err
    assert "2 jobs submitted before it were cancelled" in done.err
    assert submitted_arrays(folder) == []
    assert slurm.waiting() == []
