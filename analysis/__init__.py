"""Read records into frames and make tables, figures and a report of them.

frames, stats -> evidence -> tables, figures -> report. Imports no torch and does not train.

The package is installed as `clip_hparam.analysis` (a link in src/clip_hparam). In a checkout,
`import analysis` and `python -m analysis` give the same modules under their short name.

    from clip_hparam import analysis

    frames = analysis.load("runs")
"""

import sys

if __name__ == "analysis":
    from clip_hparam import analysis as installed
    from clip_hparam.analysis.alias import AliasFinder

    sys.meta_path.insert(0, AliasFinder())
    sys.modules["analysis"] = installed
else:
    from clip_hparam.analysis.frames.frame import Frames, load

    __all__ = ["Frames", "load"]
