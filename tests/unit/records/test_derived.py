"""Derived results are named by what they were made of, and read as they were written."""

import dataclasses
from pathlib import Path

from clip_hparam.records.derived import DerivedResult, Parent, read_derived, write_derived
from clip_hparam.records.metrics import reported_value
from clip_hparam.records.paths import derived_path

SOUP = DerivedResult(
    kind="soup",
    parents=(
        Parent("aa", "trial1", "best.safetensors"),
        Parent("bb", "trial2", "last.safetensors"),
    ),
    parameters={"rule": "greedy"},
    metrics={"test_acc1.ema.selected": 91.5},
    selected_weights="ema",
    data_fingerprint="cc",
    facts={"members": ["trial1"]},
)


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = write_derived(tmp_path, SOUP)
    assert path == derived_path(tmp_path, SOUP.derived_id)
    assert list(read_derived(tmp_path)) == [SOUP]
    assert SOUP.trial_ids == ["trial1", "trial2"]


def test_a_cut_file_and_a_newer_schema_are_left_out(tmp_path: Path) -> None:
    path = write_derived(tmp_path, SOUP)
    path.write_text(path.read_text().replace('"schema": 1', '"schema": 2'))
    other = write_derived(tmp_path, dataclasses.replace(SOUP, kind="wise_ft"))
    other.write_text(other.read_text()[:100])
    assert list(read_derived(tmp_path)) == []


def test_reported_value_reads_the_metrics() -> None:
    assert reported_value(dataclasses.asdict(SOUP)) == 91.5


def test_the_id_depends_on_weights_and_parameters_and_not_on_names_and_numbers() -> None:
    renamed = dataclasses.replace(SOUP, parents=(Parent("aa"), Parent("bb")), metrics={})
    assert renamed.derived_id == SOUP.derived_id
    others = [
        dataclasses.replace(SOUP, kind="wise_ft"),
        dataclasses.replace(SOUP, parents=(Parent("aa"),)),
        dataclasses.replace(SOUP, parameters={"rule": "uniform"}),
        dataclasses.replace(SOUP, data_fingerprint="dd"),
    ]
    assert len({SOUP.derived_id, *(other.derived_id for other in others)}) == 5
