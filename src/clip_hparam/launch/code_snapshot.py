"""The code that jobs run, as it was when they were submitted: a copy, named by its own hash.

    runs/.code/<hash>/clip_hparam/     the package, all of it
                      snapshot.json    the git state that it was taken from

Jobs of the same code share a copy, which never changes. Standard library only.
"""

import hashlib
import shutil
import tempfile
from pathlib import Path

import clip_hparam
from clip_hparam.records.atomic import write_json
from clip_hparam.records.paths import code_folder
from clip_hparam.records.provenance import SNAPSHOT_FILE, code_git_state

EXCLUDED_FOLDERS = ("__pycache__", "conf", "analysis")  # a job needs neither


def create_snapshot(runs: Path) -> Path:
    """The folder to import this package from; it is made once."""
    package = Path(clip_hparam.__file__).parent
    folder = code_folder(runs.absolute()) / package_hash(package)
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    copy = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".new-"))
    copy.chmod(0o755)
    shutil.copytree(package, copy / package.name, ignore=shutil.ignore_patterns(*EXCLUDED_FOLDERS))
    write_json(copy / SNAPSHOT_FILE, {"git": code_git_state()})
    try:
        return copy.rename(folder)
    except OSError:  # another driver was first
        shutil.rmtree(copy)
        return folder


def package_hash(package: Path) -> str:
    """Of the names and bytes of all files that are copied: 12 hex digits."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        name = path.relative_to(package)
        if path.is_file() and not set(EXCLUDED_FOLDERS).intersection(name.parts):
            digest.update(f"{name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]
