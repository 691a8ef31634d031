"""Names and paths of everything in a runs folder besides the trials themselves."""

ARCHIVE_FOLDER = ".packs"
