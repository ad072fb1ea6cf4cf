"""Does memory that was freed go back to the system?

glibc maps large blocks one by one, until the first is freed: from then on blocks of that size come from its heaps too, where
one small block that stays holds all that lies below it. That made a run half as large again as what it holds. Other C
libraries do without this, and then nothing is done here.
"""

from __future__ import annotations

from layerscope.archive import quick

LARGE = 1 << 20
"""More than a few pieces of what a decompressor gives: they are for the heap, where the next takes the same place again."""
SPARE = 1 << 22
"""Bytes at the end of a heap that are kept, because they will be wanted again."""


def settle() -> None:
    """Have large blocks mapped one by one for as long as the process lives, which is for a program to say."""
    if quick.settle_heap is not None:
        quick.settle_heap(LARGE, SPARE)


def trim() -> None:
    """Give back what is free."""
    if quick.trim_heap is not None:
        quick.trim_heap()
