"""Code that follows a trial, stops it or prunes it. Imports no torch.

A new tracker goes into `trackers`.
"""
