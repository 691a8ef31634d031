"""The driver dies right before or after it launches: the plan is on disk, none runs twice."""

import json
from pathlib import Path

import pytest
from support.cli import SHORT, clip_hparam, python, records, results, sweep

WORDS = ("-m", "lr=1e-3,2e-3", *SHORT)
# the driver, killed around the moment when a launcher takes its trials
KILLED = """
import os, signal, sys
from clip_hparam.cli.hydra_app.app import main
from clip_hparam.launch.local.pool import WorkerPool
submit = WorkerPool.submit

def dies(self, jobs):
    if sys.argv.pop(1) == "after":
        submit(self, jobs)
    os.kill(os.getpid(), signal.SIGKILL)

WorkerPool.submit = dies
if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_the_plan_is_on_disk_before_anything_runs(tmp_path: Path, moment: str) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED.replace("sys.argv.pop(1)", repr(moment)))
    assert python(script, *WORDS, cwd=tmp_path).code == -9
    (manifest,) = (tmp_path / "runs" / ".sweeps").glob("*.json")
    planned = json.loads(manifest.read_text())
    ids = {trial for cell in planned["cells"] for trial in cell["trials"].values()}
    assert "planned" in clip_hparam("status", cwd=tmp_path).out or records(tmp_path)
    assert sweep(*WORDS, cwd=tmp_path).code == 0
    assert results(tmp_path).keys() == ids
    assert len(list((tmp_path / "runs" / ".sweeps").glob("*.json"))) == 1
