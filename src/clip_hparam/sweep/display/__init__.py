"""Terminal output of sweeps and trials: text tables, results of cells, sparklines."""
