"""The ladder on three disjoint sets of seeds: docs/evidence_sets.md and .csv.

    python benchmarks/evidence_sets.py [--seeds 10] [--runs runs] [--out docs] [OVERRIDE ...]

Runs the shipped ladder once for each set (trials that are done are not run again) and writes the
page from the records alone; --read-only runs nothing. OVERRIDE, such as data=digits, is typed
for all sets.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from clip_hparam import analysis
from clip_hparam.analysis.evidence.seed_sets import SEEDS_PER_SET, evidence_of_sets, seed_sets
from clip_hparam.analysis.report.seed_sets import write_seed_sets

ROOT = Path(__file__).parents[1]


def run_ladder(seeds: range, runs: Path, overrides: list[str]) -> None:
    """Run the ladder with these seeds; SystemExit with its exit code if it fails."""
    listed = ",".join(map(str, seeds))
    words = ["-m", "sweeps=ladder", f"seeds=[{listed}]", f"machine.runs={runs}", *overrides]
    code = subprocess.run([sys.executable, str(ROOT / "sweep.py"), *words], check=False).returncode
    if code:
        raise SystemExit(code)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=SEEDS_PER_SET, help="seeds of each set")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    parser.add_argument("--read-only", action="store_true", help="run nothing, read the records")
    parser.add_argument("overrides", nargs="*", metavar="OVERRIDE")
    arguments = parser.parse_args()
    if arguments.seeds < 2:
        parser.error(f"--seeds {arguments.seeds}: a set needs two seeds for an interval")
    sets = seed_sets(arguments.seeds)
    if not arguments.read_only:
        for seeds in sets:
            run_ladder(seeds, arguments.runs, arguments.overrides)
    frames = analysis.load(arguments.runs)
    try:
        found = evidence_of_sets(frames, sets)
    except (LookupError, ValueError) as error:
        raise SystemExit(f"evidence_sets: {error}") from None
    print(*write_seed_sets(frames, found, arguments.out), sep="\n")


if __name__ == "__main__":
    main()
