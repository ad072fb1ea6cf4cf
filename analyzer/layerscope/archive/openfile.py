"""How is a file read in place? By reading, not through a mapping: a file that shrinks under one kills the process (E31)."""

from __future__ import annotations

import os
from collections.abc import Callable

READ_ONLY = (
    os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
)  # a FIFO that took the file's place must not hold us


def read_by_seeking(descriptor: int, size: int, start: int) -> bytes:
    """Read as `os.pread` does, where the platform has none."""
    os.lseek(descriptor, start, os.SEEK_SET)
    return os.read(descriptor, size)


read_at: Callable[[int, int, int], bytes] = getattr(os, "pread", read_by_seeking)
Stamp = tuple[int, int, int, int]


class OpenFile:
    """A file that slices like bytes; each slice is a read.

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

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        start = part.start or 0
        size = part.stop - start
        if self._descriptor is None:
            self._descriptor = self._open()
        data = read_at(self._descriptor, size, start)
        return data if len(data) == size else self._rest(data, start, size)

    def _rest(self, data: bytes, start: int, size: int) -> bytes:
        """Return a slice of which one read gave only the beginning: an interrupted read, the end, or a file that shrank."""
        assert self._descriptor is not None
        while len(data) < size and (more := read_at(self._descriptor, size - len(data), start + len(data))):
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
