"""What do programs and jars tell of what is inside them?

Pure functions look at the content of the few files that may tell something; only what they found is held. Where the tar
lies in a file they read no more of a program than they ask for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from layerscope.archive.openfile import OpenFile
from layerscope.model import Kind, LayerIndex

Found = tuple[tuple[str, bytes], ...]


class Content(Protocol):
    """Bytes, or what slices like them."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __getitem__(self, part: slice, /) -> bytes:
        """Return some of them; both ends are given, and neither counts from the end."""


@dataclass(frozen=True, slots=True)
class Look:
    """Which files are worth a look, by path and mode, and what a look finds, by who looked."""

    worth: Callable[[bytes, int], bool]
    inspect: Callable[[bytes, Content], Found]


class Window:
    """Part of a buffer."""

    __slots__ = ("_buffer", "_size", "_start")

    def __init__(self, buffer: bytes | OpenFile, start: int, size: int) -> None:
        self._buffer = buffer
        self._start = start
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice, /) -> bytes:
        start, stop, _ = part.indices(self._size)
        return self._buffer[self._start + start : self._start + max(start, stop)]


def look_inside(buffer: bytes | OpenFile, start: int, index: LayerIndex, look: Look) -> None:
    """Add to an index what is found inside the files of a tar that begins at `start` of a buffer."""
    paths, modes, sizes, offsets = index.paths, index.modes, index.sizes, index.offsets
    for row, kind in enumerate(index.kinds):
        if kind == Kind.FILE and sizes[row] and look.worth(paths[row], modes[row]) and row not in index.sparse:
            found = look.inspect(paths[row], Window(buffer, start + offsets[row], sizes[row]))
            if found:
                index.inspected[row] = found
