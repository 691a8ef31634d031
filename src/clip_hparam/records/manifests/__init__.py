"""The manifest of a sweep: what it holds, how it is written, and which sweep a name means."""
