"""Where trials run: the launcher interface, and the code that runs a trial in a process.

A new launcher goes here.
"""
