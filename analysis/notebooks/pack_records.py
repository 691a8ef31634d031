"""Pack the records of sweeps for the notebooks: python analysis/notebooks/pack_records.py --help

The archive holds recipes, results, learning curves and correct images. It leaves out weights, logs,
and the paths and the name of the computer. Equal records give equal bytes.
"""

import argparse
import io
import json
import tarfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
FILES = ("recipe.json", "result.json", "status.json", "metrics.jsonl", "correct.npz")
OF_A_COMPUTER = ("host", "folder")


def pack(runs: Path, sweeps: list[str], target: Path, with_images: bool) -> int:
    """Write the archive of the newest sweep of each name; return its size in bytes."""
    manifests = sorted(
        (json.loads(path.read_text()) for path in runs.glob(".sweeps/*.json")),
        key=lambda tree: str(tree["created"]),
    )
    chosen = {tree["name"]: tree for tree in manifests if tree["name"] in sweeps}
    if missing := set(sweeps) - set(chosen):
        raise SystemExit(f"{runs} has no sweep {', '.join(sorted(missing))}")
    contents = {
        f".sweeps/{tree['sweep_id']}.json": _as_bytes(_without_computer(tree))
        for tree in chosen.values()
    }
    ids = {
        name
        for tree in chosen.values()
        for cell in tree["cells"]
        for name in cell["trials"].values()
    }
    for trial in sorted(ids):
        for name in FILES:
            path = runs / trial / name
            if path.exists() and (with_images or name != "correct.npz"):
                contents[f"{trial}/{name}"] = _content(path)
    with tarfile.open(target, "w:xz", preset=9) as archive:
        for name, content in sorted(
            contents.items(), key=lambda pair: pair[0].rpartition("/")[::-1]
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return target.stat().st_size


def _content(path: Path) -> bytes:
    """Return a file; of result.json and status.json, which nothing seals, what readers need."""
    if path.name == "status.json":
        tree = json.loads(path.read_text())
        return _as_bytes({key: tree[key] for key in ("schema", "state")})
    if path.name == "result.json":
        return _as_bytes(_without_computer(json.loads(path.read_text())))
    return path.read_bytes()


def _without_computer(tree: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON object without names and paths of the computer."""
    kept = {key: value for key, value in tree.items() if key not in OF_A_COMPUTER}
    if "command" in kept:
        words = [str(word) for word in kept["command"] if not str(word).startswith("machine.runs=")]
        kept["command"] = ["sweep.py", *words[1:]]
    return kept


def _as_bytes(tree: dict[str, Any]) -> bytes:
    return f"{json.dumps(tree, indent=1)}\n".encode()


def main() -> None:
    """Pack the sweeps that are named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, help="the runs folder")
    parser.add_argument("name", help="of the archive: NAME_records.tar.xz")
    parser.add_argument("sweeps", nargs="+", help="names of sweeps on record; the newest of each")
    parser.add_argument("--no-images", action="store_true", help="leave out the correct images")
    given = parser.parse_args()
    target = FOLDER / f"{given.name}_records.tar.xz"
    print(target.name, pack(given.runs, given.sweeps, target, not given.no_images), "bytes")


if __name__ == "__main__":
    main()
