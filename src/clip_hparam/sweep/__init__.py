"""Drive many trials: skip what is done, launch the rest, wait, and show progress and results."""
