"""Rendering of glyphs."""

import numpy as np

from clip_hparam.model.tiny_clip import glyphs


def test_glyph_is_a_function_of_seed_and_index() -> None:
    for index in range(0, 620, 31):
        first, again = glyphs.render_glyph(3, index), glyphs.render_glyph(3, index)
        other, next_round = glyphs.render_glyph(4, index), glyphs.render_glyph(3, index + 62)
        np.testing.assert_array_equal(first.image, again.image)
        assert (first.style, first.face) == (again.style, again.face)
        assert first.character == other.character == next_round.character
        assert (first.image != other.image).any()
        assert (first.image != next_round.image).any()
