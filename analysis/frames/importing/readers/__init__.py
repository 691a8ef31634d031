"""One module per format of another tool; a new format goes here and into `formats.READERS`."""
