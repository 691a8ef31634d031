"""Columns are found by the metadata of Hugging Face, or by their type and name."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from clip_hparam.data.packs.parquet.features import find_columns

STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
FILE = Path("x.parquet")


def schema(features: object = None, **types: pa.DataType) -> pa.Schema:
    found = pa.schema(list(types.items()))
    if features is None:
        return found
    text = features if isinstance(features, str) else json.dumps({"info": {"features": features}})
    return found.with_metadata({b"huggingface": text.encode()})


def test_the_features_name_image_label_and_classes() -> None:
    features = {
        "img": {"_type": "Image"},
        "fine_label": {"_type": "ClassLabel", "names": ["b", "a"]},
        "coarse_label": {"_type": "ClassLabel", "names": ["c"]},
    }
    types = {"coarse_label": pa.int64(), "fine_label": pa.int64(), "img": STRUCT}
    found = find_columns(FILE, schema(features, **types))
    assert found == ("img.bytes", "img.path", "fine_label", ("b", "a"))


def test_a_declared_label_comes_before_a_column_that_is_named_like_one() -> None:
    features = {"image": {"_type": "Image"}, "breed": {"_type": "ClassLabel", "names": ["z"]}}
    types = {"image": STRUCT, "label": pa.string(), "breed": pa.int64()}
    assert find_columns(FILE, schema(features, **types)).label == "breed"


@pytest.mark.parametrize("features", [None, "{", "[]", {"image": []}])
def test_without_features_types_and_names_decide(features: object) -> None:
    types = {"image": STRUCT, "label": pa.string(), "caption": pa.string()}
    assert find_columns(FILE, schema(features, **types)) == (
        "image.bytes",
        "image.path",
        "label",
        (),
    )
    plain = {"jpg": pa.binary(), "cls": pa.int32()}
    assert find_columns(FILE, schema(features, **plain)) == ("jpg", "", "cls", ())


@pytest.mark.parametrize(
    ("types", "problem"),
    [
        ({"label": pa.int64()}, "has no column of images among label"),
        ({"image": STRUCT, "caption": pa.string()}, "has no column of labels among image, caption"),
        ({"a": STRUCT, "b": STRUCT, "label": pa.int64()}, "has the columns a, b of images"),
    ],
)
def test_unclear_columns_are_refused(types: dict[str, pa.DataType], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        find_columns(FILE, schema(**types))
