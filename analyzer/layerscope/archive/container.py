"""Which named blobs does the input hold? An outer tar (in place, or passing once) or a folder; nothing is unpacked."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from layerscope.archive.again import held
from layerscope.archive.ahead import LEAST, ahead, pays
from layerscope.archive.compression import CHUNK, decompress, detect
from layerscope.archive.equal import Place
from layerscope.archive.feed import ENDLESS, Buffer, Feed
from layerscope.archive.folders import forget
from layerscope.archive.header import BLOCK, clean, looks_like_tar
from layerscope.archive.notebook import Notebook
from layerscope.archive.objects import name_objects
from layerscope.archive.openfile import READ_ONLY, OpenFile, Stamp, stamp_at, stamp_of
from layerscope.archive.prints import WIDTH
from layerscope.archive.pull import COUNTED, SMALL, Sampler
from layerscope.archive.scan import (
    Scan,
    Settings,
    Tap,
    algorithm_of,
    chunks_of,
    look_into,
    look_twice,
    part_of,
    scan_place,
    scan_stream,
)
from layerscope.archive.tar import read_tar
from layerscope.errors import ArchiveError, LimitError
from layerscope.frozen import frozen
from layerscope.model import Kind, LayerIndex, Level, Note
from layerscope.regex import regex

SNIFFED = 1 << 16
OPEN_FILES = 64
ROOT_NAMES = frozenset((b"etc", b"bin", b"usr", b"lib", b"sbin", b"var", b".dockerenv", b"Files", b"nix"))
DEEPEST = 40
BLOB_NAME = regex(rb"(?:.*/)?(?:sha\d+[:-])?[0-9a-f]{64,128}(?:\.tar)?(?:\.\w+)?|.*\.tar(?:\.\w+)?|.*\.tgz")

INSIDE_ROOTS = ROOT_NAMES | {b"app", b"boot", b"data", b"home", b"lib64", b"opt", b"root", b"run", b"srv", b"tmp", b"workspace"}
_FILES = ("docker-archive", "oci-archive", "oci", "dir")
_ELSEWHERE = ("docker", "docker-daemon", "containers-storage", "registry", "ostree")
_SHOWN = regex(r"[\w.:/@\[\]+-]+", re.ASCII)
_REFERENCE = regex(r"(?:[a-z0-9][a-z0-9.-]*(?::\d+)?/)?[a-z0-9][a-z0-9._/-]*(?::\w[\w.-]*)?(?:@sha256:[0-9a-f]+)?", re.ASCII)


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


class TarFile(Container):
    """An uncompressed outer tar: layers are read where they lie."""

    def __init__(self, source: str, buffer: OpenFile, settings: Settings) -> None:
        super().__init__(source, settings)
        self.buffer = buffer
        self.file_bytes = self.archive_bytes = len(buffer)
        if len(buffer) > settings.limits.archive_bytes:
            raise LimitError(f"{source} has {len(buffer):,} bytes", limit="archive_bytes")
        feed = Feed.over(buffer, 0, len(buffer))
        self.index = read_tar(feed, limits=settings.limits, whiteouts=False, partial=True)
        self.notes.extend(self.index.notes)
        self.cut = cut_row(self.index)
        for row in range(len(self.index)):
            self._add_row(self.index, row)

    def _place(self, member: Member) -> int:
        return self.index.offsets[member.ident]

    def _bytes(self, member: Member) -> bytes:
        start = self._place(member)
        return self.buffer[start : start + member.size]

    def scan(self, member: Member) -> Scan:
        """Return what the member holds as a layer."""
        self._refuse_sparse(member)
        found = scan_place(self.buffer, self._place(member), member.size, self._within(), algorithm_of(member.name))
        return self._took(found)

    def rootfs(self) -> Scan:
        """Return the tar itself as one layer; no layer lies below it, and `.wh.` names are files like others."""
        feed = Feed.over(self.buffer, 0, len(self.buffer))
        settings, rows = self.settings, list[int]()
        index = read_tar(
            feed,
            limits=settings.limits,
            keep=settings.keep,
            whiteouts=False,
            partial=True,
            inspectors=settings.inspectors,
            shown=rows,
        )
        drop_cut(index)
        there = [row for row in rows if row < len(index)]
        return Scan(look_into(index, there, Place(index, self.buffer, 0), settings), "none", index.tar_bytes)

    def rootlike(self) -> bool:
        """Whether the tar has folders of a root file system."""
        return any(path.partition(b"/")[0] in ROOT_NAMES for path in self.index.paths)

    def place(self, member: Member | None) -> tuple[Buffer, int] | None:
        """Return where a member lies in the file."""
        return self.buffer, 0 if member is None else self._place(member)

    def changed(self) -> bool:
        """Whether the file is another one now."""
        return self.buffer.short or stamp_at(self.source) != self.buffer.stamp

    def close(self) -> None:
        """Close the file."""
        self.buffer.close()


class PassingTar(Container):
    """An outer tar that passes once (compressed, or from a pipe): whatever may be a layer is scanned as it comes by."""

    def __init__(self, source: str, chunks: Iterator[bytes], settings: Settings, stamp: Stamp | None = None) -> None:
        super().__init__(source, settings)
        self._stamp = stamp
        self._documents: dict[int, bytes] = {}
        self._scans: dict[int, Scan] = {}
        self._held = 0
        self._counted = 0
        self._refused: set[int] = set()
        self._rooted = False  # whether a file stood where root file systems have theirs
        self._named: dict[int, tuple[int, bytes]] = {}
        self._kept: dict[int, bytes] = {}
        self.raw = Tap(_at_most(chunks, settings.limits.archive_bytes))
        head = next(self.raw, b"")
        while 0 < len(head) < BLOCK and (more := next(self.raw, b"")):
            head += more
        compression = detect(head)
        self.compressed = compression != "none"
        self.head = head
        whole = replace(settings.limits, layer_bytes=ENDLESS)
        inner = decompress(_chain(head, self.raw), compression, whole, self.notes)
        inner = _at_most(inner, settings.limits.archive_bytes)
        # A thread that waits for a pipe could not be ended.
        feed = Feed.of(ahead(inner) if self.compressed and stamp is not None and pays(LEAST) else inner)
        # Should it turn out to be a root file system, this was the only time to look. What is large is not hashed for that.
        self.inspectors = settings.inspectors.unsummed()
        self.index = read_tar(
            feed, limits=settings.limits, whiteouts=False, visit=self._visit, partial=True, inspectors=self.inspectors
        )
        self.notes.extend(self.index.notes)
        self.cut = cut_row(self.index)
        if not isinstance(feed.error, LimitError):  # what is damaged is measured to its end
            for _ in self.raw:
                pass
        self.file_bytes = self.raw.size
        self.archive_bytes = self.index.tar_bytes
        for row in range(len(self.index)):
            self._add_row(self.index, row)

    def _visit(self, row: int, path: bytes, size: int, pieces: Iterator[bytes]) -> None:
        settings = self.settings
        self._rooted = self._rooted or path.partition(b"/")[0] in INSIDE_ROOTS
        looks_like_blob = not self._rooted and BLOB_NAME.fullmatch(path) is not None
        named = None if looks_like_blob else settings.prints.start()
        tap = Tap(pieces if named is None else named.watch(pieces))
        head = next(tap, b"")
        while len(head) < min(size, SNIFFED) and (more := next(tap, b"")):
            head += more
        kept = not looks_like_blob and size <= settings.limits.kept_file_bytes and settings.keep(path)
        if detect(head) != "none" or looks_like_tar(head):
            self._scans[row] = self._scan(path, _chain(head, tap), self._sampler(size))
            if size <= len(head) and self._fits(size):
                self._documents[row] = head
        elif size <= len(head) or kept or self._may_be_json(head, size):
            if self._fits(size):
                self._documents[row] = head + b"".join(tap)
            else:
                self._refused.add(row)
        else:  # nobody can tell yet that it is no layer
            self._scans[row] = self._scan(path, _chain(head, tap), self._sampler(size) if looks_like_blob else None)
        for _ in tap:
            pass
        if named is not None and tap.size == size:
            self._named[row] = named.print(), named.label()
        if kept and row in self._documents:
            self._kept[row] = self._documents[row]

    def _sampler(self, size: int) -> Callable[[Iterator[bytes]], Sampler] | None:
        """Return what looks at the pull size of a layer: small ones are counted, as long as they are not too many."""
        if self.settings.pull == "off":
            return None
        small = size < SMALL and self._counted + size <= COUNTED
        if small:
            self._counted += size
        return partial(Sampler, size=size, counted=small or self.settings.pull == "exact")

    def _scan(self, path: bytes, chunks: Iterator[bytes], sampler: Callable[[Iterator[bytes]], Sampler] | None = None) -> Scan:
        return self._took(scan_stream(chunks, self._within(), algorithm_of(path), sampler))

    def _may_be_json(self, head: bytes, size: int) -> bool:
        first = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        return first in (b"", b"{", b"[") and size <= self.settings.limits.json_bytes

    def _fits(self, size: int) -> bool:
        if self._held + size > self.settings.limits.document_bytes:
            message = "the archive's documents are too many to hold (--limit document_bytes=VALUE raises the limit)"
            self.notes.fail("E08", message)
            return False
        self._held += size
        return True

    def _bytes(self, member: Member) -> bytes:
        if not member.size:  # nothing passed
            return b""
        try:
            return self._documents[member.ident]
        except KeyError:
            shown = member.name.decode("utf-8", "backslashreplace")
            if member.ident in self._refused:
                message = f"{shown} does not fit among the documents held (--limit document_bytes=VALUE raises the limit)"
                raise ArchiveError(message, id="E08") from None
            raise ArchiveError(f"{shown} is no document", id="E06") from None

    def scan(self, member: Member) -> Scan:
        """Return what was found while the member passed."""
        self._refuse_sparse(member)
        found = self._scans.get(member.ident)
        if found is None:
            data = self._documents.get(member.ident, b"")
            if len(data) < member.size:
                raise ArchiveError("the layer is a document that does not fit (--limit document_bytes=VALUE)", id="E08")
            sampler = self._sampler(member.size)
            found = scan_stream(iter((data,)), self._within(), algorithm_of(member.name), sampler)
        return self._look_twice(found, member)

    def _look_twice(self, scan: Scan, member: Member | None) -> Scan:
        """Look again into files whose names came after their contents."""
        before = held(scan.index)
        found = look_twice(scan, self.settings, partial(self.chunks, member), self.room)
        self.take_room(held(found.index) - before)
        return found

    def rootlike(self) -> bool:
        """Whether the tar had folders of a root file system."""
        return any(path.partition(b"/")[0] in ROOT_NAMES for path in self.index.paths)

    def changed(self) -> bool:
        """Whether the file, if it is one, is another one now."""
        return self._stamp is not None and stamp_at(self.source) != self._stamp

    def chunks(self, member: Member | None) -> Iterator[bytes]:
        """Yield the bytes of a member, read again from the file if they are not held."""
        data = b"" if member is None else self._documents.get(member.ident, b"")
        if member is not None and member.size == len(data):
            return iter((data,))
        return super().chunks(member) if self._stamp is None else self._again(member)

    def _again(self, member: Member | None) -> Iterator[bytes]:
        limits = replace(self.settings.limits, layer_bytes=ENDLESS)
        with Path(self.source).open("rb") as stream:
            compressed = read_chunks(stream)
            head = next(compressed, b"")
            inner = decompress(_chain(head, compressed), detect(head), limits, Notebook())
            if member is None:
                yield from inner
            else:
                yield from part_of(inner, self.index.offsets[member.ident], member.size)

    def rootfs(self) -> Scan:
        """Return the tar that passed, as one layer; its contents were told apart, kept and looked into on the way."""
        index = self.index
        for row, (index.prints[row], label) in self._named.items():
            index.labels[row * WIDTH : (row + 1) * WIDTH] = label
        index.kept.update(self._kept)
        drop_cut(index)
        name_objects(index)
        return self._look_twice(Scan(index, "none", index.tar_bytes), None)


def cut_row(index: LayerIndex) -> int:
    """Return the last row if it is a file whose data are cut, else -1."""
    row = len(index) - 1
    return row if row in index.declared and index.kinds[row] == Kind.FILE else -1


def drop_cut(index: LayerIndex) -> None:
    """Take away the last row if its data are cut: in a layer an entry counts when all its data is there."""
    row = cut_row(index)
    if row < 0:
        return
    lists = (index.paths, index.folders, index.uids, index.gids, index.mtimes, index.kinds, index.sizes, index.modes)
    for column in (*lists, index.offsets, index.spans, index.prints):
        column.pop()
    del index.labels[row * WIDTH :]
    forget(index, row)


def _at_most(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise LimitError(f"more than {limit:,} bytes of one archive", limit="archive_bytes")
        yield chunk


def _chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from rest


class Folder(Container):
    """A folder of files: OCI layout, `dir:`, a registry's storage. Links are followed hop by hop within it (E03)."""

    def __init__(self, source: str, root: Path, settings: Settings) -> None:
        super().__init__(source, settings)
        self.root = os.fsencode(root)
        self._paths: list[bytes] = []
        self._stamps: list[Stamp] = []
        self._files: dict[int, OpenFile] = {}
        self._open: deque[int] = deque()
        inodes: dict[tuple[int, int], Member] = {}
        waiting = [b""]
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


