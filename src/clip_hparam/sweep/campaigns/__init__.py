"""Campaigns: studies in four stages, each a sweep that is planned from the results before it."""
