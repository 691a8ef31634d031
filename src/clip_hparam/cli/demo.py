"""demo: the paper's ladder in miniature, 21 real fine-tuning runs, its table and its figure.

It is `make demo` where the package is installed; both write the same records and results.
"""

import argparse
import sys
from pathlib import Path

from clip_hparam.cli.commands.command import Command
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.text.override_words import format_override
from clip_hparam.records.paths import DEFAULT_RUNS

SWEEP = "ladder"
SEEDS = 3  # `make ladder` adds the other seeds of the design


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    # not "runs", which must be a folder that exists
    parser.add_argument(
        "--runs", dest="records", type=Path, default=DEFAULT_RUNS, help="folder of the records"
    )
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder of the results")
    parser.add_argument(
        "--seeds", type=int, default=SEEDS, help=f"replicates of each rung ({SEEDS})"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the plan, start nothing")


def _run_demo(arguments: argparse.Namespace) -> int:
    """Run the sweep, then build its table and figure and print them."""
    from clip_hparam.cli.analysis_app.analysis import main as analysis  # lazy: pandas, 0.4 s
    from clip_hparam.cli.hydra_app.app import main as sweep  # lazy: Hydra, 0.3 s

    arguments.records.mkdir(parents=True, exist_ok=True)
    words = ["-m", f"sweeps={SWEEP}", f"seeds={arguments.seeds}"]
    if arguments.records != DEFAULT_RUNS:
        words.append(format_override("machine.runs", str(arguments.records)))
    words += ["dry_run=true"] if arguments.dry_run else []
    sys.argv[1:] = words
    code = sweep()
    if code != ExitCode.OK or arguments.dry_run:
        return code
    places = ["--runs", str(arguments.records), "--out", str(arguments.out)]
    for verb in ("tables", "figures"):
        code = code or analysis([verb, SWEEP, *places], prog="clip-hparam")
    table = arguments.out / f"{SWEEP}.md"
    if code == ExitCode.OK and table.exists():
        print(table.read_text(encoding="utf-8"))
        print(f"figure: {table.with_suffix('.png')}")
    return code


COMMANDS = (
    Command(
        "demo",
        "run the paper's ladder in miniature, in a few minutes",
        _add_arguments,
        _run_demo,
    ),
)
