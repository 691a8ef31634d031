"""`python -m analysis`, and its commands under `clip-hparam`: tables, figures, report, import."""
