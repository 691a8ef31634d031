"""A number is followed by the singular or the plural of its noun, and of its verb."""

import pytest

from clip_hparam.config.text.count import counted, is_are, was_were


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 seeds are"), (1, "1 seed is"), (1281, "1,281 seeds are")]
)
def test_a_noun_and_its_verb_agree_with_their_number(number: int, text: str) -> None:
    assert f"{counted(number, 'seed')} {is_are(number)}" == text
    assert was_were(number) == {"is": "was", "are": "were"}[text.rpartition(" ")[2]]


def test_a_noun_may_have_a_plural_of_its_own() -> None:
    assert [counted(n, "class", "classes") for n in (1, 2)] == ["1 class", "2 classes"]
