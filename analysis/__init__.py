"""Evidence from the records of trials: frames, tables, figures. Never trains, never needs torch.

    records -> frame (+ sweeps) -> evidence -> tables, plots

Each module imports only what stands left of it. A notebook needs one line:

    frames = analysis.load("runs")
"""

from analysis.frame import Frames, load

__all__ = ["Frames", "load"]
