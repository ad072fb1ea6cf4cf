"""Is there a compiled way through plain tar entries, to prints, and to the heap?"""

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


class Divider(Protocol):
    """Takes a content in pieces; made of a key."""

    def update(self, piece: bytes, /) -> None:
        """Take the next piece."""

    def prints(self) -> bytes:
        """Return the fingerprints of all parts that are as long as the key is for, and of the rest, eight octets each."""


Runs: Callable[..., Taker] | None = None
Parts: Callable[[bytes], Divider] | None = None
fingerprint: Callable[[bytes, bytes], int] | None = None
FINAL = 0
"""Octets that a key has beside those that go with a content."""
number_equal: Callable[[bytes, Sequence[list[bytes]]], tuple[bytes, set[int]]] | None = None
settle_heap: Callable[[int, int], bool] | None = None
trim_heap: Callable[[], bool] | None = None
_compiled = find("archive.runs")
if _compiled is not None:
    Runs, number_equal = _compiled.Runs, _compiled.number_equal
    if hasattr(_compiled, "Parts"):  # the compiler had numbers of 128 bits
        Parts, fingerprint, FINAL = _compiled.Parts, _compiled.fingerprint, _compiled.FINAL
    settle_heap, trim_heap = getattr(_compiled, "settle_heap", None), getattr(_compiled, "trim_heap", None)  # of glibc only
