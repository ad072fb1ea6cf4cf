"""What is in the files of a tar? Told apart while they pass, held where somebody wants them, handed on where somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from layerscope.archive.compression.toc import STARGZ
from layerscope.archive.feed import Feed
from layerscope.archive.inspection import HELD, Inspection
from layerscope.archive.limits import Limits
from layerscope.archive.notebook import Notebook
from layerscope.archive.prints import Prints
from layerscope.archive.tar.sparse import SPARSE_HASHED, Fragments, expand, fill
from layerscope.model import LayerIndex

Keep = Callable[[bytes], bool]
Fits = Callable[[bytes, int, int], bool]
Visit = Callable[[int, bytes, int, Iterator[bytes]], None]


class Contents:
    """What a reader does with the data of regular files that it cannot simply pass over.

    `prints` tells those apart that pass; `mode` is that of the file whose data come next. `found` are print and label of the
    content that came last, None if they were not taken or it did not all come.
    """

    def __init__(
        self,
        feed: Feed,
        index: LayerIndex,
        notes: Notebook,
        limits: Limits,
        keep: Keep,
        visit: Visit | None,
        prints: Prints,
        inspection: Inspection | None = None,
    ) -> None:
        self.feed = feed
        self.index = index
        self.notes = notes
        self.limits = limits
        self.keep = keep
        self.visit = visit
        self.prints = prints
        self.inspection = inspection
        self.mode = 0
        self.found: tuple[int, bytes] | None = None
        self.kept_bytes = 0

    def read(self, row: int, path: bytes, stored: int, logical: int, fragments: Fragments | None, start: int) -> int:
        """Read a file's data from where the feed stands; return how many bytes of them are missing."""
        feed = self.feed
        where = feed.offset
        self.found = None
        if self.visit is not None:
            passing = self.inspection.passing(row, path, self.mode, stored, start) if self.inspection is not None else None
            pieces = feed.pieces(stored)
            self.visit(row, path, stored, pieces if passing is None else passing.watch(pieces))
            feed.skip(stored - (feed.offset - where))
            if passing is not None and feed.offset == where + stored:
                passing.close()
        elif fragments is not None:
            self._read_sparse(row, path, stored, logical, fragments, start)
        else:
            self._read_whole(row, path, stored, start)
        return stored - (feed.offset - where)

    def _read_whole(self, row: int, path: bytes, stored: int, start: int) -> None:
        feed = self.feed
        end = feed.offset + stored
        named = None if feed.in_place else self.prints.start()
        keeps = self.keep(path) and self.fits(path, stored, start)
        kept: list[bytes] | None = [] if keeps else None
        passing = self.inspection.passing(row, path, self.mode, stored, start) if self.inspection is not None else None
        for piece in feed.pieces(stored):
            if named is not None:
                named.update(piece)
            if kept is not None:
                kept.append(piece)
            if passing is not None:
                passing.take(piece)
        if feed.offset == end:
            if named is not None:
                self.found = named.print(), named.label()
            if kept is not None:
                self.index.kept[row] = b"".join(kept)
            if passing is not None:
                passing.close()

    def _read_sparse(self, row: int, path: bytes, stored: int, logical: int, fragments: Fragments, start: int) -> None:
        feed, index = self.feed, self.index
        names = not feed.in_place and logical <= SPARSE_HASHED
        end = feed.offset + stored
        keeps = self.keep(path) and self.fits(path, logical, start)
        if keeps or (self.inspection is not None and logical <= HELD):
            data = b"".join(feed.pieces(stored))
            if feed.offset == end:
                content = expand(fragments, logical, data)
                if keeps:
                    index.kept[row] = content
                if names:
                    self.found = self.prints.print_of(content), self.prints.label_of(content)
                if self.inspection is not None and logical <= HELD:
                    self.inspection.show(row, path, self.mode, content, start)
        elif names:
            named = self.prints.start(fill(fragments, logical, feed.pieces(stored)))
            if feed.offset == end:
                self.found = named.print(), named.label()
        else:
            feed.skip(stored)

    def fits(self, path: bytes, size: int, start: int) -> bool:
        """Whether a file may be kept; a note tells if not."""
        if size <= self.limits.kept_file_bytes and self.kept_bytes + size <= self.limits.kept_bytes:
            self.kept_bytes += size
            return True
        tell_too_large(self.notes.warn if path == STARGZ else self.notes.fail, self.limits, size, path, start)
        return False


def tell_too_large(tell: Callable[..., None], limits: Limits, size: int, path: bytes, start: int) -> None:
    """Tell that a file has more bytes than are kept, of one or of all."""
    limit = "kept_file_bytes" if size > limits.kept_file_bytes else "kept_bytes"
    message = f"{size:,} bytes are too many to be looked into (--limit {limit}=VALUE raises the limit)"
    tell("E08", message, path=path, offset=start)
