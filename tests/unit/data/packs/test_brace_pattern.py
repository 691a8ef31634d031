"""A brace pattern stands for the names that a shell would make of it."""

import pytest

from clip_hparam.data.packs.brace_pattern import expand_braces, has_braces


def test_ranges_keep_their_digits_and_lists_their_order() -> None:
    assert expand_braces("{val,train}-{08..10}.tar") == [
        *("val-08.tar", "val-09.tar", "val-10.tar"),
        *("train-08.tar", "train-09.tar", "train-10.tar"),
    ]
    assert expand_braces("a.tar") == ["a.tar"]
    assert [has_braces(text) for text in ("a{0..1}", "a{b", "a")] == [True, False, False]


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("a-{3..1}.tar", "counts down from 3 to 1: write {1..3}"),
        ("a-{x}.tar", "holds {x}, which is neither a range such as {000..146} nor a list"),
        ("a-{0..999999}.tar", "stands for more than 100,000 files"),
    ],
)
def test_other_groups_are_refused(pattern: str, problem: str) -> None:
    with pytest.raises(ValueError, match=r"data.root=") as error:
        expand_braces(pattern)
    assert problem in str(error.value)
