"""The driver is killed right before or after launch: the manifest exists, no trial runs twice."""

import json
from pathlib import Path

import pytest
from support.cli import SHORT, clip_hparam, python, records, results, sweep

WORDS = ("-m", "lr=1e-3,2e-3", *SHORT)
# a driver that kills itself right before or after its launcher takes the trials
KILLED = """
import os, signal, sys
from clip_hparam.cli.hydra_app.app import main
from clip_hparam.launch.local.pool import WorkerPool
submit = WorkerPool.submit

def submit_and_exit(self, jobs):
    if sys.argv.pop(1) == "after":
        submit(self, jobs)
    os.kill(os.getpid(), signal.SIGKILL)

WorkerPool.submit = submit_and_exit
if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_manifest_is_written_before_trials_start(tmp_path: Path, moment: str) -> None:
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
