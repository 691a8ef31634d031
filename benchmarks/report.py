"""Cost of a report: 1,000 trials of 50 epochs, a search of 900 and a grid of 20 cells x 5 seeds.

    python benchmarks/report.py [--trials 1000] [--browser]

Prints CPU seconds of the whole command with imports, and the size of the page. With --browser also
what a headless Chromium measures: milliseconds until the first view is drawn, and frames per second
while a brush moves along an axis of the parallel coordinates (report_browser.js).
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
from gather import write_trial
from rows import Row, row_of, to_markdown

from clip_hparam.records.atomic import write_json

CELLS, SEEDS, EPOCHS = 20, 5, 50
BROWSER_SECONDS = 300.0


def write_grid(runs: Path) -> None:
    cells = []
    for number in range(CELLS):
        lr = 1e-3 * (number + 1)
        ids = {
            str(seed): write_trial(runs, seed, EPOCHS, 95 + number / 10 + seed / 20, lr=lr)
            for seed in range(SEEDS)
        }
        cells.append({"label": f"lr={lr:g}", "overrides": [f"lr={lr:g}"], "trials": ids})
    write_manifest(runs, "lr", "grid", cells)


def write_search(runs: Path, trials: int) -> None:
    draw, cells = np.random.default_rng(0), []
    for seed in range(trials):
        knobs = {
            "lr": float(10 ** draw.uniform(-4, -1)), "layer_decay": float(draw.uniform(0.4, 1)),
            "drop_path": float(draw.choice([0.0, 0.1, 0.2])), "mixup": float(draw.uniform(0, 1)),
        }  # fmt: skip
        right = 97 - 4 * abs(np.log10(knobs["lr"]) + 2.5) + float(draw.normal())
        trial_id = write_trial(runs, seed, EPOCHS, min(right, 100.0), **knobs)
        cells.append({"label": f"draw {seed}", "overrides": [], "trials": {str(seed): trial_id}})
    write_manifest(runs, "random", "random", cells)


def write_manifest(runs: Path, name: str, kind: str, cells: list[dict[str, Any]]) -> None:
    head = {"schema": 1, "sweep_id": name, "name": name, "kind": kind, "created": "2026"}
    write_json(runs / ".sweeps" / f"{name}.json", {**head, "cells": cells})


def measure_in_browser(page: str, folder: Path) -> dict[str, Any]:
    """Return what report_browser.js posts from the page in a headless Chromium."""
    script = Path(__file__).with_name("report_browser.js").read_text()
    measured = page.replace("</html>", f"<script>{script}</script></html>").encode()
    results: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(measured)

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            results.append(json.loads(self.rfile.read(length)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Print nothing."""

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("--browser needs Chromium on the path")
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        command = [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1280,900",
            f"--user-data-dir={folder / 'profile'}", "--remote-debugging-port=0",
            f"http://127.0.0.1:{server.server_address[1]}/",
        ]  # fmt: skip
        browser = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + BROWSER_SECONDS
        while not results and time.monotonic() < deadline:
            time.sleep(0.2)
        browser.terminate()
        browser.wait()
        server.shutdown()
    if not results:
        raise SystemExit(f"the page did not answer in {BROWSER_SECONDS:.0f} s")
    return results[0]


def browser_rows(page: str, folder: Path, what: str) -> list[Row]:
    found = measure_in_browser(page, folder)
    rates = [1000 / max(ms, 1.0) for ms in found["times"]]
    return [
        row_of(f"{what}, first view", [found["first"]], "ms"),
        row_of(f"{what}, frames while brushing", rates, "1/s"),
    ]


def main() -> list[Row]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1_000)
    parser.add_argument("--browser", action="store_true", help="also measure in Chromium")
    arguments = parser.parse_args()
    trials = arguments.trials
    with tempfile.TemporaryDirectory() as name:
        runs, out = Path(name) / "runs", Path(name) / "results"
        runs.mkdir()
        write_grid(runs)
        write_search(runs, trials - CELLS * SEEDS)
        command = [sys.executable, "-m", "clip_hparam.analysis", "report"]
        command += ["--runs", str(runs), "--out", str(out)]
        started = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        wall = time.monotonic() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        size = (out / "report.html").stat().st_size / 1e6
        what = f"report: {trials} trials"
        figures = {"CPU s": used.ru_utime + used.ru_stime, "s": wall, "MB": size}
        rows = [row_of(f"{what}, {unit}", [value], unit) for unit, value in figures.items()]
        if arguments.browser:
            rows += browser_rows((out / "report.html").read_text(), Path(name), what)
        return rows


if __name__ == "__main__":
    print(to_markdown(main()))
