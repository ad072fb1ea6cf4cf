"""How is a file read in place? By reading, not through a mapping: a file that shrinks under one kills the process (E31)."""

from __future__ import annotations

import os
from collections.abc import Callable

WINDOW = 1 << 14
READ_ONLY = (
    os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
)  # a FIFO that took the file's place must not hold us
Stamp = tuple[int, int, int, int]


class OpenFile:
    """A file that slices like bytes; small slices come from a window.

    Its length is the one that it had at first. Where it has become shorter since, zeros are given and `short` is set. `close`
    lets go of the descriptor; the next slice opens the file again.
    """

    def __init__(self, open_it: Callable[[], int]) -> None:
        self._open = open_it
        self._descriptor: int | None = open_it()
        status = os.fstat(self._descriptor)
        self.stamp = stamp_of(status)
        self.short = False
        self._size = status.st_size
        self._window = b""
        self._start = 0

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        start, stop = part.start or 0, part.stop
        begin, end = start - self._start, stop - self._start
        if begin >= 0 and end <= len(self._window):
            return self._window[begin:end]
        if end - begin > WINDOW:
            return self._read(start, end - begin)
        self._window, self._start = self._read(start, WINDOW), start
        return self._window[: end - begin]

    def _read(self, start: int, size: int) -> bytes:
        if self._descriptor is None:
            self._descriptor = self._open()
        descriptor = self._descriptor
        os.lseek(descriptor, start, os.SEEK_SET)
        data = os.read(descriptor, size)
        while 0 < len(data) < size and (more := os.read(descriptor, size - len(data))):
            data += more
        missing = min(size, self._size - start) - len(data)
        if missing > 0:
            self.short = True
            data += bytes(missing)
        return data

    def close(self) -> None:
        """Let go of the descriptor."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def stamp_of(status: os.stat_result) -> Stamp:
    """Return what tells that a file is the same and was not written to."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def stamp_at(path: str | bytes) -> Stamp | None:
    """Return the stamp of what is at a path now, None if nothing is."""
    try:
        return stamp_of(os.stat(path))  # noqa: PTH116 - bytes
    except OSError:
        return None
