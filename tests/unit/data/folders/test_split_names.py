"""Folders that are named like splits are recognised however they are written; others are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_hparam.data.folders.split_names import WORDS, SplitRole, plain_role, split_names

WORD_ROLES = [(word, role) for role, words in WORDS.items() for word in words]
CASES = st.sampled_from([str.lower, str.upper, str.title, str.swapcase])
BEFORE = st.sampled_from(["", " ", "1_", "01-", "2 ", "_"])
AFTER = st.sampled_from(["", " ", "_set", " Set", "-data", "Images", "2017", "_2012", "/"[:0], "."])
OTHER_NAMES = (
    *("cat", "trainer", "freight_train", "valley", "invalid", "contest", "latest", "device"),
    *("testament", "evaluate", "steam train", "test tube", "3", "", "été", "validated"),
)


@given(st.sampled_from(WORD_ROLES), CASES, BEFORE, AFTER)
def test_word_for_a_split_has_its_role(
    word_role: tuple[str, SplitRole], case: object, before: str, after: str
) -> None:
    word, role = word_role
    assert plain_role(f"{before}{case(word)}{after}") is role  # type: ignore[operator]


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_other_word_has_no_role(name: str) -> None:
    assert plain_role(name) is None


@given(
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8), st.sampled_from("_- ")
)
def test_folders_that_differ_in_a_word_are_splits(name: str, between: str) -> None:
    train, test = f"{name}{between}train", f"{name}{between}test"
    names = split_names([train, test])
    assert names.names_of_role(SplitRole.TRAIN) == [train]
    assert names.names_of_role(SplitRole.TEST) == [test]
    assert names.is_divided


def test_word_in_the_common_part_is_no_role() -> None:
    names = split_names(["TESTING_train", "TESTING_val", "TESTING_test"])
    assert names.names_of_role(SplitRole.TRAIN) == ["TESTING_train"]
    assert names.names_of_role(SplitRole.SELECTION) == ["TESTING_val"]
    assert names.names_of_role(SplitRole.TEST) == ["TESTING_test"]


@pytest.mark.parametrize(
    "folders",
    [
        ("freight_train", "steam_train"),
        ("steam_train", "steam_ship"),
        ("test_tube", "train_station"),
        ("a_train", "b_test"),
    ],
)
def test_class_names_that_hold_a_word_are_no_splits(folders: tuple[str, ...]) -> None:
    names = split_names(folders)
    assert not names
    assert names.others == sorted(folders)


def test_folders_next_to_the_splits_are_others() -> None:
    names = split_names(["val", "Train", "docs", "seg_test"])
    assert names.names == ["Train", "val"]
    assert names.others == ["docs", "seg_test"]
