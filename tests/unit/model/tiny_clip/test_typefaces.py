"""Typefaces: held-out faces and their characters."""

import pytest

from clip_hparam.model.tiny_clip import glyphs, typefaces
from clip_hparam.model.tiny_clip.captions import (
    CHARACTERS,
)

SOME = range(0, 62 * 40, 7)  # indices of every character: 7 and 62 have no common divisor


def test_held_out_faces_are_never_drawn_for_training() -> None:
    drawn = {glyphs.render_glyph(0, index).face for index in SOME}
    assert drawn == set(typefaces.TRAIN_FACES)
    assert drawn.isdisjoint(typefaces.HELD_OUT_FACES)
    assert typefaces.HELD_OUT_FAMILY not in {face.family for face in drawn}


@pytest.mark.parametrize("face", typefaces.FACES, ids=lambda face: f"{face.family} {face.file}")
def test_face_draws_62_different_characters(face: typefaces.Face) -> None:
    assert len({face.glyph(character) for character in CHARACTERS}) == 62
    masks = {glyphs.render_mask(face, character, 0).tobytes() for character in CHARACTERS}
    assert len(masks) >= 61  # Computer Modern's old-style zero may be its small o
