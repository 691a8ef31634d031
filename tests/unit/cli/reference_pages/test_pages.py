"""The committed pages of docs/reference are those that the code generates."""

import pytest
from support.cli import ROOT

from clip_hparam.cli.reference_pages.pages import generated_pages

FOLDER = ROOT / "docs" / "reference"
PAGES = generated_pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_committed_page_is_the_generated_one(name: str) -> None:
    assert (FOLDER / name).read_text() == PAGES[name], (
        "python -m clip_hparam.cli.reference_pages writes the pages of the present code"
    )


def test_no_other_page_is_in_the_folder() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(PAGES)
