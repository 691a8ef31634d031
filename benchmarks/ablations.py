"""The ladder and the tables of single knobs on a real data set: docs/ablations.md, figures and csv.

    python benchmarks/ablations.py [--data fashion_mnist] [--seeds 3] [--runs runs] [--out docs]
                                   [--designs ladder lr ...] [OVERRIDE ...]

Runs each design once (trials that are done are not run again, so that the same command continues
where it stopped) and writes the page from the records alone; --read-only runs nothing. OVERRIDE,
such as data.root=PATH, is typed for all designs.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from clip_hparam import analysis
from clip_hparam.analysis.evidence.ablation_set import DESIGNS, LADDER, ablation_frames
from clip_hparam.analysis.report.ablations_page import write_ablations

ROOT = Path(__file__).parents[1]
SETTINGS = {
    "fashion_mnist": ("data.shots=200", "data.selection=100", "data.epoch_images=1500"),
}
"""Overrides of a data set for an hour on two cores; docs/ablation_rules.md has the reasons."""
OPTIONS = ("eval_raw=end",)


def words_of(design: str, data: str, seeds: Sequence[int], runs: Path) -> list[str]:
    """Return the words of `python sweep.py` that run a design."""
    listed = ",".join(map(str, seeds))
    words = ["-m", f"sweeps={design}", f"data={data}", *SETTINGS.get(data, ()), *OPTIONS]
    return [*words, f"seeds=[{listed}]", f"machine.runs={runs}"]


def run_design(words: Sequence[str]) -> None:
    """Run a design; SystemExit with its exit code if it fails."""
    code = subprocess.run([sys.executable, str(ROOT / "sweep.py"), *words], check=False).returncode
    if code:
        raise SystemExit(code)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="fashion_mnist")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds, from 0")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    parser.add_argument("--designs", nargs="+", default=DESIGNS, choices=DESIGNS)
    parser.add_argument("--read-only", action="store_true", help="run nothing, read the records")
    parser.add_argument("overrides", nargs="*", metavar="OVERRIDE")
    arguments = parser.parse_args()
    if arguments.seeds < 2:
        parser.error(f"--seeds {arguments.seeds}: an interval needs two seeds")
    seeds = range(arguments.seeds)
    designs = [LADDER, *(name for name in DESIGNS if name in arguments.designs and name != LADDER)]
    for design in [] if arguments.read_only else designs:
        words = words_of(design, arguments.data, seeds, arguments.runs)
        run_design([*words, *arguments.overrides])
    try:
        frames = ablation_frames(analysis.load(arguments.runs), arguments.data, seeds, designs)
    except (LookupError, ValueError, OSError) as error:
        raise SystemExit(f"ablations: {error}") from None
    print(*write_ablations(frames, arguments.out), sep="\n")


if __name__ == "__main__":
    main()
