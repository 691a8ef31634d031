"""Run benchmarks, print one table, and write RESULTS.json and the table in RESULTS.md.

python benchmarks/run.py [NAME ...] [--quick] [--out FOLDER]

NAME: scripts of this folder, without .py; default: all. --quick runs those that have quick
arguments, on small inputs, to see whether they work; its figures mean nothing and are not written
unless --out is given. Rows of earlier runs stay in RESULTS.json until they are measured again. Each
script runs in a process of its own; the exit code is 1 if one failed. See rows.py to add one.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from rows import Row, to_markdown

HERE = Path(__file__).parent
NOT_BENCHMARKS = ("rows", "run", "noop", "peer_hydra", "peer_slurm", "timm_peer", "gpu_check")
RUNS_OF_HOURS = ("landscape", "evidence_sets", "ablations")
"""Scripts that train hundreds of trials, and write files of the documentation: see the Makefile."""
JSON_NAME, PAGE_NAME = "RESULTS.json", "RESULTS.md"
BEGIN, END = "<!-- rows of make bench -->", "<!-- end of the rows -->"


def benchmarks() -> list[str]:
    """Return the names of all benchmarks, in alphabetical order."""
    excluded = {*NOT_BENCHMARKS, *RUNS_OF_HOURS}
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in excluded)


def run_script(name: str, quick: bool) -> tuple[int, list[Row]]:
    """Run a benchmark in a process of its own; return its exit code and its rows."""
    print(f"\n== {name}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.json"
        words = ["--script", name, "--rows", str(rows), *["--quick"] * quick]
        code = subprocess.run([sys.executable, __file__, *words], check=False).returncode
        found = json.loads(rows.read_text()) if rows.exists() else []
    return code, [Row(*values) for values in found]


def run_here(name: str, quick: bool, rows: Path) -> None:
    """Run a benchmark in this process and write its rows to a file, if it returns any.

    A script that is not part of quick runs is left out.
    """
    script = import_module(name)
    arguments = getattr(script, "QUICK", None) if quick else []
    if arguments is None:
        print("not part of --quick")
        return
    sys.argv = [f"{name}.py", *arguments]
    returned = script.main()
    if returned:
        rows.write_text(json.dumps([list(row) for row in returned]))


def write_results(folder: Path, rows: Sequence[Row]) -> None:
    """Merge the rows into RESULTS.json, and write the table of all rows into RESULTS.md."""
    path = folder / JSON_NAME
    known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    here = {"machine": f"{processor()}, {os.cpu_count()} cores", "date": date.today().isoformat()}
    for row in rows:
        known[row.name] = {**row._asdict(), **here}
        del known[row.name]["name"]
    known = dict(sorted(known.items()))
    path.write_text(json.dumps(known, indent=2) + "\n")
    every = [Row(name, *(values[key] for key in Row._fields[1:])) for name, values in known.items()]
    page = folder / PAGE_NAME
    text = page.read_text() if page.exists() else f"# Measurements\n\n{BEGIN}\n{END}\n"
    page.write_text(with_section(text, to_markdown(every)))


def with_section(text: str, table: str) -> str:
    """Return the page with the table between its marks.

    Raises: ValueError if the page has no marks.
    """
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{PAGE_NAME} needs the lines {BEGIN} and {END}, where the table goes")
    return f"{head}{BEGIN}\n{table}\n{END}{tail}"


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, help="folder of RESULTS.json and RESULTS.md")
    parser.add_argument("--script", help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.script:
        run_here(asked.script, asked.quick, asked.rows)
        return 0
    if unknown := set(asked.names) - set(benchmarks()):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}: try {', '.join(benchmarks())}")
    rows: list[Row] = []
    failed: list[str] = []
    for name in asked.names or benchmarks():
        code, own = run_script(name, asked.quick)
        rows += own
        failed += [name] * (code != 0)
    print(f"\n{to_markdown(rows)}")
    out = asked.out or (None if asked.quick else HERE)
    if out and rows:
        out.mkdir(parents=True, exist_ok=True)
        write_results(out, rows)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
