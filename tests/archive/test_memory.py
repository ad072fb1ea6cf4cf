"""Does memory that was freed go back to the system, also where something small was made behind it?"""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest
from layerscope.archive import quick

PROGRAM = """
import resource
from layerscope.archive import quick
if {returning}:
    quick.return_memory()
del (large := [bytes(30 << 20)])[:]
for megabytes in range(1, 13):  # columns that grow, with small things made meanwhile
    large.append(bytearray(b"x") * (megabytes << 20))
    small = [bytes(2000) for _ in range(500)]
    large.append(small)
del large[::2]
print(int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() >> 20)
"""


@pytest.mark.skipif(
    quick.return_memory is None or platform.libc_ver()[0] != "glibc",
    reason="only the compiled part can ask for it, and only of glibc",
)
def test_what_is_freed_goes_back() -> None:
    kept, returned = (
        int(subprocess.run([sys.executable, "-c", PROGRAM.format(returning=one)], capture_output=True, check=True).stdout)
        for one in (False, True)
    )
    assert returned + 50 < kept
