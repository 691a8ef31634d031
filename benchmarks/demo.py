"""Cost of `make demo` after set-up: wall and CPU seconds, and memory of all its processes.

python benchmarks/demo.py [SEEDS]
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rows import Row, row_of, to_markdown

ROOT = Path(__file__).parents[1]
SAMPLE_SECONDS = 1.0


def proportional_mb(session: int) -> float:
    """Return the memory of all processes of a session in MB, shared pages counted once (PSS)."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(folder.name)) == session:
                lines = (folder / "smaps_rollup").read_text().splitlines()
                total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue  # the process has ended meanwhile
    return total / 1024


def main() -> list[Row]:
    seeds = sys.argv[1] if len(sys.argv) > 1 else "5"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "sweep.py"), "-m", "sweeps=ladder", f"seeds={seeds}"]
        started, peak = time.monotonic(), 0.0
        driver = subprocess.Popen(command, cwd=folder, start_new_session=True)
        while driver.poll() is None:
            peak = max(peak, proportional_mb(driver.pid))
            time.sleep(SAMPLE_SECONDS)
        wall = time.monotonic() - started
        for what in ("tables", "figures"):
            words = [sys.executable, "-m", "clip_hparam.analysis", what, "ladder"]
            subprocess.run(words, cwd=folder, check=True)
        drawn = time.monotonic() - started - wall
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = used.ru_utime + used.ru_stime
        print((Path(folder) / "results" / "ladder.md").read_text())
        if driver.returncode:
            raise SystemExit(f"the sweep ended with exit code {driver.returncode}")
        what = f"demo: ladder, {seeds} seeds"
        figures = {
            ("sweep", "s"): wall,
            ("tables and figures", "s"): drawn,
            ("all processes", "CPU s"): cpu,
            ("all processes, shared pages counted once", "MB"): peak,
        }
        return [row_of(f"{what}, {name}", [value], unit) for (name, unit), value in figures.items()]


if __name__ == "__main__":
    print(to_markdown(main()))
