"""Words of the command line and of files, as Hydra's parser reads them.

`readable` quotes the text of a path where the grammar would read something else:
data.root=/d/été, data.root=/d/a(1), data.root=2024. An ambiguous or unreadable word is refused
with the words to type instead.
"""

import re
import shlex
from functools import lru_cache

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Glob, Override, QuotedString, Sweep
from hydra.errors import HydraException

from clip_hparam.cli.hydra_app.grammar.elements import element_texts
from clip_hparam.cli.hydra_app.grammar.keys import is_list, is_text, key_fields
from clip_hparam.cli.hydra_app.grammar.values import value_mistakes
from clip_hparam.config.text.override_words import (
    format_override,
    format_value,
    quote,
    quote_reference,
)

KEY = re.compile(r"(\+{0,2}|~)[A-Za-z_$][\w$./-]*(@[\w.]*)?", re.ASCII)
LOOKALIKES = str.maketrans(dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\u2014", "-"))
LOOKALIKES |= str.maketrans({"\u00a0": "", "\u202f": "", "\u2009": "", " ": "", ";": ","})
"""Characters in numbers that text processors, PDF files and other tools write."""


@lru_cache(maxsize=4096)
def readable(word: str) -> str:
    """Return an override with its text quoted where Hydra's grammar would read something else.

    Raises:
        ValueError: no key, or an unreadable or ambiguous value; the message has the words to type.
    """
    key, equals, raw = word.partition("=")
    name = key.lstrip("+")
    if key != key.strip() and KEY.fullmatch(key.strip()):
        typed = shlex.quote(f"{key.strip()}={raw.strip()}")
        raise ValueError(f"{shlex.quote(word)} has a space in its key: type {typed}")
    if not KEY.fullmatch(key) or not (equals or key.startswith("~")):
        raise ValueError(f"{shlex.quote(word)} is not an override: type KEY=VALUE, as in lr=1e-3")
    try:
        override = parse_word(word)
    except HydraException as error:
        return _quoted_text(key, raw) if is_text(name) else _refuse(key, raw, error)
    if key.startswith("++") and name in key_fields():
        return readable(f"{name}={raw}")
    return f"{key}={_text_value(key, raw, override)}" if is_text(name) else word


def single(word: str) -> str:
    """Return an override of one value, quoted like `readable`; commas belong to a text.

    Raises:
        ValueError: as `readable`, or several values for a key that is no text.
    """
    key, _, raw = word.partition("=")
    name = key.lstrip("+")
    if is_text(name) and _has_several_values(word):
        return f"{key}={quote_reference(raw)}"
    read = readable(word)
    if parse_word(read).is_sweep_override():
        raise ValueError(f"{word} gives several values where one is needed: list them in knobs")
    return read


def parse_word(word: str) -> Override:
    """Parse an override. Raises HydraException."""
    return OverridesParser.create().parse_override(word)


def _text_value(key: str, raw: str, override: Override) -> str:
    """Return the value of a text key; elements that Hydra would not read as text are quoted."""
    value = override._value
    if isinstance(value, ChoiceSweep):
        if all(map(_is_text_element, value.list)):
            return raw
        pairs = zip(value.list, element_texts(raw), strict=True)
        return ",".join(text if _is_text_element(item) else quote(text) for item, text in pairs)
    if isinstance(value, (Sweep, Glob)) or value is None or _is_text_element(value):
        return raw
    if isinstance(value, (list, dict)) and "," in raw:
        raise ValueError(_ambiguous(key, raw))
    return quote_reference(raw.strip())


def _is_text_element(element: object) -> bool:
    return element is None or isinstance(element, (str, QuotedString))


def _quoted_text(key: str, raw: str) -> str:
    """Return the override of an unreadable text in quotes; ValueError if it may be a list."""
    if "," in raw:
        raise ValueError(_ambiguous(key, raw))
    return f"{key}={quote_reference(raw)}"


def _ambiguous(key: str, raw: str) -> str:
    inside = re.fullmatch(r"\s*(?:choice\((.*)\)|\[(.*)\])\s*", raw)
    listed = next(filter(None, inside.groups()), raw) if inside else raw
    parts = [part.strip() for part in listed.split(",") if part.strip()]
    levels = f"{key}={','.join(map(format_value, parts))}"
    return (
        f"{key}={raw} is one text or several levels: type {shlex.quote(f'{key}={quote(raw)}')}"
        f" for the text, or -m {shlex.quote(levels)} for the levels"
    )


def _refuse(key: str, raw: str, error: HydraException) -> str:
    """Raise ValueError with the word to type instead of an unreadable one."""
    word, name = f"{key}={raw}", key.lstrip("+")
    if "null" in raw and "evaluating" in str(error):
        raise ValueError(f"{word}: null is not a level of {name}; list its values, {name}=a,b")
    if "evaluating" in str(error):
        reason = str(error).splitlines()[1:2] or [str(error)]
        raise ValueError(f"{word} cannot be read: {reason[0].partition(': ')[2]}")
    if "${" in raw:
        raise ValueError(
            f"{word} has a reference that cannot be read: a reference is ${{knob}}, complete and"
            " with no other inside"
        )
    if is_list(name):
        items = shlex.quote(format_override(key, [raw]))
        raise ValueError(f"{word} cannot be read: {name} is a list, type {items}")
    instead = re.sub(r",+$", "", re.sub(r",{2,}", ",", raw.translate(LOOKALIKES)))
    if instead != raw and _parses(f"{key}={instead}"):
        several = "-m " if "," in instead else ""
        raise ValueError(f"{word} cannot be read: type {several}{shlex.quote(f'{key}={instead}')}")
    if re.fullmatch(r"\[.*\]", raw):
        items = shlex.quote(format_override(key, [item.strip() for item in raw[1:-1].split(",")]))
        raise ValueError(f"{word} cannot be read: type {items}")
    if name in key_fields() and (mistakes := list(value_mistakes(name, [raw]))):
        raise ValueError(mistakes[0])
    quoted = shlex.quote(f"{key}={quote(raw)}")
    raise ValueError(f"{word} cannot be read: if its value is text, type {quoted}")


def _has_several_values(word: str) -> bool:
    try:
        return parse_word(word).is_sweep_override()
    except HydraException:
        return "," in word


def _parses(word: str) -> bool:
    try:
        parse_word(word)
    except HydraException:
        return False
    return True
