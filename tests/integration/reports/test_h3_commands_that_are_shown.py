"""Report H3: commands that the program prints can be pasted into a shell."""

import shlex
import subprocess

from clip_hparam.config.override_words import format_override

PATHS = ("/d/a,b", "/d/my photos", "it's", 'a"b', "$HOME", "`id`", "a\\", "été", "a;b", "!x", "")


def test_a_shell_reads_the_words_that_are_printed() -> None:
    words = [format_override("data.root", path) for path in PATHS]
    printed = f"printf '%s\\0' {shlex.join(words)}"
    done = subprocess.run(["bash", "-c", printed], capture_output=True, text=True, check=True)
    assert done.stdout.split("\0")[:-1] == words
