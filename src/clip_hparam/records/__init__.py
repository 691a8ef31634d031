"""What ran: one folder per trial, one manifest per sweep, and how both are written and read.

Standard library only. A new file on disk goes here.
"""
