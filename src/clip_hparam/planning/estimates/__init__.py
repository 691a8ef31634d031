"""Estimates of what a trial needs: operations, seconds, memory of the GPU. Imports no torch."""
