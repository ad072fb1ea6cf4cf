"""What does a container see, and what became of every file? Asked a second time, in the plainest way there is.

Nothing here is shared with the program: Python's `tarfile` walks the layers, a tree of dicts holds what is there. Meant to be
obviously right and slow.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

LIVE, REPLACED, DELETED = 0, 1, 2
HOPS = 40


@dataclass(eq=False)
class Inode:
    """What names lead to: a regular file, or anything else that is no folder."""

    size: int
    regular: bool
    names: list[Name] = field(default_factory=list)


@dataclass(eq=False)
class Name:
    """A name that a layer put: its layer and row, what it leads to, and how it ended."""

    layer: int
    row: int
    inode: Inode | None
    dead: bool = False  # a hard link to a folder, or to nothing
    symlink: bytes | None = None
    fate: int = LIVE
    ended: int = -1


@dataclass(eq=False)
class Folder:
    """A folder that is there; `row` is None while no entry listed it."""

    parent: Folder | None
    inside: dict[bytes, Folder | Name] = field(default_factory=dict)
    row: tuple[int, int] | None = None


@dataclass
class Entry:
    """One entry of a layer's tar."""

    row: int
    kind: str  # "file", "folder", "symlink", "hardlink", "special", "whiteout", "opaque", "other"
    path: list[bytes]
    size: int = 0
    link: bytes = b""
    hides: bool = False  # trusted.overlay.opaque


def parts_of(path: bytes) -> list[bytes]:
    """Return the parts of a path from the root; `..` never leaves it."""
    parts: list[bytes] = []
    for part in path.split(b"/"):
        if part == b"..":
            parts = parts[:-1]
        elif part not in {b"", b"."}:
            parts.append(part)
    return parts


def walk(layer: bytes) -> Iterator[Entry]:
    """Yield the entries of a well-formed layer."""
    with tarfile.open(fileobj=io.BytesIO(layer), errors="surrogateescape") as archive:
        for row, member in enumerate(archive):
            raw = member.name.encode("utf-8", "surrogateescape")
            link = member.linkname.encode("utf-8", "surrogateescape")
            path = parts_of(raw)
            entry = Entry(row, "other", path, link=link)
            if member.isreg() or member.issparse():
                entry.kind, entry.size = "file", member.size
            elif member.isdir():
                entry.kind = "folder"
                entry.hides = member.pax_headers.get("SCHILY.xattr.trusted.overlay.opaque") == "y"
            elif member.issym():
                entry.kind = "symlink"
            elif member.islnk():
                entry.kind = "hardlink"
            elif member.ischr() or member.isblk() or member.isfifo():
                entry.kind = "special"
            if not path:
                entry.kind = "folder" if entry.kind == "folder" else "other"
                yield entry
                continue
            base = path[-1]
            if base == b".wh..wh..opq":
                entry.kind, entry.path = "opaque", path[:-1]
            elif path[0].startswith(b".wh..wh."):
                entry.kind = entry.kind if entry.kind in {"file", "hardlink"} else "other"
            elif base in {b".wh.", b".wh..", b".wh..."}:
                entry.kind = "other"
            elif base.startswith(b".wh."):
                entry.kind, entry.path = "whiteout", [*path[:-1], base[4:]]
            elif member.ischr() and member.devmajor == member.devminor == 0:
                entry.kind = "whiteout"
            yield entry


