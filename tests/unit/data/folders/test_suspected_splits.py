"""Names that look like splits are suspected where all folders have such names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_hparam.data.folders.split_names import WORDS, SplitRole
from clip_hparam.data.folders.suspected_splits import FOREIGN, suspected_role, suspected_roles

TRAIN, SELECTION, TEST = SplitRole.TRAIN, SplitRole.SELECTION, SplitRole.TEST


@pytest.mark.parametrize(
    ("names", "roles"),
    [
        (("tr", "te"), (TRAIN, TEST)),
        (("treino", "teste"), (TRAIN, TEST)),
        (("trains", "tests"), (TRAIN, TEST)),
        (("Validate", "vali", "testA"), (SELECTION, SELECTION, TEST)),
        (("train", "testA", "test_b"), (TRAIN, TEST, TEST)),
        (("trainval", "test"), (TRAIN, TEST)),
        (("photos_tr", "photos_te"), (TRAIN, TEST)),
        (("2021 entraînement", "2021 essai"), (TRAIN, TEST)),
        (("训练集", "验证集", "测试集"), (TRAIN, SELECTION, TEST)),
        (("EĞİTİM", "test"), (TRAIN, TEST)),
    ],
)
def test_names_that_look_like_splits(names: tuple[str, ...], roles: tuple[SplitRole, ...]) -> None:
    assert suspected_roles(names) == dict(zip(names, roles, strict=True))


@pytest.mark.parametrize(
    "names",
    [
        *(("cat", "dog"), ("train", "tram"), ("tr", "fr"), ("tennis", "trap"), ("truck", "van")),
        *(("valley", "river"), ("test_tube", "flask"), ("trainer", "coach"), ("a_train", "b_tram")),
        *(("tr",), ("tr", "te", "va", "vl"), ("positive", "negative"), ("0", "1")),
    ],
)
def test_names_of_classes_are_not_suspected(names: tuple[str, ...]) -> None:
    assert suspected_roles(names) is None


@given(
    st.sampled_from([(word, role) for role, words in FOREIGN.items() for word in words]),
    st.sampled_from([str.lower, str.upper, str.title]),
)
def test_foreign_words_have_their_role_in_any_case(
    word_role: tuple[str, SplitRole], case: object
) -> None:
    word, role = word_role
    assert suspected_role(case(word)) is role  # type: ignore[operator]


@given(
    st.sampled_from([(word, role) for role, words in WORDS.items() for word in words]),
    st.sampled_from(["s", "A", "_b", "1", "-2", "12"]),
)
def test_inflected_words_have_their_role(word_role: tuple[str, SplitRole], end: str) -> None:
    word, role = word_role
    assert suspected_role(word + end) is role
