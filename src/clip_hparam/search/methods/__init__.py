"""The samplers that choose points and the pruners that end them early, with their options.

A new sampler is an entry of `samplers.SAMPLERS`, a new pruner an entry of `pruners.PRUNERS`.
"""