class Oracle:
    """The layers, stacked."""

    def __init__(self, layers: Sequence[bytes]) -> None:
        self.root = Folder(None)
        self.inodes: dict[tuple[int, int], Inode] = {}
        self.names: dict[tuple[int, int], Name] = {}
        for number, layer in enumerate(layers):
            self.layer = number
            self.taken: list[tuple[list[bytes], Name]] = []
            self.waiting: list[tuple[Name, list[bytes]]] = []
            entries = list(walk(layer))
            if number:
                for entry in entries:
                    self.obey(entry)
            for entry in entries:
                self.put(entry)
            self.link_late()
            self.settle()
            for base in list(self.root.inside):  # what AUFS left: hard links may lead to it, but no container sees it
                if base.startswith(b".wh..wh."):
                    self.remove([base])
            self.settle()

    def find(self, path: list[bytes]) -> Folder | Name | None:
        """Return what is at a path, by its letters."""
        here: Folder | Name | None = self.root
        for part in path:
            if not isinstance(here, Folder):
                return None
            here = here.inside.get(part)
        return here

    def remove(self, path: list[bytes]) -> None:
        """Take away what is at a path, and all below it."""
        parent, found = self.find(path[:-1]), self.find(path)
        if found is None:
            return
        assert isinstance(parent, Folder)
        del parent.inside[path[-1]]
        waiting = [(path, found)]
        while waiting:
            where, what = waiting.pop()
            if isinstance(what, Name):
                self.taken.append((where, what))
            else:
                waiting += [([*where, part], inner) for part, inner in what.inside.items()]

    def obey(self, entry: Entry) -> None:
        """Do to the layers below what a mark says."""
        if entry.kind == "whiteout":
            self.remove(entry.path)
        elif entry.kind == "opaque" or (entry.kind == "folder" and entry.hides):
            folder = self.find(entry.path)
            if isinstance(folder, Folder):
                for part in list(folder.inside):
                    self.remove([*entry.path, part])

    def path_of(self, folder: Folder) -> list[bytes]:
        """Return where a folder is."""
        path: list[bytes] = []
        while folder.parent is not None:
            path.append(next(part for part, inner in folder.parent.inside.items() if inner is folder))
            folder = folder.parent
        return path[::-1]

    def enter(self, path: list[bytes], *, make: bool = True) -> Folder | None:
        """Return the folder at a path, made if it is not there; symlinks of this layer are followed, all else gives way."""
        here, hops = self.root, 0
        todo = path[::-1]
        while todo:
            part = todo.pop()
            if part in {b"", b"."}:
                continue
            if part == b"..":
                here = here.parent or here
                continue
            found = here.inside.get(part)
            if isinstance(found, Folder):
                here = found
                continue
            if isinstance(found, Name) and found.symlink and found.layer == self.layer and hops < HOPS:
                hops += 1
                here = self.root if found.symlink.startswith(b"/") else here
                todo += found.symlink.split(b"/")[::-1]
                continue
            if not make:
                return None
            if found is not None:
                self.remove([*self.path_of(here), part])
            inner = here.inside[part] = Folder(here)
            here = inner
        return here

    def put(self, entry: Entry) -> None:
        """Put an entry on what is there."""
        if entry.kind == "other":
            return
        if entry.kind == "opaque":
            self.enter(entry.path)
            return
        if entry.kind == "folder" and not entry.path:
            self.root.row = (self.layer, entry.row)
            return
        folder = self.enter(entry.path[:-1])
        assert folder is not None
        if entry.kind == "whiteout":
            return
        base = entry.path[-1]
        path = [*self.path_of(folder), base]
        if entry.kind == "folder":
            there = folder.inside.get(base)
            if not isinstance(there, Folder):
                self.remove(path)
                folder.inside[base] = there = Folder(folder)
            there.row = (self.layer, entry.row)
            return
        self.remove(path)
        name = Name(self.layer, entry.row, None)
        self.names[self.layer, entry.row] = name
        if entry.kind == "hardlink":
            target = parts_of(entry.link)
            if not self.join(name, None if target == path else self.target(target)):
                self.waiting.append((name, target))
        else:
            name.inode = Inode(entry.size, entry.kind == "file", [name])
            name.symlink = entry.link if entry.kind == "symlink" else None
            if entry.kind == "file":
                self.inodes[self.layer, entry.row] = name.inode
        folder.inside[base] = name

    def join(self, name: Name, found: Folder | Name | None) -> bool:
        """Let a hard link lead where another name does; say whether that is decided."""
        if isinstance(found, Folder):
            name.dead = True
        elif found is not None and found is not name:
            name.inode, name.dead = found.inode, found.dead
            if found.inode is not None:
                found.inode.names.append(name)
        return name.dead or name.inode is not None

    def target(self, path: list[bytes]) -> Folder | Name | None:
        """Return what a hard link to a path gets: by its letters, else through the symlinks of this layer."""
        found = self.find(path)
        if found is None and path:
            folder = self.enter(path[:-1], make=False)
            found = folder and folder.inside.get(path[-1])
        return found

    def link_late(self) -> None:
        """Give hard links that stood before their targets what is there now, else what this layer took away."""
        self.link_what_is_there()
        last = {tuple(path): name for path, name in self.taken}
        for name, target in list(self.waiting):
            if self.join(name, self.target(target)) or self.join(name, last.get(tuple(target))):
                self.waiting.remove((name, target))
        self.link_what_is_there()
        for name, _ in self.waiting:
            name.dead = True

    def link_what_is_there(self) -> None:
        """Join waiting hard links with what is there, until nothing changes."""
        more = True
        while more:
            more = False
            for name, target in list(self.waiting):
                if self.join(name, self.target(target)):
                    self.waiting.remove((name, target))
                    more = True

    def settle(self) -> None:
        """Say what became of what this layer took away."""
        for path, name in self.taken:
            there = self.find(path)
            replaced = isinstance(there, Name) and there.layer == self.layer
            name.fate, name.ended = (REPLACED if replaced else DELETED), self.layer
        self.taken = []

    def visible(self) -> dict[bytes, tuple[int, int]]:
        """Return layer and row of everything that is there, by path."""
        found: dict[bytes, tuple[int, int]] = {}
        waiting: list[tuple[list[bytes], Folder | Name]] = [([], self.root)]
        while waiting:
            path, what = waiting.pop()
            if isinstance(what, Name):
                found[b"/".join(path)] = (what.layer, what.row)
                continue
            if what.row is not None:
                found[b"/".join(path)] = what.row
            waiting += [([*path, part], inner) for part, inner in what.inside.items()]
        return found

    def fates(self) -> dict[tuple[int, int], tuple[int, int]]:
        """Return fate and ending layer of each regular file: it lives while a name does, and ends as the last name does."""
        result = {}
        for place, inode in self.inodes.items():
            if any(name.fate == LIVE for name in inode.names):
                result[place] = (LIVE, -1)
            else:
                last = max(name.ended for name in inode.names)
                replaced = any(name.fate == REPLACED for name in inode.names if name.ended == last)
                result[place] = (REPLACED if replaced else DELETED, last)
        return result
