"""The keys on docs/reference/record_schema.md are those of the files of a trial and of a sweep."""

import json
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from support.cli import SHORT, sweep

from clip_hparam.cli.reference_pages.record_keys import (
    MANIFEST_FILE,
    METRICS_FILE,
    RECIPE_FILE,
    RESULT_FILE,
    STATUS_FILE,
    RecordKey,
)

NESTED = ("numerics",)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("record_schema")
    words = ("-m", "seeds=1", "lr=1e-3", "hydra/launcher=inline", "tags=[a]")
    assert sweep(*words, *SHORT, cwd=folder).code == 0
    return folder / "runs"


def keys_of(tree: dict[str, Any]) -> Iterator[str]:
    """Yield the keys of a file, and those of the mappings whose parts the page lists."""
    for name, value in tree.items():
        yield name
        if name in NESTED:
            yield from (f"{name}.{part}" for part in value)


def check(tree: dict[str, Any], documented: Sequence[RecordKey]) -> None:
    found = list(keys_of(tree))
    unknown = [name for name in found if not any(fnmatch(name, key.name) for key in documented)]
    required = [key.name for key in documented if not key.optional]
    missing = [name for name in required if not any(fnmatch(one, name) for one in found)]
    assert (unknown, missing) == ([], [])


@pytest.mark.parametrize(
    ("pattern", "documented"),
    [
        ("[0-9a-f]*/recipe.json", RECIPE_FILE),
        ("[0-9a-f]*/status.json", STATUS_FILE),
        ("[0-9a-f]*/result.json", RESULT_FILE),
        (".sweeps/*.json", MANIFEST_FILE),
    ],
)
def test_a_file_has_the_documented_keys(
    runs: Path, pattern: str, documented: Sequence[RecordKey]
) -> None:
    (path,) = runs.glob(pattern)
    check(json.loads(path.read_text()), documented)


def test_an_epoch_has_the_documented_keys(runs: Path) -> None:
    (path,) = runs.glob("[0-9a-f]*/metrics.jsonl")
    check(json.loads(path.read_text().splitlines()[0]), METRICS_FILE)
