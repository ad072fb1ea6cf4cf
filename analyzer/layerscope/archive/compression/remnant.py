"""What of a compressed stream stands before its damage?

A decompressor that fails gives nothing of what it was given last, be it a whole small layer whose checksum alone is wrong.
Another is given that octet by octet, up to the one that it cannot take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from layerscope.archive.limits import MIB

HELD = MIB
STEP = 256
"""Bytes that are given at once before the last piece: of no format more than some MiB come of so few."""


class Remnant:
    """What a decompressor took so far of one member or frame, as long as it is little enough to be held."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self.given = 0  # bytes that came of it
        self.taken = 0  # by the second decompressor, once `again` is at its end

    def take(self, piece: bytes) -> None:
        """Hold a piece."""
        self._size += len(piece)
        if self._size > HELD:
            self._pieces.clear()
        elif piece:
            self._pieces.append(piece)

    def again(self, inflate: Callable[[bytes], bytes], errors: tuple[type[Exception], ...]) -> Iterator[bytes]:
        """Yield what a fresh decompressor makes of it, beyond what was given; nothing where too much was taken to be held."""
        passed = self.given
        *before, last = self._pieces or [b""]
        parts = (piece[at : at + STEP] for piece in before for at in range(0, len(piece), STEP))
        for piece in chain(parts, (last[at : at + 1] for at in range(len(last)))):
            try:
                output = inflate(piece)
            except errors:
                return
            self.taken += len(piece)
            if len(output) > passed:
                yield output[passed:]
            passed = max(passed - len(output), 0)
