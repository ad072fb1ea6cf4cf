"""Which entries does one tar stream hold? By the rules of Go's archive/tar, in one pass, with exact offsets.

Where that reader returns an error, the stream ends here too: the rows before it stand, an ERROR note tells the offset. Where it
reads on but others would see something else (E34), a note tells that.
"""

from __future__ import annotations

from array import array
from dataclasses import fields
from struct import Struct

from layerscope.archive.compression.toc import Toc
from layerscope.archive.feed import Feed
from layerscope.archive.glance import glance_of, table
from layerscope.archive.inspection import NOBODY, Inspection, Inspectors
from layerscope.archive.layouts.opaque import opaque_index
from layerscope.archive.limits import Limits
from layerscope.archive.notebook import Notebook
from layerscope.archive.prints import PRINTS, SMALL, WIDTH, Prints
from layerscope.archive.quick import Runs, Taker, fingerprint
from layerscope.archive.tar import differences
from layerscope.archive.tar.contents import Contents, Fits, Keep, Visit
from layerscope.archive.tar.ending import end_at_block, end_without_blocks, read_rest
from layerscope.archive.tar.extensions import read_attributes, read_extension, read_records
from layerscope.archive.tar.header import (
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
from layerscope.archive.tar.marks import read_mark
from layerscope.archive.tar.pax import decimal, nanoseconds, validate_pax
from layerscope.archive.tar.sparse import Fragments, read_map
from layerscope.errors import ArchiveError, LimitError
from layerscope.model import Kind, LayerIndex

# name, mode+uid+gid, size, mtime, checksum, typeflag, (linkname,) magic to the end
FIELDS = Struct("100s24s12s12s8sc100x255s").unpack

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
LINKS, DEVICES = frozenset((b"1", b"2")), frozenset((b"3", b"4", b"6"))
OCTAL_END = (0x00, 0x20)
DOT = 0x2E
SET_AT_THE_END = frozenset(("sizes", "modes", "uids", "gids", "offsets", "spans", "prints", "tar_bytes", "notes"))
SET_ON_THE_WAY = tuple(column.name for column in fields(LayerIndex) if column.name not in SET_AT_THE_END)


def _list(_: str) -> list[int]:
    """Make a column that grows quickly."""
    return []


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
    inspectors: Inspectors = NOBODY,
    shown: list[int] | None = None,
    toc: Toc | None = None,
    prints: Prints = PRINTS,
) -> LayerIndex:
    """Return the index of the tar that `feed` gives.

    `prints` tells contents apart: those that pass, since they cannot be looked at later, and small ones that lie in place.
    `keep` says whose content to hold. With `whiteouts`
    false `.wh.` names are names like others. `visit(row, path, size, pieces)` is called for each regular file as it passes.
    With `partial` a file whose end is missing gets a row of the size that is there. `inspectors` see what passes only once; of
    what lies in place `shown` takes the rows that they may want. `toc` takes a table of contents that stands behind the end.
    """
    rows = [] if shown is None else shown
    return TarReader(feed, limits, keep, whiteouts, visit, partial, inspectors, rows, toc, prints).read()


