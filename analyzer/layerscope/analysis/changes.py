"""Which paths does a container see otherwise in another image?"""

from __future__ import annotations

from collections.abc import Iterator

from layerscope.analysis.diff import FileChange
from layerscope.model import Image, Kind, LayerIndex
from layerscope.rootfs.stack import Stack

Place = tuple[LayerIndex, int]


def find_changes(old: Image, old_stack: Stack, new: Image, new_stack: Stack) -> tuple[FileChange, ...]:
    """Compare what is visible, folders apart, of two images whose contents were marked together; the largest first."""
    before, after = dict(_visible(old, old_stack)), dict(_visible(new, new_stack))
    rows = []
    for path, place in after.items():
        other = before.get(path)
        if other is None:
            rows.append(FileChange("added", path, 0, _size(place)))
        elif change := _change(other, place):
            rows.append(FileChange(change, path, _size(other), _size(place)))
    rows += (FileChange("removed", path, _size(place), 0) for path, place in before.items() if path not in after)
    return tuple(
        sorted(rows, key=lambda row: (-max(abs(row.bytes), row.new_bytes if row.change == "changed" else 0), row.path))
    )


def _visible(image: Image, stack: Stack) -> Iterator[tuple[bytes, Place]]:
    """Yield path, index and row of what is there; a hard link's row is its file's."""
    for path, row in stack.visible.items():
        inode = stack.inodes.get(row, row)
        row = row if inode < 0 else inode
        position = stack.position_of(row)
        index = image.index_of(position)
        if index is not None:
            inside = row - stack.starts[position]
            if index.kinds[inside] != Kind.DIRECTORY:
                yield path, (index, inside)


def _size(place: Place) -> int:
    return place[0].sizes[place[1]]


def _change(old: Place, new: Place) -> str | None:
    """Return what differs between two rows at one path."""
    (one, row), (other, twin) = old, new
    if one.kinds[row] != other.kinds[twin] or one.sizes[row] != other.sizes[twin]:
        return "changed"
    if one.kinds[row] == Kind.FILE:
        if one.sizes[row] and (not one.contents[row] or one.contents[row] != other.contents[twin]):
            return "changed"
    elif one.links.get(row) != other.links.get(twin):
        return "changed"
    same = (
        one.modes[row] == other.modes[twin]
        and one.uids[row] == other.uids[twin]
        and one.gids[row] == other.gids[twin]
        and one.xattrs.get(row, ()) == other.xattrs.get(twin, ())
    )
    return None if same else "metadata"