def open_container(source: str, settings: Settings, stdin: BinaryIO | None = None) -> Container:
    """Open an archive, a folder or, for "-", standard input.

    A missing file is a FileNotFoundError; what is no archive is an ArchiveError that names it.
    """
    if source == "-":
        return PassingTar("-", read_chunks(stdin or sys.stdin.buffer), settings)
    if not source:  # which would mean the working folder
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "''")
    path = Path(source)
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise FileNotFoundError(error.errno, f"{error.strerror}{_advice(source)}", source) from None
    if stat.S_ISDIR(status.st_mode):
        return Folder(source, path, settings)
    if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode) or stat.S_ISSOCK(status.st_mode):
        raise ArchiveError(f"{source} is a device, not an image", id="E31")
    if not stat.S_ISREG(status.st_mode):
        with path.open("rb") as stream:
            return PassingTar(source, read_chunks(stream), settings)
    if status.st_size == 0:
        raise ArchiveError(f"{source} is empty: 0 bytes", id="A36")
    with path.open("rb") as stream:
        stamp = stamp_of(os.fstat(stream.fileno()))
        if detect(stream.read(BLOCK)) != "none":
            stream.seek(0)
            return PassingTar(source, read_chunks(stream), settings, stamp)
    file = OpenFile(lambda: os.open(path, READ_ONLY))
    try:
        return TarFile(source, file, settings)
    except BaseException:
        file.close()
        raise


def _advice(source: str) -> str:
    """Return what to do where no file is named but an image of an engine, or a file as skopeo names it; else nothing."""
    kind, colon, _ = source.partition(":")
    if colon and kind in _FILES:
        return f"; it is named without '{kind}:'"
    if colon and kind in _ELSEWHERE:
        return f"; nothing but files is read: skopeo copy {source} docker-archive:image.tar" if _SHOWN.fullmatch(source) else ""
    if _REFERENCE.fullmatch(source) and (":" in source or not Path(source).suffix):
        return f"; nothing but files is read: docker save --output image.tar {source}"
    return ""


def read_chunks(stream: BinaryIO) -> Iterator[bytes]:
    """Yield what a stream gives, as it comes."""
    read = getattr(stream, "read1", stream.read)
    while True:
        with suppress(InterruptedError):
            chunk = read(CHUNK)
            if not chunk:
                return
            yield chunk


def unreadable(container: Container) -> bool:
    """Whether an outer tar gave nothing at all."""
    return not container.stored and any(note.level is Level.ERROR for note in container.notes.freeze())
