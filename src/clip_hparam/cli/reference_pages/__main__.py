"""Write the pages: python -m clip_hparam.cli.reference_pages [FOLDER] (docs/reference)."""

import sys
from pathlib import Path

from clip_hparam.cli.reference_pages.pages import generated_pages

FOLDER = Path("docs/reference")


def main() -> None:
    """Write all pages into the folder."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in generated_pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
