"""Does memory that was freed go back, however blocks that stay lie among it?"""

from __future__ import annotations

import subprocess
import sys

import pytest
from layerscope.archive import heap, quick

GLIBC = pytest.mark.skipif(
    quick.trim_heap is None or sys.platform != "linux", reason="another C library, or nothing is compiled"
)
LEFT = """
from pathlib import Path
from layerscope.archive.heap import settle, trim

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

{first}
bytearray(b"x") * (24 << 20)  # mapped and freed: from now on blocks of that size come from the heap, if nothing is done
before = resident()
blocks = [(bytearray(b"x") * {size}, bytearray(b"y") * 2000) for _ in range((64 << 20) // {size})]
stay = [small for _, small in blocks]
del blocks
{last}
print((resident() - before) >> 20)
"""


def left(size: int, first: str = "", last: str = "") -> int:
    """Return how many MiB of 64 a process still has that freed them, but for a small block behind each."""
    run = subprocess.run(
        [sys.executable, "-c", LEFT.format(size=size, first=first, last=last)], capture_output=True, text=True, check=True
    )
    return int(run.stdout)


@GLIBC
def test_large_blocks_go_back_by_themselves():
    assert left(heap.LARGE, first="settle()") < 8
    assert left(heap.LARGE) > 32  # or there is no need for it any more


@GLIBC
def test_what_small_blocks_left_goes_back_when_it_is_trimmed():
    assert left(100_000, first="settle()", last="trim()") < 16
    assert left(100_000, first="settle()") > 32


def test_another_heap_is_left_alone(monkeypatch):
    monkeypatch.setattr(quick, "settle_heap", None)
    monkeypatch.setattr(quick, "trim_heap", None)
    heap.settle()
    heap.trim()
