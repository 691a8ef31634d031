"""The commands of docs/slurm.md run in order on a real Slurm."""

import json
import re
import shlex
from pathlib import Path

from support.cli import ROOT, SHORT, clip_hparam, results, sweep, wait_until
from support.slurm_cluster import Cluster

PARTITIONS = {"hydra.launcher.partition=gpu": "hydra.launcher.partition=main"}


def page_commands() -> list[list[str]]:
    """Return the commands of the first shell block, after those that set up the project."""
    text = (ROOT / "docs" / "slurm.md").read_text()
    block = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)[0].replace("\\\n", "")
    lines = [shlex.split(line, comments=True) for line in block.splitlines()]
    return [line for line in lines if line and line[0] in ("python", "clip-hparam")]


def test_commands_of_the_page_lead_to_a_table(slurm: Cluster, tmp_path: Path) -> None:
    for command, *words in page_commands():
        before = len(results(tmp_path))
        if command == "python":
            seeds = ("seeds=1",) if "-m" in words else ()
            asked = [PARTITIONS.get(word, word) for word in words[1:]]
            done = sweep(*asked, *seeds, *SHORT, cwd=tmp_path)
        else:
            done = clip_hparam(*words, cwd=tmp_path)
        assert done.code == 0, (words, done.err)
        if "detach=true" in words:
            count = int(re.findall(r"(\d+) of \d+ trials? (?:is|are) submitted", done.out)[0])
            expected = before + count
            wait_until(lambda n=expected: len(results(tmp_path)) == n, 200)  # type: ignore[misc]
        if words[0] == "status":
            sweeps = json.loads(clip_hparam("status", "--json", cwd=tmp_path).out)
            assert [one["states"] for one in sweeps] == [{"done": count}]
    assert (tmp_path / "results" / "lr.md").exists()
