"""What a terminal shows of sweeps and trials: tables of text, results of cells, small curves."""
