"""Which entries does one tar stream hold? By the rules of Go's archive/tar, in one pass, with exact offsets.

Where that reader returns an error, the stream ends here too: the rows before it stand, an ERROR note tells the offset. Where it
reads on but others would see something else (E34), a note tells that.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator
from struct import Struct

from layerscope.archive import differences
from layerscope.archive.ending import end_at_block, end_without_blocks, read_rest
from layerscope.archive.feed import Feed
from layerscope.archive.header import (
    BLOCK,
    HEADER_ONLY,
    ZERO,
    HeaderError,
    adler32,
    byte_sum,
    checksum_holds,
    clean,
    number,
    octal,
    owner,
    prefixed,
    tail_device,
    what_is,
)
from layerscope.archive.limits import Limits
from layerscope.archive.marks import read_mark
from layerscope.archive.notebook import Notebook
from layerscope.archive.pax import LIBARCHIVE, SCHILY, decimal, nanoseconds, pax_records, validate_pax, xattrs
from layerscope.archive.sparse import SPARSE_HASHED, Fragments, content_digest, expand, read_map
from layerscope.errors import ArchiveError, LimitError
from layerscope.model import Kind, LayerIndex

# name, mode+uid+gid, size, mtime, checksum, typeflag, linkname, magic..devminor, prefix, star's trailer
FIELDS = Struct("100s24s12s12s8sc100s88s155s8x4s").unpack

FILE, DIRECTORY, SYMLINK, HARDLINK, CHARACTER, WHITEOUT, OTHER = (
    int(kind)
    for kind in (
        Kind.FILE,
        Kind.DIRECTORY,
        Kind.SYMLINK,
        Kind.HARDLINK,
        Kind.CHARACTER,
        Kind.WHITEOUT,
        Kind.OTHER,
    )
)
SPARSE = frozenset(b"GNU.sparse." + key for key in (b"major", b"minor", b"map", b"name", b"size", b"realsize", b"numblocks"))
KINDS = {
    b"0": FILE,
    b"\0": FILE,
    b"7": FILE,
    b"S": FILE,
    b"1": HARDLINK,
    b"2": SYMLINK,
    b"3": CHARACTER,
    b"4": int(Kind.BLOCK),
    b"5": DIRECTORY,
    b"6": int(Kind.FIFO),
}
SPECIAL = frozenset((b"x", b"g", b"L", b"K"))
OCTAL_END = (0x00, 0x20)

Keep = Callable[[bytes], bool]
Visit = Callable[[int, bytes, int, Iterator[bytes]], None]


def nothing(path: bytes) -> bool:  # noqa: ARG001
    """Keep no file."""
    return False


def read_tar(
    feed: Feed,
    *,
    limits: Limits,
    keep: Keep = nothing,
    whiteouts: bool = True,
    visit: Visit | None = None,
    partial: bool = False,
) -> LayerIndex:
    """Return the index of the tar that `feed` gives.

    Contents are hashed while they pass if they cannot be looked at later. `keep` says whose content to hold. With `whiteouts`
    false `.wh.` names are names like others. `visit(row, path, size, pieces)` is called for each regular file as it passes.
    `partial` says that it is an archive, not a layer: there end blocks are due, and a file whose end is missing gets a row of
    the size that is there.
    """
    return TarReader(feed, limits, keep, whiteouts, visit, partial).read()


class TarReader:
    """The state of reading one tar: columns that grow, and the extension records that wait for their entry."""

    def __init__(self, feed: Feed, limits: Limits, keep: Keep, whiteouts: bool, visit: Visit | None, partial: bool) -> None:
        self.feed = feed
        self.limits = limits
        self.keep = keep
        self.whiteouts = whiteouts
        self.visit = visit
        self.partial = partial
        self.notes = Notebook()
        self.kept_bytes = 0
        self.extension_bytes = 0
        self.fragments = 0
        self.start = 0  # of the header at hand
        self.cut = 0  # rows whose data are not all there
        self.index = LayerIndex(
            paths=[],
            kinds=bytearray(),
            sizes=array("q"),
            modes=array("H"),
            uids=[],
            gids=[],
            mtimes=[],
            offsets=array("q"),
            spans=array("q"),
            links={},
            xattrs={},
            declared={},
            sparse={},
            digests={},
            kept={},
            tar_bytes=0,
        )

    def read(self) -> LayerIndex:
        """Read to the end of the stream."""
        try:
            self._entries()
            read_rest(self.feed, self.notes, empty=not self.index.paths)
            if self.feed.error is not None:
                raise self.feed.error
        except HeaderError as error:
            self._ended_by(error, self.start)
        except ArchiveError as error:
            self._ended_by(self.feed.error or error, self.feed.offset)
        self.feed.skip(1 << 62)
        index = self.index
        return LayerIndex(
            **{name: getattr(index, name) for name in LayerIndex.__slots__ if name not in ("tar_bytes", "notes")},
            tar_bytes=self.feed.offset,
            notes=self.notes.freeze(),
        )

    def _ended_by(self, error: ArchiveError, offset: int) -> None:
        offset = offset if error.offset is None else error.offset
        count = len(self.index.paths) - self.cut
        self.notes.fail(error.id or "C54", f"{error} at byte {offset:,}; {count:,} entries read before it", offset=offset)

    def _entries(self) -> None:  # one loop over the blocks: a call less for each entry is a tenth of the time
        feed, index, notes = self.feed, self.index, self.notes
        visit, keep, limit, total = self.visit, self.keep, self.limits.entries, feed.total
        in_place = feed.in_place and visit is None
        whiteouts = self.whiteouts
        owners: dict[bytes, tuple[int, int, int]] = {}
        times: dict[bytes, int] = {}
        sums: dict[bytes, int] = {}
        last_tail, device = b"", 0
        kinds_of = KINDS
        paths, kinds, links = index.paths, index.kinds, index.links
        add_path, add_kind, add_size, add_mode = paths.append, kinds.append, index.sizes.append, index.modes.append
        add_uid, add_gid, add_time = index.uids.append, index.gids.append, index.mtimes.append
        add_offset, add_span = index.offsets.append, index.spans.append
        sha256 = hashlib.sha256

        records: dict[bytes, bytes] | None = None
        long_name = long_link = b""
        pending = -1  # where the extension headers of the next entry began
        buffer, position, end, base = feed.buffer, feed.position, feed.end, feed.base

        while True:
            if end - position < BLOCK:  # also where a file was passed over
                feed.position = position
                feed.more(BLOCK)
                buffer, position, end, base = feed.buffer, feed.position, feed.end, feed.base
                if end - position < BLOCK:
                    if position < end and base + position == 0:
                        raise self._bad_header(buffer[position:end], 0)
                    end_without_blocks(notes, end - position, pending)
                    if self.partial and paths:
                        notes.fail("A54", "the archive ends without end blocks: it may be cut", offset=base + position)
                    return
            block = buffer[position : position + BLOCK]
            self.start = start = base + position
            position += BLOCK
            if block == ZERO:
                feed.position = position
                end_at_block(feed, notes, start, pending)
                return
            name, owner_field, size_field, time_field, sum_field, flag, link, tail, prefix, trailer = FIELDS(block)

            expected = sums.get(sum_field)
            if expected is None:
                try:
                    expected = sums[sum_field] = octal(sum_field) - 256 + sum(sum_field)
                except HeaderError:
                    expected = -1
            # 512 octets below 128 sum to less than 65,521, which the low half of Adler-32 then tells exactly.
            found = adler32(block, 0) & 0xFFFF if block.isascii() else byte_sum(block)
            if found != expected and not checksum_holds(block):
                raise self._bad_header(block, start)

            # What the block says
            if size_field == b"00000000000\0":
                size = 0
            elif size_field[:11].isdigit() and size_field[11] in OCTAL_END:
                try:
                    size = int(size_field[:11], 8)
                except ValueError:
                    raise HeaderError("a size field is not octal", id="C60") from None
            else:
                size = number(size_field)
                differences.tell_size(notes, flag, size_field, size, start)
            known = owners.get(owner_field)
            if known is None:
                known = owners[owner_field] = owner(owner_field)
                differences.tell_numbers(notes, (owner_field[:8], owner_field[8:16], owner_field[16:]), start)
            mode, uid, gid = known
            mtime = times.get(time_field)
            if mtime is None:
                mtime = times[time_field] = number(time_field) * 10**9
            if tail != last_tail:
                last_tail, device = tail, tail_device(tail)
                if device:
                    differences.tell_numbers(notes, (tail[72:80], tail[80:88]), start)
            cut = name.find(b"\0")
            if cut >= 0:
                name = name[:cut]
            if prefix[0]:
                name = prefixed(name, block)
                if trailer == b"tar\0" or tail[:6] != b"ustar\0":
                    differences.tell_prefix(notes, flag, block, start)
            if trailer == b"tar\0" and tail[:6] == b"ustar\0":
                number(block[476:488]), number(block[488:500])
            if size < 0 and flag not in HEADER_ONLY:
                raise HeaderError("a negative size", id="E11")

            # Extension headers speak of the entry that follows
            if flag in SPECIAL:
                if pending < 0:
                    pending = start
                feed.position = position
                data = self._special(size)
                buffer, position, end, base = feed.buffer, feed.position, feed.end, feed.base
                if flag == b"x":
                    if records is not None:
                        notes.warn("C56", "two PAX headers before one entry: readers disagree which holds", offset=start)
                    records = self._records(data, start)
                elif flag == b"g":
                    self._records(data, start)
                    notes.info("C49", "a global PAX header, which is not applied", offset=start)
                    records, long_name, long_link, pending = None, b"", b"", -1
                elif flag == b"L":
                    before, long_name = long_name, data.partition(b"\0")[0]
                    differences.tell_long(notes, before, long_name, start)
                else:
                    before, long_link = long_link, data.partition(b"\0")[0]
                    differences.tell_long(notes, before, long_link, start)
                continue

            # What its extension headers add
            row = len(paths)
            if row >= limit:
                raise LimitError("more entries than may be read", limit="entries", offset=start)
            link_name = link.partition(b"\0")[0] if flag in b"12" else b""
            fragments: Fragments | None = None
            cut_short: ArchiveError | None = None
            began = start
            if pending >= 0:
                began, pending = pending, -1
                shown = name
                if records is not None:
                    validate_pax(records)
                    if records.get(b"path"):
                        name = records[b"path"]
                    if records.get(b"linkpath"):
                        link_name = records[b"linkpath"]
                    if records.get(b"uid"):
                        uid = decimal(records[b"uid"])
                    if records.get(b"gid"):
                        gid = decimal(records[b"gid"])
                    if records.get(b"mtime"):
                        mtime = nanoseconds(records[b"mtime"])
                    if records.get(b"size"):
                        size = decimal(records[b"size"])
                differences.tell_extensions(notes, flag, shown, records or {}, long_name, long_link, start)
                name = long_name or name
                link_name = long_link or link_name
                if len(name) > 255:
                    differences.tell_length(notes, name, start)
            if flag == b"\0" and name[-1:] == b"/":
                flag = b"5"
                if size:
                    notes.warn("C62", "an old-style folder with a size: readers disagree where it ends", offset=start)
            logical = stored = size
            if flag in HEADER_ONLY:
                stored = 0
                if size and flag in b"346":
                    notes.warn("C25", f"a device with a size: GNU tar skips {size:,} bytes behind it", offset=start)
            elif size < 0:
                raise HeaderError("a negative size", id="C61")
            kind = kinds_of.get(flag, OTHER)
            if flag == b"S" or (records and not SPARSE.isdisjoint(records)):
                feed.position = position
                name, logical, stored, fragments = read_map(feed, self.limits, flag, block, name, records or {}, size)
                buffer, position, end, base = feed.buffer, feed.position, feed.end, feed.base
                differences.tell_sparse(notes, flag, fragments, base + position - start - BLOCK, start)

            # The path
            path = name
            if path[-1:] == b"/":
                path = path.rstrip(b"/")
                if kind == FILE:
                    notes.warn("C62", "a regular file whose name ends in '/'", path=path, offset=start)
            if path[:1] in (b"/", b".") or b"/." in path or b"//" in path:
                path, escaped = clean(path)
                if escaped:
                    notes.warn("C20", "a name that climbs out of the root; clamped to it", path=path, offset=start)
            if not path and (kind != DIRECTORY or not name):
                if not name:
                    notes.warn("C22", "an entry without a name was passed over", offset=start)
                else:
                    notes.warn("C21", "the root is not a directory; the entry is passed over", offset=start)
                kind = OTHER
            if whiteouts and b".wh." in path and kind != OTHER:
                kind, path = read_mark(notes, kind, path, start, empty=not stored)
            elif kind == CHARACTER and device == 0 and whiteouts:
                kind = WHITEOUT
                notes.warn("C23", "a 0:0 character device deletes the path below it at run time", path=path, offset=start)

            # The data
            where = base + position
            if stored:
                missing = 0
                if in_place and not (kind == FILE and keep(path)):  # contents can be looked at later
                    position += stored
                    if base + position > total:
                        missing = base + position - total
                        position = total - base
                elif position + stored <= end and visit is None and fragments is None:
                    content = buffer[position : position + stored]
                    position += stored
                    if kind == FILE:
                        if not in_place:
                            index.digests[row] = sha256(content).digest()
                        if keep(path) and self._fits(path, stored, start):
                            index.kept[row] = content
                else:
                    feed.position = position
                    missing = self._data(row, kind, path, stored, logical, fragments, start)
                    buffer, position, end, base = feed.buffer, feed.position, feed.end, feed.base
                if missing:
                    feed.position = position
                    cut_short = self._cut_data(path, stored, missing, start)
                    if not self.partial:
                        raise cut_short
                    logical = base + position - where
                position += -stored & 511
                if in_place:
                    if base + position > total:
                        position = total - base
                elif position > end:
                    feed.position = end
                    feed.skip(position - end)
                    buffer, position, end, base = feed.buffer, feed.position, feed.end, feed.base
            elif kind == FILE:
                if logical and not (in_place and not keep(path)):  # a sparse file that is one hole
                    self._data(row, kind, path, 0, logical, fragments, start)
                elif keep(path):
                    index.kept[row] = b""

            # The row
            add_path(path)
            add_kind(kind)
            add_size(logical if kind == FILE else 0)
            add_mode(mode)
            add_uid(uid)
            add_gid(gid)
            add_time(mtime)
            add_offset(where)
            add_span(base + position - began)
            if logical and kind != FILE:
                index.declared[row] = logical
            if kind == HARDLINK:
                links[row] = clean(link_name)[0]
            elif kind == SYMLINK:
                links[row] = link_name
            elif kind == OTHER and flag not in kinds_of:
                notes.info("C50", f"an entry of type {flag.decode('latin-1')!r} is passed over", path=path, offset=start)
            if fragments is not None:
                index.sparse[row] = fragments
                self.fragments += len(fragments)
                if self.fragments > self.limits.sparse_fragments:
                    message = "more pieces of sparse files than may be read"
                    raise LimitError(message, limit="sparse_fragments", offset=start, id="E14")
            if records is not None:
                if any(key.startswith((SCHILY, LIBARCHIVE)) for key in records):
                    self._xattrs(row, path, records, start)
                records = None
            long_name = long_link = b""
            if cut_short is not None:
                feed.position = position
                self.cut = 1
                raise cut_short

    # What is rare stands below, so that the loop above can be read.

    def _bad_header(self, block: bytes, start: int) -> ArchiveError:
        if start == 0:
            return HeaderError(f"not a tar: {what_is(block)}", id="C65", offset=start)
        return HeaderError("a tar header's checksum is wrong", id="C54", offset=start)

    def _cut_data(self, path: bytes, size: int, missing: int, start: int) -> ArchiveError:
        shown = path[-80:].decode("utf-8", "backslashreplace")
        return ArchiveError(f"{shown!r} is cut: {missing:,} of its {size:,} bytes are missing", id="C55", offset=start)

    def _special(self, size: int) -> bytes:
        if size > self.limits.special_bytes:
            raise LimitError(f"an extension header of {size:,} bytes", limit="special_bytes", offset=self.start, id="E13")
        self.extension_bytes += size
        if self.extension_bytes > self.limits.extension_bytes:
            message = "more bytes of extension headers than may be read"
            raise LimitError(message, limit="extension_bytes", offset=self.start, id="E13")
        data = b"".join(self.feed.pieces(size))
        if len(data) < size:
            raise HeaderError("an extension header is cut", id="C55")
        self.feed.skip(-size & 511)
        return data

    def _records(self, data: bytes, start: int) -> dict[bytes, bytes]:
        differences.tell_text(self.notes, data, start)
        try:
            return pax_records(data)
        except HeaderError as error:
            error.offset = start + BLOCK + (error.offset or 0)
            raise

    def _data(
        self, row: int, kind: int, path: bytes, stored: int, logical: int, fragments: Fragments | None, start: int
    ) -> int:
        """Read data that are sparse, not in the buffer or to be looked at; return how many bytes of them are missing."""
        feed, index = self.feed, self.index
        where = feed.offset
        if kind != FILE:
            feed.skip(stored)
        elif self.visit is not None:
            self.visit(row, path, stored, feed.pieces(stored))
            feed.skip(stored - (feed.offset - where))
        elif fragments is not None:
            self._sparse_data(row, path, stored, logical, fragments, start)
        else:
            hasher = None if feed.in_place else hashlib.sha256()
            kept: list[bytes] | None = [] if self.keep(path) and self._fits(path, stored, start) else None
            for piece in feed.pieces(stored):
                if hasher is not None:
                    hasher.update(piece)
                if kept is not None:
                    kept.append(piece)
            if feed.offset - where == stored:
                if hasher is not None:
                    index.digests[row] = hasher.digest()
                if kept is not None:
                    index.kept[row] = b"".join(kept)
        return stored - (feed.offset - where)

    def _sparse_data(self, row: int, path: bytes, stored: int, logical: int, fragments: Fragments, start: int) -> None:
        feed, index = self.feed, self.index
        end = feed.offset + stored
        hashed = not feed.in_place and logical <= SPARSE_HASHED
        if self.keep(path) and self._fits(path, logical, start):
            content = expand(fragments, logical, b"".join(feed.pieces(stored)))
            if feed.offset == end:
                index.kept[row] = content
                if hashed:
                    index.digests[row] = hashlib.sha256(content).digest()
        elif hashed:
            digest = content_digest(fragments, logical, feed.pieces(stored))
            if feed.offset == end:
                index.digests[row] = digest
        else:
            feed.skip(stored)

    def _fits(self, path: bytes, size: int, start: int) -> bool:
        """Whether a file may be kept; a note tells if not."""
        if size <= self.limits.kept_file_bytes and self.kept_bytes + size <= self.limits.kept_bytes:
            self.kept_bytes += size
            return True
        limit = "kept_file_bytes" if size > self.limits.kept_file_bytes else "kept_bytes"
        message = f"{size:,} bytes are too many to be looked into; raise the limit with --limit {limit}=VALUE"
        self.notes.fail("E08", message, path=path, offset=start)
        return False

    def _xattrs(self, row: int, path: bytes, records: dict[bytes, bytes], start: int) -> None:
        found = xattrs(records)
        self.index.xattrs[row] = found
        for name, _ in found:
            if name.startswith(b"trusted.overlay."):
                self.notes.warn(
                    "C24", f"sets {name.decode('latin-1')}, which the kernel's overlayfs obeys", path=path, offset=start
                )