class TarReader:
    """The state of reading one tar: columns that grow, and the extension records that wait for their entry."""

    def __init__(
        self,
        feed: Feed,
        limits: Limits,
        keep: Keep,
        whiteouts: bool,
        visit: Visit | None,
        partial: bool,
        inspectors: Inspectors,
        shown: list[int],
        toc: Toc | None,
        prints: Prints,
    ) -> None:
        self.feed = feed
        self.limits = limits
        self.keep = keep
        self.whiteouts = whiteouts
        self.visit = visit
        self.partial = partial
        self.inspectors = inspectors
        self.shown = shown
        self.toc = toc
        self.named = prints if toc is None else toc.watch(prints)
        self.notes = Notebook()
        self.extension_bytes = 0
        self.fragments = 0
        self.start = 0  # of the header at hand
        self.cut = 0  # rows whose data are not all there
        self.plain_folders: dict[bytes, bytes] = {}  # those seen that need no cleaning, each to one object
        self.index = opaque_index(0)
        # Without the compiled part numbers wait in lists: appending to an array one by one takes several times as long.
        column = _list if Runs is None or visit is not None else array
        self.sizes = column("q")
        self.modes = column("H")
        self.uids = column("q")
        self.gids = column("q")
        self.offsets = column("q")
        self.spans = column("q")
        self.prints = column("q")

    def read(self) -> LayerIndex:
        """Read to the end of the stream."""
        try:
            self._entries()
            read_rest(self.feed, self.notes, empty=not self.index.paths, toc=self.toc)
            if self.feed.error is not None:
                raise self.feed.error
        except HeaderError as error:
            self._ended_by(error, self.start)
            self.feed.skip(1 << 62)
            if self.feed.error is not None:  # which may be what broke the header
                self._ended_by(self.feed.error, self.feed.offset)
        except LimitError as error:
            self._ended_by(self.feed.error or error, self.start)
        except ArchiveError as error:
            self._ended_by(self.feed.error or error, self.feed.offset)
        self.feed.skip(1 << 62)
        index = self.index
        return LayerIndex(
            **{name: getattr(index, name) for name in SET_ON_THE_WAY},
            sizes=array("q", self.sizes),
            modes=array("H", self.modes),
            uids=array("q", self.uids),
            gids=array("q", self.gids),
            offsets=array("q", self.offsets),
            spans=array("q", self.spans),
            prints=array("q", self.prints),
            tar_bytes=self.feed.offset,
            notes=self.notes.freeze(),
        )

    def _ended_by(self, error: ArchiveError, offset: int) -> None:
        offset = offset if error.offset is None else error.offset
        count = len(self.index.paths) - self.cut
        entries = {0: "no entry", 1: "1 entry"}.get(count, f"{count:,} entries")
        self.notes.fail(error.id or "C54", f"{error} at byte {offset:,}; {entries} read before it", offset=offset)

    def _entries(self) -> None:  # one loop over the blocks: a call less for each entry is a tenth of the time
        feed, index, notes = self.feed, self.index, self.notes
        visit, keep, limit, total = self.visit, self.keep, self.limits.entries, feed.total
        in_place = feed.in_place and visit is None
        whiteouts = self.whiteouts
        owners: dict[bytes, tuple[int, int, int]] = {}
        times: dict[bytes, int] = {}
        sums: dict[bytes, int] = {}
        last_rest, device, differs = b"", 0, False
        kinds_of = KINDS
        paths, kinds, links = index.paths, index.kinds, index.links
        add_path, add_kind, add_size, add_mode = paths.append, kinds.append, self.sizes.append, self.modes.append
        add_folder, plain_folders = index.folders.append, self.plain_folders
        add_uid, add_gid, add_time = self.uids.append, self.gids.append, index.mtimes.append
        add_offset, add_span, add_print = self.offsets.append, self.spans.append, self.prints.append
        print_of, label_of, no_label = self.named.print_of, self.named.label_of, bytes(0 if feed.in_place else WIDTH)
        passes = bool(self.inspectors) and not feed.in_place
        inspection = Inspection(self.inspectors, index, notes, self.limits) if passes else None
        contents = Contents(feed, index, notes, self.limits, keep, visit, self.named, inspection)
        read_file, fits = contents.read, contents.fits
        may_show = self.inspectors.glance.may_want

        runs = None if visit is not None else self._runs(fits, inspection, total if in_place else -1)
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
                        notes.warn("A54", "the archive ends without end blocks: it may be cut", offset=base + position)
                    return
            if runs is not None and pending < 0:
                position, need = runs.take(buffer, position, end, base)
                if need:
                    feed.position = position
                    enough = feed.more(need)
                    buffer, position, end, base = feed.buffer, feed.position, feed.end, feed.base
                    if enough:
                        continue
                elif end - position < BLOCK:
                    continue
            block = buffer[position : position + BLOCK]
            self.start = start = base + position
            position += BLOCK
            if block == ZERO:
                feed.position = position
                end_at_block(feed, notes, start, pending)
                return
            name, owner_field, size_field, time_field, sum_field, flag, rest = FIELDS(block)

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
            if rest != last_rest:  # magic to prefix: mostly the same from entry to entry
                last_rest, device = rest, tail_device(rest)
                differs = rest[88:].strip(b"\0") != b""
                if device:
                    differences.tell_numbers(notes, (rest[72:80], rest[80:88]), start)
            cut = name.find(b"\0")
            if cut >= 0:
                name = name[:cut]
            if differs:
                star = rest[251:] == b"tar\0"
                if rest[88]:
                    name = prefixed(name, block)
                    if star or rest[:6] != b"ustar\0":
                        differences.tell_prefix(notes, flag, block, start)
                if star and rest[:6] == b"ustar\0":
                    number(block[476:488]), number(block[488:500])
            if size < 0 and flag not in HEADER_ONLY:
                raise HeaderError("a negative size", id="E11")

            # Extension headers speak of the entry that follows
            if flag in SPECIAL:
                if pending < 0:
                    pending = start
                feed.position = position
                data = read_extension(feed, size, self.extension_bytes, self.limits)
                self.extension_bytes += size
                buffer, position, end, base = feed.buffer, feed.position, feed.end, feed.base
                if flag == b"x":
                    if records is not None:
                        notes.warn("C56", "two PAX headers before one entry: readers disagree which holds", offset=start)
                    records = read_records(notes, data, start)
                elif flag == b"g":
                    read_records(notes, data, start)
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
            link_name = block[157:257].partition(b"\0")[0] if flag in LINKS else b""
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
                if size and flag in DEVICES:
                    notes.warn("C25", f"a device with a size: GNU tar skips {size:,} bytes behind it", offset=start)
            elif size < 0:
                raise HeaderError("a negative size", id="C61")
            kind = kinds_of.get(flag, OTHER)
            if flag == b"S" or (records and not SPARSE.isdisjoint(records)):
                feed.position = position
                name, logical, stored, fragments = read_map(feed, self.limits, flag, block, name, records or {}, size)
                buffer, position, end, base = feed.buffer, feed.position, feed.end, feed.base
                differences.tell_sparse(notes, flag, fragments, base + position - start - BLOCK, start)

            # The path: most entries have a plain name in a folder that was seen before
            path = name
            if path.endswith(b"/"):
                path = path.rstrip(b"/")
                if kind == FILE:
                    notes.warn("C62", "a regular file whose name ends in '/'", path=path, offset=start)
            if path.startswith(b"./"):
                path = path[2:]
            folder, _, last = path.rpartition(b"/")
            known_folder = plain_folders.get(folder)
            if known_folder is not None and last and last[0] != DOT and (folder or len(path) == len(last)):
                folder = known_folder
                if kind == DIRECTORY:
                    plain_folders.setdefault(path, path)
            else:
                kind, path, folder = self._locate(kind, name, start, empty=not stored)
            if kind == CHARACTER and device == 0 and whiteouts:
                kind = WHITEOUT
                notes.warn("C23", "a 0:0 character device deletes the path below it at run time", path=path, offset=start)

            # The data
            where = base + position
            print_, label = 0, no_label
            if stored:
                missing = 0
                if in_place and stored <= SMALL and position + stored > end:
                    feed.position = position
                    feed.more(stored)
                    buffer, position, end, base = feed.buffer, feed.position, feed.end, feed.base
                if in_place and not (kind == FILE and keep(path)):  # contents can be looked at later
                    if kind == FILE and stored <= SMALL and fragments is None:
                        print_ = print_of(buffer[position : position + stored])
                    position += stored
                    if base + position > total:
                        missing = base + position - total
                        position = total - base
                elif position + stored <= end and visit is None and fragments is None:
                    content = buffer[position : position + stored]
                    position += stored
                    if kind == FILE:
                        if not in_place:
                            print_, label = print_of(content), label_of(content)
                        elif stored <= SMALL:
                            print_ = print_of(content)
                        if keep(path) and fits(path, stored, start):
                            index.kept[row] = content
                        if inspection is not None:
                            inspection.show(row, path, mode, content, start)
                else:
                    feed.position, contents.mode = position, mode
                    missing = (
                        read_file(row, path, stored, logical, fragments, start) if kind == FILE else stored - feed.skip(stored)
                    )
                    if kind == FILE and contents.found is not None:
                        print_, label = contents.found
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
                if logical:  # a sparse file that is one hole
                    if visit is None and not (in_place and not keep(path)):
                        read_file(row, path, 0, logical, fragments, start)
                        if contents.found is not None:
                            print_, label = contents.found
                elif keep(path):
                    index.kept[row] = b""

            # The row
            add_path(path)
            add_folder(folder)
            add_kind(kind)
            add_size(logical if kind == FILE else 0)
            add_mode(mode)
            add_uid(uid)
            add_gid(gid)
            add_time(mtime)
            add_offset(where)
            add_span(base + position - began)
            add_print(print_)
            index.labels.extend(label)
            if in_place and logical and kind == FILE and may_show(path, mode):
                self.shown.append(row)
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
                attributes = read_attributes(notes, path, records, start)
                if attributes is not None:
                    index.xattrs[row] = attributes
                records = None
            long_name = long_link = b""
            if cut_short is not None:
                feed.position = position
                self.cut = 1
                index.declared[row] = stored
                raise cut_short

    # What is rare stands below, so that the loop above can be read.

    def _runs(self, fits: Fits, inspection: Inspection | None, total: int) -> Taker | None:
        """Return what takes plain entries, None if it was not compiled."""
        if Runs is None:
            return None
        index, keep, kept, shown = self.index, self.keep, glance_of(self.keep), self.inspectors.glance
        show = None if inspection is None else inspection.show
        return Runs(
            index.paths, index.folders, index.kinds, self.sizes, self.modes, self.uids, self.gids, index.mtimes,
            self.offsets, self.spans, self.prints, index.labels, index.links, index.kept, self.plain_folders, self.shown,
            keep, fits, self.named.key if fingerprint is not None else self.named.print_of, self.named.label_of, show,
            table(kept, shown), kept.starts, shown.inside, shown.modes, total, SMALL, self.limits.entries,
        )  # fmt: skip

    def _locate(self, kind: int, name: bytes, start: int, *, empty: bool) -> tuple[int, bytes, bytes]:
        """Return kind, path and folder of an entry whose name is not plain, or whose folder is new."""
        notes = self.notes
        path, escaped = clean(name)
        if escaped:
            notes.warn("C20", "a name that climbs out of the root; clamped to it", path=path, offset=start)
        if not path and (kind != DIRECTORY or not name):
            if not name:
                notes.warn("C22", "an entry without a name was passed over", offset=start)
            else:
                notes.warn("C21", "the root is not a directory; the entry is passed over", offset=start)
            kind = OTHER
        if self.whiteouts and kind != OTHER and path.find(b".wh.") >= 0:
            kind, path = read_mark(notes, kind, path, start, empty=empty)
        folder = path.rpartition(b"/")[0]
        known = self.plain_folders.get(folder)
        if known is not None:
            return kind, path, known
        if folder.find(b".wh.") < 0:
            self.plain_folders[folder] = folder
        return kind, path, folder

    def _bad_header(self, block: bytes, start: int) -> ArchiveError:
        if start == 0:
            return HeaderError(f"not a tar: {what_is(block)}", id="C65", offset=start)
        return HeaderError("a tar header's checksum is wrong", id="C54", offset=start)

    def _cut_data(self, path: bytes, size: int, missing: int, start: int) -> ArchiveError:
        shown = path[-80:].decode("utf-8", "backslashreplace")
        return ArchiveError(f"{shown!r} is cut: {missing:,} of its {size:,} bytes are missing", id="C55", offset=start)
