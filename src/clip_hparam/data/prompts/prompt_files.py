"""Read the files of data.class_names and data.templates: text, one a line, or JSON."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clip_hparam.data.folders.names import listed, normalized, repeated

COMMENT = "#"
PLACE = "{}"
NAMES_FORM = "a class name a line in the order of the classes, or JSON: a list, or {CLASS: NAME}"
TEMPLATES_FORM = "a template a line, such as: a photo of a {}. (or a JSON list of them)"


def read_class_names(file: str) -> list[str] | dict[str, str]:
    """Return the names in the order of the classes, or by class.

    A line may also be CLASS, a tab and NAME. A JSON object may have the form of ImageNet's index,
    {"0": ["n01440764", "tench"]}.

    Raises: FileNotFoundError, ValueError for a file that holds no names.
    """
    path, text = _read("data.class_names", file, NAMES_FORM)
    names: Any = _json("data.class_names", file, text) if path.suffix == ".json" else _lines(text)
    if isinstance(names, dict):
        names = _by_class(names)
    elif isinstance(names, list) and names and all("\t" in str(name) for name in names):
        names = _pairs(file, names)
    values = list(names.values()) if isinstance(names, dict) else names
    _require_texts("data.class_names", file, values, NAMES_FORM)
    found: list[str] | dict[str, str] = names
    return found


def read_templates(file: str) -> list[str]:
    """Return the templates; each holds {}, where the class name is put.

    Raises: FileNotFoundError, ValueError for a file that holds none, or one twice.
    """
    path, text = _read("data.templates", file, TEMPLATES_FORM)
    found = _json("data.templates", file, text) if path.suffix == ".json" else _lines(text)
    _require_texts("data.templates", file, found, TEMPLATES_FORM)
    templates: list[str] = found
    for template in templates:
        if PLACE not in template:
            raise ValueError(
                f"data.templates={file}: {template!r} does not hold {PLACE}, where the class name"
                f" is put: write {TEMPLATES_FORM}"
            )
    twice = repeated(templates)
    if twice:
        raise ValueError(f"data.templates={file} holds {twice[0]!r} twice: keep one line")
    return templates


def names_in_order(
    file: str,
    names: Sequence[str] | Mapping[str, str],
    classes: Sequence[str],
    every: Sequence[str],
) -> list[str]:
    """Return the name of each class.

    names: as of `read_class_names`. every: all classes of the data set, before data.subset.

    Raises: ValueError for another number of names, and for a class without one.
    """
    if isinstance(names, Mapping):
        by_class = {normalized(key): name for key, name in names.items()}
        missing = [name for name in classes if normalized(name) not in by_class]
        if missing:
            raise ValueError(
                f"data.class_names={file} has no name for {listed(missing)}: add"
                f" {'it' if len(missing) == 1 else 'them'}"
            )
        return [by_class[normalized(name)] for name in classes]
    if len(names) == len(classes):
        return list(names)
    if len(names) == len(every):
        return [
            name
            for name, class_name in zip(names, every, strict=True)
            if class_name in set(classes)
        ]
    kept = f", of which {len(classes):,} are kept" if len(every) != len(classes) else ""
    raise ValueError(
        f"data.class_names={file} holds {len(names):,} names, and the data set has {len(every):,}"
        f" classes{kept}: write {NAMES_FORM}"
    )


def _read(knob: str, file: str, form: str) -> tuple[Path, str]:
    path = Path(file).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"{knob}={file} is not a file: name a file that holds {form}")
    try:
        return path, path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{knob}={file} is not text in UTF-8: write {form}") from None


def _lines(text: str) -> list[str]:
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith(COMMENT)]


def _json(knob: str, file: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{knob}={file} is not JSON ({error}): fix it, or name it .txt") from None


def _by_class(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names by class, also of ImageNet's index."""
    values = list(tree.values())
    if values and all(isinstance(value, list) and len(value) == 2 for value in values):
        return {str(key): str(name).replace("_", " ") for key, name in values}
    return dict(tree)


def _pairs(file: str, lines: Sequence[str]) -> dict[str, str]:
    pairs = [line.split("\t", 1) for line in lines]
    names = {key.strip(): name.strip() for key, name in pairs}
    if len(names) < len(pairs):
        raise ValueError(f"data.class_names={file} names a class twice: keep one line of each")
    return names


def _require_texts(knob: str, file: str, values: Any, form: str) -> None:
    """Raise ValueError for no value, and for one that is no text or an empty one."""
    if not isinstance(values, list) or not values:
        raise ValueError(f"{knob}={file} is empty or has another form: write {form}")
    for number, value in enumerate(values):
        if not isinstance(value, str) or not value.strip():
            what = "empty" if value in ("", None) or isinstance(value, str) else "not text"
            raise ValueError(f"{knob}={file}: entry {number + 1} is {what}: write {form}")
