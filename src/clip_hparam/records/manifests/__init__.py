"""The manifest of a sweep: its content, how it is written, and how a name finds a sweep."""
