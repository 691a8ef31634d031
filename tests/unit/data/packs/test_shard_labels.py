"""The label of a sample is its .cls, .txt or .json, or the folder of its key."""

import pytest

from clip_hparam.data.packs.shard_labels import kind_of, label_of


def test_the_first_kind_that_a_sample_has_labels_it() -> None:
    assert kind_of("a/b", {"jpg", "json", "cls"}) == "cls"
    assert kind_of("a/b", {"jpg", "json", "txt"}) == "txt"
    assert kind_of("a/b", {"jpg"}) == "folder"
    assert kind_of("b", {"jpg"}) is None


@pytest.mark.parametrize(
    ("kind", "key", "content", "label"),
    [
        ("cls", "k", b"17\n", "17"),
        ("txt", "k", "café ".encode(), "café"),
        ("json", "k", b"3", "3"),
        ("json", "k", b'{"id": 1, "label": 0}', "0"),
        ("json", "k", b'{"label": [1], "class_name": "cat"}', "cat"),
        ("folder", "train/n01440764/7", b"", "n01440764"),
    ],
)
def test_labels_are_read_as_text(kind: str, key: str, content: bytes, label: str) -> None:
    assert label_of(kind, key, content) == label


@pytest.mark.parametrize(
    ("kind", "content", "problem"),
    [
        ("cls", b" \n", "its .cls is empty"),
        ("txt", b"\xff\xfe\xfa", "its .txt is not text in UTF-8"),
        ("txt", b"a\nb", "its .txt holds several lines"),
        ("json", b"{", "its .json is not JSON"),
        ("json", b'{"label": true, "size": 3}', "its .json has no label"),
    ],
)
def test_other_content_is_refused(kind: str, content: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        label_of(kind, "k", content)
