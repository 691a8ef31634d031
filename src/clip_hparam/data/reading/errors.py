"""Errors of reading an image."""


class UnreadableImageError(ValueError):
    """A file that cannot be read as an image; the message is one sentence and names the file."""


class UnsupportedPixelsError(ValueError):
    """Pixels of a kind that is refused."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy
