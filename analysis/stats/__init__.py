"""Statistics of plain numbers: intervals, power, bootstrap, factorial contrasts."""
