"""A copy of this package, as it was when jobs were submitted, from which these jobs import it.

    runs/.code/<hash>/clip_hparam/     the package
                      snapshot.json    the git state of the source

The hash is that of the content: jobs of the same code share a copy, which never changes. Standard
library only.
"""

import hashlib
import shutil
import tempfile
from pathlib import Path

import clip_hparam
from clip_hparam.records.atomic import write_json
from clip_hparam.records.paths import code_folder
from clip_hparam.records.provenance import SNAPSHOT_FILE, code_git_state

EXCLUDED_FOLDERS = ("__pycache__", "conf", "analysis")  # a job imports none of them


def create_snapshot(runs: Path) -> Path:
    """Copy this package, unless a copy exists, and return the folder to put on PYTHONPATH."""
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
    except OSError:  # another driver has made the same copy meanwhile
        shutil.rmtree(copy)
        return folder


def package_hash(package: Path) -> str:
    """Return 12 hex digits of the hash of the names and contents of all files that are copied."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        name = path.relative_to(package)
        if path.is_file() and not set(EXCLUDED_FOLDERS).intersection(name.parts):
            digest.update(f"{name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]
