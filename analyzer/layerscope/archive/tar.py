"""Which entries does one tar stream hold? By the rules of Go's archive/tar, in one pass, with exact offsets.

Where that reader returns an error, the stream ends here too: the rows before it stand, an ERROR note tells the offset. Where it
reads on but others would see something else (E34), a note tells that.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator
from struct import Struct

from layerscope.archive.feed import Feed
from layerscope.archive.header import (
    BLOCK,
    SCHILY,
    ZERO,
    HeaderError,
    adler32,
    byte_sum,
    checksum_holds,
    clean,
    decimal,
    nanoseconds,
    number,
    octal,
    pax_records,
    validate_pax,
    xattrs,
)
from layerscope.archive.limits import Limits
from layerscope.archive.notebook import Notebook
from layerscope.archive.sparse import SPARSE_HASHED, Fragments, content_digest, map_0, map_1, old_gnu_map, pax_size, pax_version
from layerscope.errors import ArchiveError, LimitError
from layerscope.model import Kind, LayerIndex

# name, mode+uid+gid, size, mtime, checksum, typeflag, linkname, magic..devminor, prefix, star's trailer
FIELDS = Struct("100s24s12s12s8sc100s88s155s8x4s").unpack

FILE, DIRECTORY, SYMLINK, HARDLINK, CHARACTER, WHITEOUT, OPAQUE, OTHER = (
    int(kind)
    for kind in (
        Kind.FILE,
        Kind.DIRECTORY,
        Kind.SYMLINK,
        Kind.HARDLINK,
        Kind.CHARACTER,
        Kind.WHITEOUT,
        Kind.OPAQUE,
        Kind.OTHER,
    )
)
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
EROFS = b"\xe2\xe1\xf5\xe0"
HEADER_ONLY = frozenset((b"1", b"2", b"3", b"4", b"5", b"6"))

Keep = Callable[[bytes], bool]
Visit = Callable[[int, bytes, int, Iterator[bytes]], None]


class Owner:
    """What a header's mode, uid and gid say, read once for each combination of their 24 octets."""

    def __init__(self) -> None:
        self.known: dict[bytes, tuple[int, int, int]] = {}

    def read(self, field: bytes) -> tuple[int, int, int]:
        """Return permission bits, uid and gid."""
        found = (number(field[:8]) & 0o7777, number(field[8:16]), number(field[16:]))
        self.known[field] = found
        return found


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
    With `partial` a file whose end is missing gets a row of the size that is there.
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
        except ArchiveError as error:
            self._ended_by(self.feed.error or error)
            self.feed.skip(1 << 62)
        else:
            self._drain()
        index = self.index
        return LayerIndex(
            **{name: getattr(index, name) for name in LayerIndex.__slots__ if name not in ("tar_bytes", "notes")},
            tar_bytes=self.feed.offset,
            notes=self.notes.freeze(),
        )

    def _ended_by(self, error: ArchiveError) -> None:
        offset = self.feed.offset if error.offset is None else error.offset
        count = len(self.index.paths) - self.cut
        self.notes.fail(error.id or "C54", f"{error} at byte {offset:,}; {count:,} entries read before it", offset=offset)

    def _entries(self) -> None:  # one loop over the blocks: a call less for each entry is a tenth of the time
        feed, index, notes = self.feed, self.index, self.notes
        in_place, visit, keep, limit = feed.in_place, self.visit, self.keep, self.limits.entries
        whiteouts = self.whiteouts
        owner = Owner()
        owners, read_owner = owner.known, owner.read
        times: dict[bytes, int] = {}
        sums: dict[bytes, int] = {}
        tails: dict[bytes, int] = {}
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
            if end - position < BLOCK:
                feed.position = position
                feed.more(BLOCK)
                buffer, position, end, base = feed.buffer, feed.position, feed.end, feed.base
                if end - position < BLOCK:
                    self._end(end - position, pending)
                    return
            block = buffer[position : position + BLOCK]
            start = base + position
            position += BLOCK
            if block == ZERO:
                feed.position = position
                self._end_blocks(start, pending)
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
                feed.position = position - BLOCK
                raise self._bad_header(block, start)

            # What the block says
            if size_field == b"00000000000\0":
                size = 0
            elif size_field[:11].isdigit() and size_field[11] in OCTAL_END:
                try:
                    size = int(size_field[:11], 8)
                except ValueError:
                    raise HeaderError("a size field is not octal", id="C60", offset=start) from None
            else:
                size = number(size_field)
                if size_field[0] == 0 and size:
                    notes.warn("C60", "a size field begins with NUL: other readers take the size for 0", offset=start)
            mode, uid, gid = owners.get(owner_field) or read_owner(owner_field)
            mtime = times.get(time_field)
            if mtime is None:
                mtime = times[time_field] = number(time_field) * 10**9
            device = tails.get(tail)
            if device is None:
                device = tails[tail] = tail_device(tail)
            cut = name.find(b"\0")
            if cut >= 0:
                name = name[:cut]
            if prefix[0]:
                name = prefixed(name, block)
            if trailer == b"tar\0":
                number(block[476:488]), number(block[488:500])
            if size < 0:
                feed.position = position
                raise HeaderError("a negative size", id="E11", offset=start)

            # Extension headers speak of the entry that follows
            if flag in SPECIAL:
                if pending < 0:
                    pending = start
                feed.position = position
                data = self._special(size, start)
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
                    long_name = data.partition(b"\0")[0]
                else:
                    long_link = data.partition(b"\0")[0]
                continue

            # What its extension headers add
            row = len(paths)
            if row >= limit:
                feed.position = position - BLOCK
                raise LimitError(f"more than {limit:,} entries", limit="entries", offset=start)
            link_name = b""
            fragments: Fragments | None = None
            cut_short: ArchiveError | None = None
            logical = stored = size
            if flag in b"12":
                link_name = link.partition(b"\0")[0]
            began = start
            if pending >= 0:
                began, pending = pending, -1
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
                        size = logical = stored = decimal(records[b"size"])
                        if size < 0:
                            raise HeaderError("a negative size", id="C61", offset=start)
                if long_name:
                    if records and records.get(b"path", long_name) != long_name:
                        notes.warn("C57", "PAX and GNU long names disagree: readers see different names", offset=start)
                    name = long_name
                if long_link:
                    link_name = long_link
            if flag == b"\0" and name[-1:] == b"/":
                flag = b"5"
                if size:
                    notes.warn("C62", "an old-style folder with a size: readers disagree where it ends", offset=start)
            if flag in HEADER_ONLY:
                stored = 0
            kind = kinds_of.get(flag, OTHER)
            if (
                flag == b"S"
                or (records is not None and b"GNU.sparse.map" in records)
                or (records and b"GNU.sparse.major" in records)
            ):
                feed.position = position
                name, logical, stored, fragments = self._sparse(flag, block, name, records, size, start)
                buffer, position, end, base = feed.buffer, feed.position, feed.end, feed.base

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
                kind, path = self._marked(kind, path, start, stored)
            elif kind == CHARACTER and device == 0 and whiteouts:
                kind = WHITEOUT
                notes.warn("C23", "a 0:0 character device deletes the path below it at run time", path=path, offset=start)

            # The data
            where = base + position
            if stored:
                content = b""
                stop = position + stored
                wanted = kind == FILE and keep(path) and self._fits(path, stored, start)
                if visit is not None and kind == FILE:
                    feed.position = position
                    visit(row, path, stored, feed.pieces(stored))
                    missing = stored - (feed.offset - where)
                    missing -= feed.skip(missing)
                    buffer, position, end, base = feed.buffer, feed.position, feed.end, feed.base
                    if missing:
                        cut_short = self._cut_data(path, stored, missing, start)
                elif fragments is not None and not in_place and logical <= SPARSE_HASHED:
                    feed.position = position
                    index.digests[row] = content_digest(fragments, logical, feed.pieces(stored))
                    missing = stored - (feed.offset - where)
                    buffer, position, end, base = feed.buffer, feed.position, feed.end, feed.base
                    if missing:
                        del index.digests[row]
                        cut_short = self._cut_data(path, stored, missing, start)
                elif stop <= end:
                    if kind == FILE and not in_place and fragments is None:
                        content = buffer[position:stop]
                        index.digests[row] = sha256(content).digest()
                    if wanted:
                        content = buffer[position:stop]
                    position = stop
                else:
                    feed.position = position
                    if in_place:  # nothing more will come
                        position = feed.position = end
                        cut_short = self._cut_data(path, stored, stop - end, start)
                    hasher = sha256() if kind == FILE and not in_place and fragments is None else None
                    pieces: list[bytes] = []
                    for piece in feed.pieces(stored):
                        if hasher is not None:
                            hasher.update(piece)
                        if wanted:
                            pieces.append(piece)
                    missing = stored - (feed.offset - where)
                    buffer, position, end, base = feed.buffer, feed.position, feed.end, feed.base
                    if missing:
                        cut_short = self._cut_data(path, stored, missing, start)
                    if hasher is not None and cut_short is None:
                        index.digests[row] = hasher.digest()
                    content = b"".join(pieces)
                if cut_short is not None:
                    feed.position = position
                    if not self.partial:
                        raise cut_short
                    logical = base + position - where
                    wanted = False
                if wanted and fragments is None:
                    self.kept_bytes += stored
                    index.kept[row] = content
                padding = -stored & 511
                position += padding
                if position > end or cut_short is not None:
                    feed.position = end
                    feed.skip(position - end)
                    buffer, position, end, base = feed.buffer, feed.position, feed.end, feed.base
            elif kind == FILE and keep(path) and fragments is None:
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
            if size and kind != FILE:
                index.declared[row] = size
            if kind == HARDLINK:
                links[row] = clean(link_name)[0]
            elif kind == SYMLINK:
                links[row] = link_name
            elif kind == OTHER and flag not in kinds_of:
                notes.info("C50", f"an entry of type {flag.decode('latin-1')!r} is passed over", path=path, offset=start)
            if fragments is not None:
                index.sparse[row] = fragments
            if records is not None:
                if any(key.startswith((SCHILY, b"LIBARCHIVE.xattr.")) for key in records):
                    self._xattrs(row, path, records, start)
                records = None
            long_name = long_link = b""
            if cut_short is not None:
                self.cut = 1
                raise cut_short

    # What is rare stands below, so that the loop above can be read.

    def _bad_header(self, block: bytes, start: int) -> ArchiveError:
        if not self.index.paths and start == 0:
            return HeaderError(f"not a tar: {what_is(block)}", id="C65", offset=start)
        return HeaderError("a tar header's checksum is wrong", id="C54", offset=start)

    def _cut_data(self, path: bytes, size: int, missing: int, start: int) -> ArchiveError:
        shown = path[-80:].decode("utf-8", "backslashreplace")
        return ArchiveError(f"{shown!r} is cut: {missing:,} of its {size:,} bytes are missing", id="C55", offset=start)

    def _end(self, rest: int, pending: int) -> None:
        if rest:
            raise ArchiveError(f"the tar ends in the middle of a header ({rest} bytes of 512)", id="C55")
        if pending >= 0:
            self.notes.warn("C64", "an extension header without the entry it speaks of", offset=pending)
        if self.partial and self.index.paths:
            self.notes.warn("A54", "the archive ends without end blocks: it may be cut", offset=self.feed.offset)

    def _end_blocks(self, start: int, pending: int) -> None:
        if pending >= 0:
            self.notes.warn("C64", "an extension header without the entry it speaks of", offset=pending)
        second = self.feed.block()
        if second and second != ZERO:
            if len(second) < BLOCK:
                raise ArchiveError("the tar ends in the middle of its end blocks", id="C55", offset=start + BLOCK)
            raise HeaderError("data follow a single zero block, where many readers stop", id="C52", offset=start)

    def _drain(self) -> None:
        """Read to the end of the stream, and tell if there is more than zeros (C53)."""
        feed = self.feed
        start, size, first = feed.offset, 0, -1
        head = b""
        for piece in feed.pieces(1 << 62):
            if first < 0 and piece.strip(b"\0"):
                lead = len(piece) - len(piece.lstrip(b"\0"))
                first = start + size + lead
                head = piece[lead - lead % BLOCK :][:BLOCK]
            size += len(piece)
        if first >= 0:
            if first == 2 * BLOCK and head[:4] == EROFS and not self.index.paths:
                self.notes.fail("A57", "not a tar: it is an EROFS file system", offset=first)
            elif head[:100].rstrip(b"\0") == b"stargz.index.json":
                self.notes.info("C46", "an eStargz table of contents stands after the end blocks", offset=first)
            else:
                rest = start + size - first
                self.notes.warn("C53", f"{rest:,} bytes after the end of the tar, which no runtime unpacks", offset=first)
        if feed.error is not None:
            self._ended_by(feed.error)

    def _special(self, size: int, start: int) -> bytes:
        if size > self.limits.special_bytes:
            raise HeaderError(f"an extension header of {size:,} bytes", id="E13", offset=start)
        data = b"".join(self.feed.pieces(size))
        if len(data) < size:
            raise ArchiveError("an extension header is cut", id="C55", offset=start)
        self.feed.skip(-size & 511)
        return data

    def _records(self, data: bytes, start: int) -> dict[bytes, bytes]:
        try:
            return pax_records(data)
        except HeaderError as error:
            error.offset = start + BLOCK + (error.offset or 0)
            raise

    def _sparse(
        self, flag: bytes, block: bytes, name: bytes, records: dict[bytes, bytes] | None, size: int, start: int
    ) -> tuple[bytes, int, int, Fragments | None]:
        """Return name, logical size, bytes of stored data still to come, and fragments."""
        logical, stored, fragments = size, size, None
        if flag in HEADER_ONLY:
            stored = 0
        try:
            if flag == b"S":
                logical, fragments = old_gnu_map(block, self.feed.block, self.limits)
            elif records is not None and (version := pax_version(records)) is not None:
                name = records.get(b"GNU.sparse.name") or name
                real = pax_size(records)
                logical = size if real is None else real
                if version == "0":
                    fragments = map_0(records, logical)
                else:
                    used, fragments = map_1(self.feed.block, logical, self.limits)
                    stored -= used
                if flag in HEADER_ONLY:
                    raise HeaderError("a sparse entry that is no file", id="C43")
        except HeaderError as error:
            error.offset = start
            raise
        if fragments is not None and sum(length for _, length in fragments) != stored:
            raise HeaderError("a sparse file's map does not match its data", id="C43", offset=start)
        return name, logical, stored, fragments

    def _marked(self, kind: int, path: bytes, start: int, stored: int) -> tuple[int, bytes]:
        """Return kind and path of a name with `.wh.` in it, which may be a whiteout (OCI image-spec, layer.md)."""
        parent, slash, base = path.rpartition(b"/")
        if base == b".wh..wh..opq":
            mark, target = OPAQUE, parent
        elif path.startswith(b".wh..wh."):
            self.notes.info("C10", "AUFS metadata at the root, which no container sees", path=path, offset=start)
            return (kind if kind in (FILE, HARDLINK) else OTHER), path
        elif not base.startswith(b".wh."):
            return kind, path
        elif base in (b".wh.", b".wh..", b".wh..."):
            self.notes.warn("C07", "a whiteout that names nothing is passed over", path=path, offset=start)
            return OTHER, path
        else:
            mark, target = WHITEOUT, parent + slash + base[4:]
        if stored or kind != FILE:
            self.notes.warn("C09", "a whiteout that is more than an empty file", path=path, offset=start)
        return mark, target

    def _fits(self, path: bytes, size: int, start: int) -> bool:
        """Whether a file may be kept; a note tells if not."""
        if size <= self.limits.kept_file_bytes and self.kept_bytes + size <= self.limits.kept_bytes:
            return True
        self.notes.warn("E08", f"{size:,} bytes are too many to be looked into", path=path, offset=start)
        return False

    def _xattrs(self, row: int, path: bytes, records: dict[bytes, bytes], start: int) -> None:
        found = xattrs(records)
        self.index.xattrs[row] = found
        for name, _ in found:
            if name.startswith(b"trusted.overlay."):
                self.notes.warn(
                    "C24", f"sets {name.decode('latin-1')}, which the kernel's overlayfs obeys", path=path, offset=start
                )


