"""What is a stack of layers? Every row has one fate, and every path at most one row that a container sees."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import field

from layerscope.frozen import frozen
from layerscope.model import Fate, Kind, Note

FILE, DIRECTORY, SYMLINK, HARDLINK, WHITEOUT, OPAQUE, OTHER = (
    int(kind) for kind in (Kind.FILE, Kind.DIRECTORY, Kind.SYMLINK, Kind.HARDLINK, Kind.WHITEOUT, Kind.OPAQUE, Kind.OTHER)
)
MARKS = (WHITEOUT, OPAQUE)
AUFS = b".wh..wh."
LIVE, REPLACED, DELETED = int(Fate.LIVE), int(Fate.REPLACED), int(Fate.DELETED)


@frozen
class Stack:
    """The stacked layers. A row is named by its id: `starts[layer position] + row of that layer's index`.

    starts    first row id of each layer position, and one past the last at the end
    fates     `Fate` of each row; of a regular file with hard links, the inode's: it lives while any of its names does
    ended     layer position that ended the row, -1 while it lives
    inodes    hard-link row -> the regular file's row that it names; -1 if it names nothing
    names     regular-file rows that have hard links: (fate, ended) of the row's own name
    visible   path -> row that a container sees there, all kinds
    numbers   number of each row's path: rows have one where they have one path
    successors  of each row whose name was REPLACED the row that took its place, else -1
    ousted    of each row the row whose place it took, -1 if it took none's; of several the last that went
    buried    for each layer position: path of a whiteout that hit something -> sizes of all files in the folder that it took
              away, 0 for a file
    """

    starts: tuple[int, ...]
    fates: bytearray
    ended: array[int]
    inodes: dict[int, int]
    names: dict[int, tuple[int, int]]
    visible: Mapping[bytes, int]
    numbers: array[int] = field(default_factory=lambda: array("i"))
    successors: array[int] = field(default_factory=lambda: array("i"))
    ousted: array[int] = field(default_factory=lambda: array("i"))
    buried: tuple[dict[bytes, int], ...] = ()
    notes: tuple[Note, ...] = ()

    def position_of(self, row: int) -> int:
        """Return the layer position of a row."""
        return bisect_right(self.starts, row) - 1

    def took_own(self, position: int) -> bool:
        """Tell whether a layer took away rows of its own."""
        ended, sought = self.ended[self.starts[position] : self.starts[position + 1]], array("i", [position])
        at = ended.tobytes().find(sought.tobytes())  # a look at bytes, which is done at once; it may find what is none
        return at >= 0 and position in ended

    def name_ended(self, row: int) -> int:
        """Return the layer position that took away the row's own name, -1 if it is still there."""
        name = self.names.get(row)
        return self.ended[row] if name is None else name[1]


def merge_repeats(stack: Stack, same_as: Sequence[int | None]) -> tuple[bytearray, array[int]]:
    """Return fates and ends in which the first of several equal layers speaks for all of them.

    `same_as` names for each layer the first one stored in the same member. A file of it is live if any of its rows shows it,
    else it has the fate of its last row.
    """
    fates, ended = stack.fates, stack.ended
    if all(first is None for first in same_as):
        return fates, ended
    fates, ended = fates[:], ended[:]
    for position, first in enumerate(same_as):
        if first is None:
            continue
        here, there = stack.starts[position], stack.starts[first]
        for row in range(stack.starts[position + 1] - here):
            if fates[there + row] != LIVE:
                fates[there + row], ended[there + row] = stack.fates[here + row], stack.ended[here + row]
    return fates, ended
