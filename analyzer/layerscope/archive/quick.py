"""Is there a compiled way through plain tar entries, and to the heap?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from layerscope.compiled import find


class Taker(Protocol):
    """Takes runs of plain entries; made of the columns that they go to and of what is to be done with contents (`runs.c`)."""

    def take(self, buffer: bytes, position: int, end: int, base: int, /) -> tuple[int, int]:
        """Take entries of `buffer[position:end]`, whose first byte is at `base` of the stream.

        Return where the first one begins that is not taken, and how many bytes of it must be at hand if that is all that
        stands in the way, else 0.
        """


Runs: Callable[..., Taker] | None = None
fingerprint: Callable[[bytes, bytes], int] | None = None
Column = tuple[list[bytes], list[bytes], Callable[[int], bytes]]
name_equal: Callable[[bytes, Sequence[Column]], None] | None = None
settle_heap: Callable[[int, int], bool] | None = None
trim_heap: Callable[[], bool] | None = None
_compiled = find("archive.runs")
if _compiled is not None:
    Runs, fingerprint, name_equal = _compiled.Runs, getattr(_compiled, "fingerprint", None), _compiled.name_equal
    settle_heap, trim_heap = getattr(_compiled, "settle_heap", None), getattr(_compiled, "trim_heap", None)  # of glibc only
