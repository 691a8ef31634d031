"""Names of folders are compared in one form, and shown so that similar names differ."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from clip_hparam.data.folders.names import listed, normalized, readable, repeated

LETTERS = st.text(st.characters(categories=["L"]), min_size=1, max_size=6)


@given(LETTERS)
def test_all_forms_of_a_name_are_one_name(name: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    assert normalized(composed) == normalized(decomposed)


@given(LETTERS)
def test_shown_name_is_plain_or_ascii(name: str) -> None:
    assert readable(name) in (name, ascii(name))
    assert readable(unicodedata.normalize("NFD", "é")) == r"'e\u0301'"
    assert readable("cat ") == "'cat '"
    assert readable("\udcff") == r"'\udcff'"


def test_long_list_is_cut() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(n) for n in range(9)]) == "0, 1, 2, 3, 4 and 4 more"


def test_repeated_names_are_found_once_and_sorted() -> None:
    assert repeated(["b", "a", "b", "c", "a", "a"]) == ["a", "b"]
    assert repeated(["a", "A"]) == []
