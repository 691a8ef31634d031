"""Typefaces of the glyphs, divided into those of training and those held out.

All are fonts that matplotlib installs. Whole faces are held out, among them each face of
HELD_OUT_FAMILY, so that zero-shot accuracy on them measures shapes that were never trained on.
Standard library only.
"""

import string
from dataclasses import dataclass


@dataclass(frozen=True)
class Face:
    """A typeface: a font file, or an alphabet of mathematical symbols in a font file.

    alphabet: code points of A, a and 0; the other characters follow in order.
    """

    family: str
    file: str
    bold: bool = False
    slanted: bool = False
    alphabet: tuple[int, int, int] = (ord("A"), ord("a"), ord("0"))

    def glyph(self, character: str) -> str:
        """Return the string that draws one of the 62 characters in this face."""
        runs = (string.ascii_uppercase, string.ascii_lowercase, string.digits)
        for run, first in zip(runs, self.alphabet, strict=True):
            if character in run:
                return chr(first + run.index(character))
        raise ValueError(f"{character!r} is not one of the 62 characters of the glyphs")


def _four_faces(family: str, upright: str, bold: str, italic: str, bold_italic: str) -> list[Face]:
    return [
        Face(family, upright),
        Face(family, bold, bold=True),
        Face(family, italic, slanted=True),
        Face(family, bold_italic, bold=True, slanted=True),
    ]


def _dejavu_faces(family: str, italic: str) -> list[Face]:
    stem = family.replace(" ", "")
    return _four_faces(family, stem, f"{stem}-Bold", f"{stem}-{italic}", f"{stem}-Bold{italic}")


FACES = (
    *_dejavu_faces("DejaVu Sans", "Oblique"),
    *_dejavu_faces("DejaVu Sans Mono", "Oblique"),
    *_dejavu_faces("DejaVu Serif", "Italic"),
    *_four_faces(
        "STIX General",
        *("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"),
    ),
    Face("STIX Sans", "STIXGeneral", alphabet=(0x1D5A0, 0x1D5BA, 0x1D7E2)),
    Face("STIX Sans", "STIXGeneral", bold=True, alphabet=(0x1D5D4, 0x1D5EE, 0x1D7EC)),
    Face("STIX Mono", "STIXGeneral", alphabet=(0x1D670, 0x1D68A, 0x1D7F6)),
    Face("Computer Modern", "cmr10"),
    Face("Computer Modern", "cmb10", bold=True),
    Face("Computer Modern", "cmti10", slanted=True),
    Face("Computer Modern", "cmmi10", slanted=True),
    Face("Computer Modern", "cmss10"),
    Face("Computer Modern", "cmtt10"),
)
HELD_OUT_FAMILY = "DejaVu Serif"
HELD_OUT_FILES = ("cmtt10", "STIXGeneralBolIta")
HELD_OUT_FACES = tuple(
    face for face in FACES if face.family == HELD_OUT_FAMILY or face.file in HELD_OUT_FILES
)
TRAIN_FACES = tuple(face for face in FACES if face not in HELD_OUT_FACES)
