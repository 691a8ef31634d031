"""Move the memory of this process to huge pages when this module is imported.

The training stack is 440 MB of small pages. Each fork and each exit of a child walks all of them:
33 ms per trial, 11 ms with huge pages, which take 0.4 s to make once. Linux 6.1 and later makes
them on request; elsewhere nothing happens. Standard library only.
"""

import ctypes
import re
from pathlib import Path

HUGEPAGE, COLLAPSE = 14, 25  # madvise(2)
PRIVATE_MAPPING = re.compile(r"(\w+)-(\w+) rw.p \S+ \S+ 0\s*(\[heap\])?\s*")
"""A line of /proc/self/maps for a private writable mapping without a file."""


def use_huge_pages() -> None:
    """Ask the kernel to put each private writable mapping into huge pages."""
    libc = ctypes.CDLL(None)
    for line in Path("/proc/self/maps").read_text().splitlines():
        match = PRIVATE_MAPPING.fullmatch(line)
        if match is None:
            continue
        start, end = (int(address, 16) for address in match.group(1, 2))
        for advice in (HUGEPAGE, COLLAPSE):
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), advice)


if Path("/proc/self/maps").exists():
    use_huge_pages()
