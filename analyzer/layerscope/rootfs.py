"""What does a container see, and what became of everything else?

The layers are stacked as overlayfs stacks them, with the image specification's whiteouts; every row gets one fate.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stack:
    """The stacked layers. A row is named by its id: `starts[layer position] + row of that layer's index`.

    starts    first row id of each layer position, and one past the last at the end
    fates     `Fate` of each row; of a regular file with hard links, the inode's: it lives while any of its names does
    ended     layer position that ended the row, -1 while it lives
    inodes    hard-link row -> the regular file's row that it names; -1 if it names nothing
    names     regular-file rows that have hard links: (fate, ended) of the row's own name
    visible   path -> row that a container sees there, all kinds
    """

    starts: tuple[int, ...]
    fates: bytearray
    ended: array[int]
    inodes: dict[int, int]
    names: dict[int, tuple[int, int]]
    visible: dict[bytes, int]

    def name_ended(self, row: int) -> int:
        """Return the layer position that took away the row's own name, -1 if it is still there."""
        name = self.names.get(row)
        return self.ended[row] if name is None else name[1]
