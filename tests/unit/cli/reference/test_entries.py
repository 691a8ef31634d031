"""Every key of the command line has a group, a meaning and a default."""

import pytest

from clip_hparam.cli.reference import groups
from clip_hparam.cli.reference.entries import entries, find_entry, of_group
from clip_hparam.cli.reference.groups import GROUPS, group_names


def test_every_key_has_a_meaning_and_a_group() -> None:
    assert [entry.name for entry in entries().values() if not entry.meaning] == []
    assert {entry.group for entry in entries().values()} == set(GROUPS)


def test_tables_of_groups_name_keys_that_exist() -> None:
    named = {
        *groups.FIRST_OF_GROUP, *groups.OUT_OF_ORDER, *groups.UNITS, *groups.MEANINGS
    }  # fmt: skip
    assert named - set(entries()) == set()


def test_a_key_that_is_named_nowhere_joins_the_group_before_it() -> None:
    assert group_names(["lr", "mine", "pool", "mine.too"]) == {
        "lr": "optimisation",
        "mine": "optimisation",
        "pool": "model",
        "mine.too": "model",
    }


@pytest.mark.parametrize(
    ("name", "group", "legal", "typed"),
    [
        ("lr", "optimisation", "number in (0, inf)", "lr=0.001"),
        ("ema_decay", "optimisation", "auto, or number in [0, 1)", "ema_decay=0.0"),
        ("mixup", "regularisation", "number in [0, inf)", "mixup=0.0"),
        ("hflip", "augmentation", "number in [0, 1]", "hflip=0.5"),
        ("pool", "model", "one of patch_mean, cls, clip", "pool=patch_mean"),
        ("precision", "model", "one of fp32, tf32, bf16, fp16", "precision=fp32"),
        ("data.root", "data", "", 'data.root=""'),
        ("machine.threads", "machine", "whole number in [1, inf)", "machine.threads=1"),
        ("detach", "driver", "true or false", "detach=false"),
    ],
)
def test_entries_describe_their_values(name: str, group: str, legal: str, typed: str) -> None:
    entry = find_entry(name)
    assert (entry.group, entry.legal, entry.typed) == (group, legal, typed)
    assert entry in of_group(group)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("learning_rate", "did you mean lr"), ("lrr", "did you mean lr"), ("qqqq", "a group is one")],
)
def test_an_unknown_name_is_answered_with_the_ones_that_may_be_meant(name: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        find_entry(name)
