"""What is a container? Named blobs, found through links, read as documents or scanned as layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from layerscope.archive.feed import Buffer
from layerscope.archive.notebook import Notebook
from layerscope.archive.scan import Scan, Settings, chunks_of
from layerscope.errors import ArchiveError
from layerscope.frozen import frozen
from layerscope.model import Kind, LayerIndex, Level, Note

ROOT_NAMES = frozenset((b"etc", b"bin", b"usr", b"lib", b"sbin", b"var", b".dockerenv", b"Files", b"nix"))
DEEPEST = 40


@frozen
class Member:
    """A regular file of the container. `ident` tells stored members apart; two names may lead to one."""

    ident: int
    name: bytes
    size: int


class Container:
    """Named blobs, and how their bytes add up. Subclasses say where the bytes are."""

    def __init__(self, source: str, settings: Settings) -> None:
        self.source = source
        self.settings = settings
        self.notes = Notebook()
        self.members: dict[bytes, Member] = {}
        self.links: dict[bytes, bytes] = {}
        self.stored: list[Member] = []
        self.file_bytes: int | None = None
        self.archive_bytes = 0
        self.cut = -1  # of the stored members the one whose end is missing
        self.sparse: set[int] = set()  # those of which only pieces are stored
        self.entered = False  # whether a folder in it is taken for the top
        self._left = settings.limits

    @property
    def called(self) -> str:
        """What messages call the input."""
        return "standard input" if self.source == "-" else self.source

    def find(self, name: bytes) -> Member | None:
        """Return the member of that name, through links (A02, E02); None if there is none."""
        for _ in range(40):
            member = self.members.get(name)
            if member is not None:
                return member
            target = self.links.get(name) or self._through_folders(name)
            if target is None:
                return None
            name = target
        self.notes.warn("A02", "links that lead in a circle", path=name)
        return None

    def _through_folders(self, name: bytes) -> bytes | None:
        """Return where a name leads if a folder above it is a link, else None."""
        parts = name.split(b"/", DEEPEST) if self.links else []
        for count in range(1, len(parts)):
            target = self.links.get(b"/".join(parts[:count]))
            if target is not None:
                return b"/".join((target, *parts[count:])).lstrip(b"/")
        return None

    def read(self, member: Member) -> bytes:
        """Return the bytes of a document; one over the limit, or cut, is an ArchiveError."""
        limit = self.settings.limits.json_bytes
        self._refuse_sparse(member)
        if member.ident == self.cut:
            shown = member.name.decode("utf-8", "backslashreplace")
            raise ArchiveError(f"{shown} is cut", id="C55")
        if member.size > limit:
            shown = member.name.decode("utf-8", "backslashreplace")
            raise ArchiveError(f"{shown} has {member.size:,} bytes (--limit json_bytes=VALUE raises the limit)", id="E08")
        return self._bytes(member)

    def _bytes(self, member: Member) -> bytes:
        raise NotImplementedError

    def scan(self, member: Member) -> Scan:
        """Return what the member holds as a layer."""
        raise NotImplementedError

    def _within(self) -> Settings:
        """Return the settings with what is left of the limits that all layers share."""
        return replace(self.settings, limits=self._left)

    def _took(self, scan: Scan) -> Scan:
        """Return a scan, having taken what it holds off the limits."""
        self._left = self._left.less(scan.index)
        return scan

    @property
    def room(self) -> int:
        """How many more bytes of files may be kept."""
        return self._left.kept_bytes

    def take_room(self, size: int) -> None:
        """Take off that limit what was kept of a layer that had been read."""
        self._left = replace(self._left, kept_bytes=self._left.kept_bytes - size)

    def rootfs(self) -> Scan | None:
        """Return the container read as one layer, None if it is a folder (A35)."""
        return None

    def rootlike(self) -> bool:
        """Whether the container has folders that a root file system has, and an archive of images has not."""
        return False

    def _refuse_sparse(self, member: Member) -> None:
        """Raise if the data of a member are not what lies where they begin (C43)."""
        if member.ident in self.sparse:
            shown = member.name.decode("utf-8", "backslashreplace")
            raise ArchiveError(f"{shown} is stored as a sparse file: pack the archive again without tar's --sparse", id="C43")

    def ended_early(self) -> Note | None:
        """Return what tells that the input was not read to its end, or may have more to come."""
        notes = self.notes.freeze()
        broken = next((note for note in notes if note.level is Level.ERROR), None)
        return broken or next((note for note in notes if note.id == "A54"), None)

    def place(self, member: Member | None) -> tuple[Buffer, int] | None:  # noqa: ARG002
        """Return where a member (None: the container itself) lies in a buffer, None if it passed and is gone."""
        return None

    def chunks(self, member: Member | None) -> Iterator[bytes]:
        """Yield the bytes of a member (None: the container itself), again if they have passed."""
        place = self.place(member)
        if place is None or member is None:
            raise ArchiveError("standard input passes only once: write it to a file first", id="E31")
        return chunks_of(*place, member.size)

    def changed(self) -> bool:
        """Whether the input was written to, or replaced, since it was opened (E31)."""
        return False

    def close(self) -> None:
        """Let go of the input."""

    def enter(self, folder: bytes) -> None:
        """Take a folder that holds every member for the top."""
        self.entered, front = True, folder + b"/"
        inside = {member.ident: replace(member, name=member.name.removeprefix(front)) for member in self.stored}
        self.stored = list(inside.values())
        self.members = {member.name.removeprefix(front): inside[member.ident] for member in self.members.values()}
        self.links = {
            name.removeprefix(front): target.removeprefix(front)
            for name, target in self.links.items()
            if target.startswith(front)
        }

    def _add_row(self, index: LayerIndex, row: int) -> None:
        """Take in a row of an outer tar; of two equal names the last holds (A51)."""
        path, kind = index.paths[row], index.kinds[row]
        if kind in (Kind.FILE, Kind.SYMLINK, Kind.HARDLINK) and (path in self.members or path in self.links):
            self.notes.warn("A51", "stands twice in the archive; the last one holds, readers disagree", path=path)
        if kind == Kind.FILE:
            size = index.sizes[row]
            if row in index.sparse:
                size = min(size, sum(length for _, length in index.sparse[row]))
                self.sparse.add(row)
            member = Member(row, path, size)
            self.links.pop(path, None)
            self.members[path] = member
            self.stored.append(member)
        elif kind in (Kind.SYMLINK, Kind.HARDLINK):
            self.members.pop(path, None)
            link = index.links[row]
            self.links[path] = link if kind == Kind.HARDLINK else join(path, link)


def is_rootlike(index: LayerIndex) -> bool:
    """Whether a tar has folders of a root file system."""
    return any(path.partition(b"/")[0] in ROOT_NAMES for path in index.paths)


def join(path: bytes, link: bytes) -> bytes:
    """Return where a symlink at `path` leads, within the container."""
    parts = [] if link.startswith(b"/") else path.split(b"/")[:-1]
    for part in link.split(b"/"):
        if part == b"..":
            if parts:
                parts.pop()
        elif part not in (b"", b"."):
            parts.append(part)
    return b"/".join(parts)