def tail_device(tail: bytes) -> int:
    """Return major << 32 | minor of the second half of a header; 0 for an old header, which has none."""
    if tail[:6] != b"ustar\0" and tail[:8] != b"ustar  \0":
        return 0
    return (number(tail[72:80]) & 0xFFFFFFFF) << 32 | (number(tail[80:88]) & 0xFFFFFFFF)


def prefixed(name: bytes, block: bytes) -> bytes:
    """Return the name with its prefix, which old GNU headers may or may not have (C63)."""
    magic, version = block[257:263], block[263:265]
    if magic == b"ustar\0":
        prefix = block[345:476] if block[508:512] == b"tar\0" else block[345:500]
        prefix = prefix.partition(b"\0")[0]
    elif magic == b"ustar " and version == b" \0":
        try:
            for field in (block[345:357], block[357:369]):
                if field[0]:
                    number(field)
        except HeaderError:
            prefix = block[345:500].partition(b"\0")[0]
            if not prefix.isascii():
                prefix = b""
        else:
            prefix = b""
    else:
        prefix = b""
    return prefix + b"/" + name if prefix else name


def what_is(head: bytes) -> str:
    """Say for people what bytes are that should have been a tar."""
    text = head[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] in (b"{", b"["):
        return "it looks like JSON"
    if text[:1] == b"<":
        return "it looks like HTML or XML"
    if head[:4] == b"PK\x03\x04":
        return "it looks like a zip file"
    if head[:2] == b"\x1f\x8b":
        return "it is gzip data inside compressed data"
    return "its first header is damaged or of another format"
