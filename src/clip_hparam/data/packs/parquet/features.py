"""Find the columns of images and labels in a Parquet file of Hugging Face.

The schema's metadata hold the features of the data set: {"info": {"features": {...}}}.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

FORM = "an image is a struct of bytes and path, and a label a number (ClassLabel) or a text"
IMAGE_NAMES = ("image", "img", "jpg", "png")
LABEL_NAMES = ("label", "labels", "fine_label", "cls", "class", "target")


class Columns(NamedTuple):
    """Columns of images and labels.

    image: the column of their bytes, "image.bytes". paths: their file names, empty without them.
    classes: names of the labels 0, 1, ...; empty if the labels are their names.
    """

    image: str
    paths: str
    label: str
    classes: tuple[str, ...]


def find_columns(path: Path, schema: Any) -> Columns:
    """Return the columns of a file.

    schema: pyarrow's.

    Raises: ValueError if there is no column of images or of labels, or several.
    """
    features = _features(schema.metadata or {})
    image = _choose_column(
        path, "images", _image_columns(schema, features), IMAGE_NAMES, schema.names
    )
    label = _choose_column(
        path, "labels", _label_columns(schema, features), LABEL_NAMES, schema.names
    )
    names = features.get(label, {}).get("names") or ()
    fields = _fields(schema.field(image).type)
    return Columns(
        image=f"{image}.bytes" if fields else image,
        paths=f"{image}.path" if "path" in fields else "",
        label=label,
        classes=tuple(map(str, names)),
    )


def _features(metadata: Mapping[bytes, bytes]) -> dict[str, Any]:
    try:
        found = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, LookupError, TypeError):
        return {}
    plain = found.items() if isinstance(found, dict) else ()
    return {name: feature for name, feature in plain if isinstance(feature, dict)}


def _image_columns(schema: Any, features: Mapping[str, Any]) -> list[str]:
    declared = _of_type(schema, features, "Image")
    structs = [name for name in schema.names if "bytes" in _fields(schema.field(name).type)]
    binary = [
        name for name in schema.names if "binary" in str(schema.field(name).type).split("<")[0]
    ]
    return declared or structs or binary


def _label_columns(schema: Any, features: Mapping[str, Any]) -> list[str]:
    declared = _of_type(schema, features, "ClassLabel")
    plain = ("int", "uint", "string", "large_string")
    typed = [name for name in schema.names if str(schema.field(name).type).startswith(plain)]
    return declared or [name for name in typed if name in LABEL_NAMES]


def _of_type(schema: Any, features: Mapping[str, Any], kind: str) -> list[str]:
    return [name for name in schema.names if features.get(name, {}).get("_type") == kind]


def _fields(kind: Any) -> list[str]:
    """Return the names of the fields of a struct, none for another type."""
    if not str(kind).startswith("struct"):
        return []
    return [kind.field(index).name for index in range(kind.num_fields)]


def _choose_column(
    path: Path, role: str, candidates: list[str], preferred: tuple[str, ...], columns: list[str]
) -> str:
    """Return the only candidate, or else the first preferred one.

    role: "images" or "labels". Raises: ValueError for no candidate, and for several of which none
    is preferred.
    """
    if len(candidates) == 1:
        return candidates[0]
    known = [name for name in preferred if name in candidates]
    if known:
        return known[0]
    if candidates:
        raise ValueError(
            f"{path} has the columns {', '.join(candidates)} of {role}, and which of them is meant"
            f" is not clear: rename one of them to {preferred[0]}"
        )
    raise ValueError(f"{path} has no column of {role} among {', '.join(columns)}: {FORM}")
