"""Captions and their tokens."""

import pytest

from clip_hparam.model.tiny_clip import glyphs
from clip_hparam.model.tiny_clip import model as tiny_clip
from clip_hparam.model.tiny_clip.captions import (
    CONTEXT_LENGTH,
    VOCABULARY,
    captions,
    tokenize,
)

SOME = range(0, 62 * 40, 7)  # indices of every character: 7 and 62 have no common divisor


def test_captions_use_each_word_of_the_vocabulary() -> None:
    texts = {
        text
        for index in SOME
        for glyph in [glyphs.render_glyph(0, index)]
        for text in captions(glyph.character, glyph.style)
    }
    prompts = {
        text for texts in (tiny_clip.DIGIT_PROMPTS + tiny_clip.CHARACTER_PROMPTS) for text in texts
    }
    tokens = [tokenize(text) for text in texts | prompts]
    assert {len(ids) for ids in tokens} == {CONTEXT_LENGTH}
    assert {VOCABULARY[token] for ids in tokens for token in ids} == set(VOCABULARY)


@pytest.mark.parametrize("text", ["the digit 10", "the cat", "the " * CONTEXT_LENGTH])
def test_unknown_word_and_too_long_text_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not know the word|use at most"):
        tokenize(text)
