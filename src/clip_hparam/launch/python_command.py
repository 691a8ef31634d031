"""Run a command of this project in another process, as the stages of a campaign."""

import subprocess
import sys
from collections.abc import Sequence

from clip_hparam.config.exit_codes import ExitCode


def run_python(code: str, arguments: Sequence[str]) -> int:
    """Run Python code with arguments and return its exit code; Ctrl-C here also stops the code."""
    process = subprocess.Popen([sys.executable, "-c", code, *arguments])
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        return ExitCode.INTERRUPTED
