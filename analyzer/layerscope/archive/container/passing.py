"""Which blobs does an outer tar hold that passes once, be it compressed or from a pipe?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from layerscope.archive.again import held
from layerscope.archive.compression.ahead import LEAST, ahead, pays
from layerscope.archive.compression.members import CHUNK, decompress, detect, peek, rejoin
from layerscope.archive.container.base import ROOT_NAMES, Container, Member, is_rootlike
from layerscope.archive.container.cut import cut_row, drop_cut
from layerscope.archive.feed import ENDLESS, Feed
from layerscope.archive.notebook import Notebook
from layerscope.archive.objects import name_objects
from layerscope.archive.openfile import Stamp, stamp_at
from layerscope.archive.prints import WIDTH
from layerscope.archive.pull import COUNTED, SMALL, Sampler
from layerscope.archive.scan import Scan, Settings, Tap, algorithm_of, look_twice, part_of, scan_stream
from layerscope.archive.tar.header import BLOCK, looks_like_tar
from layerscope.archive.tar.reader import read_tar
from layerscope.errors import ArchiveError, LimitError
from layerscope.regex import regex

SNIFFED = 1 << 16
INSIDE_ROOTS = ROOT_NAMES | {b"app", b"boot", b"data", b"home", b"lib64", b"opt", b"root", b"run", b"srv", b"tmp", b"workspace"}
"""What a root file system has at its top; an archive of images has none of these."""

BLOB_NAME = regex(rb"(?:.*/)?(?:sha\d+[:-])?[0-9a-f]{64,128}(?:\.tar)?(?:\.\w+)?|.*\.tar(?:\.\w+)?|.*\.tgz")


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
        head, outer = peek(self.raw, BLOCK)
        compression = detect(head)
        self.compressed = compression != "none"
        self.head = head
        whole = replace(settings.limits, layer_bytes=ENDLESS)
        inner = decompress(outer, compression, whole, self.notes)
        inner = _at_most(inner, settings.limits.archive_bytes)
        # A thread that waits for a pipe could not be ended.
        early = self.compressed and stamp is not None and pays(LEAST, hashed=settings.hashes)
        feed = Feed.of(ahead(inner) if early else inner)
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
            self._scans[row] = self._scan(path, rejoin(head, tap), self._sampler(size))
            if size <= len(head) and self._fits(size):
                self._documents[row] = head
        elif size <= len(head) or kept or self._may_be_json(head, size):
            if self._fits(size):
                self._documents[row] = head + b"".join(tap)
            else:
                self._refused.add(row)
        else:  # nobody can tell yet that it is no layer
            self._scans[row] = self._scan(path, rejoin(head, tap), self._sampler(size) if looks_like_blob else None)
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
        return not self.entered and is_rootlike(self.index)

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
            head, outer = peek(compressed)
            inner = decompress(outer, detect(head), limits, Notebook())
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


def read_chunks(stream: BinaryIO) -> Iterator[bytes]:
    """Yield what a stream gives, as it comes."""
    read = getattr(stream, "read1", stream.read)
    while True:
        with suppress(InterruptedError):
            chunk = read(CHUNK)
            if not chunk:
                return
            yield chunk


def _at_most(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise LimitError(f"more than {limit:,} bytes of one archive", limit="archive_bytes")
        yield chunk
