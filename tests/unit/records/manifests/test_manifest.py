"""Sweep manifests: what is written is read back."""

from pathlib import Path
from typing import Any

import pytest

from clip_hparam.records.manifests.growing import GrowingManifest
from clip_hparam.records.manifests.manifest import (
    ManifestCell,
    manifest_tree,
    parse_manifest,
    read_manifests,
    write_manifest,
)
from clip_hparam.records.paths import manifest_path


def test_written_manifest_is_read_back(tmp_path: Path) -> None:
    cells: list[dict[str, Any]] = [
        {"label": "a", "overrides": ["lr=1"], "trials": {"1": "t1", "0": "t0"}},
        {"label": "b", "overrides": [], "trials": {"0": "t0"}},
    ]
    write_manifest(tmp_path, manifest_tree("s1", "lr", "grid", cells, race={"start": 3}))
    (manifest,) = read_manifests(tmp_path)
    assert manifest.cells[0] == ManifestCell("a", ("lr=1",), {0: "t0", 1: "t1"})
    assert (manifest.race, manifest.full, manifest.trial_ids) == ({"start": 3}, (), ["t0", "t1"])
    assert manifest.family == ""


def test_the_family_is_written_where_it_is_not_that_of_the_miniature(tmp_path: Path) -> None:
    for number, family in enumerate(("", "b16")):
        write_manifest(tmp_path, manifest_tree(f"s{number}", "lr", "grid", [], family))
    assert [one.family for one in read_manifests(tmp_path)] == ["", "b16"]
    assert "family" not in manifest_path(tmp_path, "s0").read_text()


def test_keys_of_a_manifest_keep_their_order() -> None:
    tree = manifest_tree("s1", "lr", "search", [], race={}, search={"full": {}})
    assert list(tree) == [
        *("schema", "sweep_id", "name", "kind", "race"),
        *("created", "command", "search", "cells"),
    ]


def test_growing_manifest_has_one_line_per_cell(tmp_path: Path) -> None:
    growing = GrowingManifest(manifest_path(tmp_path, "s1"))
    growing.write(manifest_tree("s1", "lr", "search", [], search={"full": {"epochs": "9"}}))
    for label in ("a", "b"):
        growing.add_cell({"label": label, "overrides": [], "trials": {}})
    assert len(growing.path.read_text().splitlines()) == 4
    (manifest,) = read_manifests(tmp_path)
    assert [one.label for one in manifest.cells] == ["a", "b"]
    assert manifest.full == ("epochs=9",)


@pytest.mark.parametrize("tree", [{}, {"sweep_id": "s"}, {"cells": 1}, {"search": []}])
def test_object_of_another_shape_is_no_manifest(tree: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="manifest"):
        parse_manifest(tree)
    write_manifest(tmp_path, {"sweep_id": "s1", **tree})
    assert read_manifests(tmp_path) == []
