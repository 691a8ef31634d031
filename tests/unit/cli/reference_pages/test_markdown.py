"""Tables keep bars in cells, and anchors are those of the Markdown of repositories."""

import pytest

from clip_hparam.cli.reference_pages.markdown import anchor, code, table


def test_a_bar_in_a_cell_is_escaped() -> None:
    assert table(["a", "b"], [["`x|y`", "two\nlines"]]).splitlines() == [
        "| a | b |",
        "| --- | --- |",
        "| `x\\|y` | two lines |",
    ]


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("data.shots", "datashots"),
        ("Exit codes", "exit-codes"),
        ("wise-ft", "wise-ft"),
        ("min_lr", "min_lr"),
    ],
)
def test_anchor(heading: str, expected: str) -> None:
    assert anchor(heading) == expected


def test_an_empty_text_has_no_backquotes() -> None:
    assert (code(""), code(0.5)) == ("", "`0.5`")
