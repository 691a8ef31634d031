"""CPU time of what people type and look at: help, status and top over 10,000 trials.

    python benchmarks/terminal.py [--cells 2000] [--rounds 5]

Each command is a process of its own with its imports. The user and system time of its children is
measured, in interleaved rounds. The peer of the help is `--help` of a Hydra app with one key; that
of the tables is a process that imports pandas and parses all result.json files with `json`. The
cache of the frames is warm.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from gather import write_trial
from rows import Row, ratio_of, row_of, to_markdown

from clip_hparam.records.manifests.manifest import manifest_tree, write_manifest

QUICK = ["--cells", "2", "--rounds", "1"]
SEEDS = 5
EPOCHS = 50
ROOT = Path(__file__).parents[1]
COMMAND = "import sys; from clip_hparam.cli.main import main; sys.exit(main())"
HYDRA_APP = """
import hydra
from omegaconf import OmegaConf
from hydra.core.config_store import ConfigStore
ConfigStore.instance().store(name="config", node=OmegaConf.create({"lr": 0.1}))
@hydra.main(version_base="1.3", config_path=None, config_name="config")
def main(config):
    pass
main()
"""
NAIVE = """
import json, sys, pathlib
import pandas
rows = [json.loads(path.read_text()) for path in pathlib.Path(sys.argv[1]).glob("*/result.json")]
print(len(pandas.DataFrame([row["metrics"] for row in rows])))
"""


def write_runs(runs: Path, cells: int) -> None:
    """Write a sweep of `cells` cells with five seeds each; the disk is not synced."""
    synced, os.fsync = os.fsync, lambda _: None
    try:
        planned = []
        for number in range(cells):
            lr = 1e-6 * (number + 1)
            trials = {
                str(seed): write_trial(runs, seed, EPOCHS, 95.0 + number % 7 / 10, lr=lr)
                for seed in range(SEEDS)
            }
            planned.append({"label": f"lr={lr:g}", "overrides": [f"lr={lr:g}"], "trials": trials})
        write_manifest(runs, manifest_tree("a" * 12, "lr", "grid", planned))
    finally:
        os.fsync = synced


def cpu_seconds(*words: str) -> float:
    """Return the user and system time of a Python process with these arguments."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *words], stdout=subprocess.DEVNULL, cwd=ROOT, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, words
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> list[Row]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        runs = Path(name)
        app = runs / "hydra_app.py"
        app.write_text(HYDRA_APP)
        write_runs(runs, arguments.cells)
        here = ("--runs", name)
        asked = {
            "help": ("sweep.py", "--help"),
            "Hydra's help": (str(app), "--help"),
            "status": ("-c", COMMAND, "status", *here),
            "status NAME": ("-c", COMMAND, "status", "lr", *here),
            "top": ("-c", COMMAND, "top", *here),
            "naive": ("-c", NAIVE, name),
        }
        cpu_seconds(*asked["top"])  # writes the cache
        taken: dict[str, list[float]] = {what: [] for what in asked}
        for _ in range(arguments.rounds):
            for what, words in asked.items():
                taken[what].append(cpu_seconds(*words))
    trials = f"{arguments.cells * SEEDS} trials"
    return [
        row_of("terminal: sweep.py --help", taken["help"], "CPU s"),
        ratio_of("terminal: help against Hydra", taken["help"], taken["Hydra's help"], "Hydra"),
        *(
            row_of(f"terminal: {what}, {trials}", taken[what], "CPU s")
            for what in ("status", "status NAME", "top")
        ),
        ratio_of(
            f"terminal: top, {trials}, against pandas", taken["top"], taken["naive"], "naive pandas"
        ),
    ]


if __name__ == "__main__":
    print(to_markdown(main()))
