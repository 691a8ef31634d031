"""Trials in processes on this computer, forked from a server that has imported torch."""
