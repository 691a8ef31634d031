"""Write values as overrides of the command line, in Hydra's grammar. Standard library only.

    format_override("data.root", "/d/a,b")   data.root="/d/a,b"
    format_override("data.root", "2024")     data.root="2024"
    format_override("lr", 1e-3)              lr=0.001

Hydra reads the value, and a shell reads the word around it: print words with `shlex.join`, or as
`sweep_command`.
"""

import re
import shlex
import sys
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

from clip_hparam.config.machine import Machine

CHECKOUT_PROGRAM, INSTALLED_PROGRAM = ("python", "sweep.py"), ("clip-hparam", "sweep")
CONFIG_FOLDER_OPTIONS = ("--config-dir", "-cd")
BARE_TEXT = re.compile(r"(?=[A-Za-z_/.])[\w/.@%+:|-]*", re.ASCII)
"""Texts that Hydra reads as they are; a conservative part of its grammar."""
NOT_TEXT = re.compile(r"true|false|null|inf|nan|[.][0-9_]*(e[+-]?[0-9_]*)?", re.IGNORECASE)
"""Texts of the form of BARE_TEXT that Hydra reads as another type."""


def sweep_program() -> str:
    """Return "python sweep.py" in a checkout of this project, and "clip-hparam sweep" elsewhere."""
    return " ".join(program_words())


def program_words() -> tuple[str, str]:
    """Return the words of `sweep_program`."""
    script = CHECKOUT_PROGRAM[1]
    is_typed = bool(sys.argv) and Path(sys.argv[0]).name == script
    return CHECKOUT_PROGRAM if is_typed or Path(script).is_file() else INSTALLED_PROGRAM


def config_folder_words() -> list[str]:
    """Return --config-dir and its folder as they were typed; empty without them."""
    words = list(chain.from_iterable(word.split("=", 1) for word in sys.argv[1:]))
    following = [after for word, after in pairwise(words) if word in CONFIG_FOLDER_OPTIONS]
    return [CONFIG_FOLDER_OPTIONS[0], following[-1]] if following else []


def sweep_command(*words: str, runs: Path | str) -> str:
    """Return a command that sweeps, to type, with machine.runs where it is not the default."""
    place = [] if Path(runs) == Path(Machine.runs) else [format_override("machine.runs", str(runs))]
    return shlex.join([*program_words(), *words, *place])


def format_override(key: str, value: Any) -> str:
    """Return the override that gives a key this value; a str stays a str."""
    return f"{key}={format_value(value)}"


def format_value(value: Any) -> str:
    """Return a value in Hydra's grammar, such that parsing it gives the same value and type."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, str):
        is_bare = BARE_TEXT.fullmatch(value) and not NOT_TEXT.fullmatch(value)
        return value if is_bare else quote(value)
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(format_value, value))}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{format_value(item)}" for key, item in value.items()) + "}"
    return repr(value)


def quote(text: str) -> str:
    r"""Return a text in double quotes; \${ stands for ${, which would be a reference.

    Double quotes, because a shell puts single ones around the word.
    """
    return quote_reference(re.sub(r"(\\*)\$\{", r"\1\1\\${", text))


def quote_reference(text: str) -> str:
    """Return a text in double quotes, in which ${knob} stays a reference."""
    return '"' + re.sub(r'(\\*)("|\Z)', _escape_quote, text) + '"'


def unquote(text: str) -> str:
    """Return the text in Hydra's quotes; a value without quotes as it is."""
    if len(text) < 2 or text[0] != text[-1] or text[0] not in "'\"":
        return text
    body = re.sub(rf"((?:\\\\)*)\\{text[0]}", lambda m: m[1][::2] + text[0], text[1:-1])
    body = re.sub(r"(\\+)\Z", lambda m: m[1][::2], body)
    return re.sub(r"((?:\\\\)*)\\\$\{", lambda m: m[1][::2] + "${", body)


def _escape_quote(match: re.Match[str]) -> str:
    return match[1] * 2 + ('\\"' if match[2] else "")
