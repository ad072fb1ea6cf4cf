"""Which blobs lie in a folder? Links are followed within it only."""

from __future__ import annotations

import os
import stat
from collections import deque
from functools import partial
from pathlib import Path

from layerscope.archive.container.base import Container, Member, join
from layerscope.archive.container.outlook import may_hold_image
from layerscope.archive.feed import Buffer
from layerscope.archive.openfile import READ_ONLY, OpenFile, Stamp, stamp_at, stamp_of
from layerscope.archive.scan import Scan, Settings, algorithm_of, scan_place
from layerscope.archive.tar.header import clean
from layerscope.errors import ArchiveError, LimitError

OPEN_FILES = 64


class Folder(Container):
    """A folder of files: OCI layout, `dir:`, a registry's storage. Links are followed hop by hop within it (E03).

    One that can be none of these has no members: it is not listed.
    """

    def __init__(self, source: str, root: Path, settings: Settings) -> None:
        super().__init__(source, settings)
        self.root = os.fsencode(root)
        self._paths: list[bytes] = []
        self._stamps: list[Stamp] = []
        self._files: dict[int, OpenFile] = {}
        self._open: deque[int] = deque()
        inodes: dict[tuple[int, int], Member] = {}
        waiting = [b""] if may_hold_image(self.root) else []
        while waiting:
            inside = waiting.pop()
            try:
                entries = sorted(os.scandir(os.path.join(self.root, inside)), key=lambda entry: entry.name)
            except OSError as error:
                self.notes.fail("A33", f"a folder cannot be listed: {error.strerror}", path=inside)
                continue
            for entry in entries:
                name = os.path.join(inside, entry.name)
                try:
                    self._add(name, entry, inodes, waiting)
                except OSError as error:
                    self.notes.fail("A33", f"a file of the folder cannot be looked at: {error.strerror}", path=name)
                if len(self._paths) > settings.limits.entries:
                    raise LimitError("more files in this folder than may be read", limit="entries")
        self.archive_bytes = sum(member.size for member in self.stored)
        self.file_bytes = self.archive_bytes

    def _add(self, name: bytes, entry: os.DirEntry[bytes], inodes: dict[tuple[int, int], Member], waiting: list[bytes]) -> None:
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            waiting.append(name)
        elif stat.S_ISLNK(status.st_mode):
            target = os.readlink(os.path.join(self.root, name))
            if target.startswith(b"/") or clean(os.path.join(os.path.dirname(name), target))[1]:
                self.notes.warn("E03", "a link that leads out of the folder is not followed", path=name)
            else:
                self.links[name] = join(name, target)
        elif stat.S_ISREG(status.st_mode):
            key = (status.st_dev, status.st_ino)
            member = inodes.get(key)
            if member is None:
                member = inodes[key] = Member(len(self._paths), name, status.st_size)
                self._paths.append(name)
                self._stamps.append(stamp_of(status))
                self.stored.append(member)
            self.members[name] = member
        else:
            self.notes.warn("E03", "neither a file nor a folder; passed over", path=name)

    def _file(self, member: Member) -> OpenFile:
        found = self._files.get(member.ident)
        if found is None:
            found = self._files[member.ident] = OpenFile(partial(self._descriptor, member.ident))
        return found

    def _descriptor(self, ident: int) -> int:
        """Open a file, the very one that was listed, and close the one that has been open longest."""
        path = os.path.join(self.root, self._paths[ident])
        try:
            descriptor = os.open(path, READ_ONLY | getattr(os, "O_NOFOLLOW", 0))
        except OSError as error:
            raise ArchiveError(f"{os.fsdecode(path)}: {error.strerror}", id="A33") from error
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or stamp_of(status)[:2] != self._stamps[ident][:2]:
            os.close(descriptor)
            raise ArchiveError(f"{os.fsdecode(path)} was replaced while the folder was read", id="E31")
        self._open.append(ident)
        if len(self._open) > OPEN_FILES:
            self._files[self._open.popleft()].close()
        return descriptor

    def _bytes(self, member: Member) -> bytes:
        return self._file(member)[0 : member.size]

    def scan(self, member: Member) -> Scan:
        """Return what the file holds as a layer."""
        return self._took(scan_place(self._file(member), 0, member.size, self._within(), algorithm_of(member.name)))

    def place(self, member: Member | None) -> tuple[Buffer, int] | None:
        """Return where a member lies: its own file, from the beginning."""
        try:
            return None if member is None else (self._file(member), 0)
        except ArchiveError:  # told when it was scanned
            return None

    def changed(self) -> bool:
        """Whether any of the files is another one now."""
        places = (os.path.join(self.root, path) for path in self._paths)
        return any(stamp_at(place) != stamp for place, stamp in zip(places, self._stamps, strict=True))

    def close(self) -> None:
        """Close all files."""
        for file in self._files.values():
            file.close()
