"""`python -m analysis ...`: the commands tables, figures, report, import and summary."""

import sys

from clip_hparam.cli.analysis_app.analysis import main

if __name__ == "__main__":
    sys.exit(main())
