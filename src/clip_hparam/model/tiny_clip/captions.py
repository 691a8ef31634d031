"""Captions of glyphs for pre-training, and the vocabulary of the text tower.

The vocabulary is closed and has a token for each word of the captions. Characters are words, so
`a` and `A` differ, and no caption contains the article "a". Captions are detailed so that images of
a batch rarely share one, which the contrastive loss would count as an error. Standard library only.
"""

import string
from collections.abc import Iterable
from dataclasses import dataclass

CHARACTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
DIGIT_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
STROKE_WEIGHTS = ("thin", "plain", "bold")
SLANTS = ("upright", "slanted")
FOCUSES = ("sharp", "blurred")
INKS = {
    "black": (0, 0, 0),
    "gray": (128, 128, 128),
    "white": (255, 255, 255),
    "red": (210, 30, 30),
    "orange": (250, 140, 20),
    "yellow": (250, 230, 40),
    "green": (30, 150, 50),
    "cyan": (60, 220, 230),
    "blue": (30, 50, 200),
    "purple": (120, 30, 160),
    "pink": (250, 150, 200),
    "brown": (110, 65, 25),
}
PAD, START, END = "[pad]", "[start]", "[end]"
CONTEXT_LENGTH = 16


@dataclass(frozen=True)
class GlyphStyle:
    """Appearance of a glyph in the words of its captions."""

    weight: str
    slant: str
    focus: str
    ink: str
    ground: str


def character_names(character: str) -> tuple[str, str]:
    """Return the long and the short name of one of the 62 characters."""
    if character.isdigit():
        return f"digit {character}", f"number {DIGIT_NAMES[int(character)]}"
    if character.isupper():
        return f"uppercase letter {character}", f"capital {character}"
    return f"lowercase letter {character}", f"small {character}"


def captions(character: str, style: GlyphStyle) -> list[str]:
    """Return the 12 captions of one glyph."""
    colours = f"{style.ink} on {style.ground}"
    return [
        caption
        for name in character_names(character)
        for caption in (
            f"the {name}",
            f"{style.focus} image of the {name}",
            f"the {style.weight} {style.slant} {name}",
            f"the {name} in {colours}",
            f"{style.focus} image of the {style.weight} {name} in {colours}",
            f"the {style.weight} {style.slant} {style.ink} {name} on {style.ground} background",
        )
    ]


def prompts(character: str, styles: Iterable[GlyphStyle]) -> list[str]:
    """Return the captions of a character in several styles, without duplicates, as prompts."""
    return list(dict.fromkeys(text for style in styles for text in captions(character, style)))


def _vocabulary() -> tuple[str, ...]:
    """Return the words in the order of their token ids; CLIP's argmax pooling needs END last."""
    function_words = ("the", "image", "of", "in", "on", "background")
    kinds = ("digit", "number", "uppercase", "capital", "lowercase", "small", "letter")
    styles = (*STROKE_WEIGHTS, *SLANTS, *FOCUSES, *INKS)
    return (PAD, START, *function_words, *kinds, *styles, *DIGIT_NAMES, *CHARACTERS, END)


VOCABULARY = _vocabulary()
_TOKEN_IDS = {word: token for token, word in enumerate(VOCABULARY)}


def tokenize(text: str) -> list[int]:
    """Return CONTEXT_LENGTH token ids: start, the words, end, padding.

    Raises: ValueError for a word that is not in the vocabulary and for a text that is too long.
    """
    words = text.split()
    unknown = [word for word in words if word not in _TOKEN_IDS]
    if unknown:
        raise ValueError(
            f"tiny CLIP does not know the word {unknown[0]!r} of {text!r}: write it with its "
            f"{len(VOCABULARY)} words, listed in clip_hparam.model.tiny_clip.captions.VOCABULARY"
        )
    if len(words) > CONTEXT_LENGTH - 2:
        raise ValueError(f"{text!r} has {len(words)} words: use at most {CONTEXT_LENGTH - 2}")
    tokens = [_TOKEN_IDS[word] for word in (START, *words, END)]
    return tokens + [_TOKEN_IDS[PAD]] * (CONTEXT_LENGTH - len(tokens))
