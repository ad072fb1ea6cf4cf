"""What do files hold that are asked for by a name which came after their contents? They are looked at a second time.

A hard link names what stands before it: `usr/share/rpm/rpmdb.sqlite` a file that passed as `objects/AB/HASH.file`, which nobody
wanted. Most layers have no link that matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from layerscope.archive.compression.members import decompress, detect, peek
from layerscope.archive.equal import Place
from layerscope.archive.feed import Feed
from layerscope.archive.inspection import HELD, NOBODY, Inspection, Inspectors, Passing, Wanting
from layerscope.archive.limits import Limits
from layerscope.archive.notebook import Notebook
from layerscope.archive.tar.contents import Keep, tell_too_large
from layerscope.archive.tar.sparse import fill
from layerscope.errors import ArchiveError
from layerscope.frozen import frozen
from layerscope.model import Kind, LayerIndex, Value

FILE, HARDLINK = int(Kind.FILE), int(Kind.HARDLINK)
Fetch = Callable[[Sequence[int]], Iterator[tuple[int, Iterator[bytes]]]]
"""Gives rows of a layer, which are asked for in order, each with its content, which has to be used up before the next."""


@frozen
class Look:
    """What a file is looked at for: to be kept, to be shown to inspectors; and the name that makes it interesting."""

    name: bytes
    keep: bool
    wanting: Wanting


def tar_of(chunks: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    """Return a blob's bytes, decompressed."""
    head, blob = peek(chunks)
    return decompress(blob, detect(head), limits, Notebook())


def in_place(place: Place, rows: Sequence[int]) -> Iterator[tuple[int, Iterator[bytes]]]:
    """Yield files of a layer that lies in place, with their contents."""
    return ((row, place.pieces(row)) for row in rows)


def in_stream(tar: Iterator[bytes], index: LayerIndex, rows: Sequence[int]) -> Iterator[tuple[int, Iterator[bytes]]]:
    """Yield files of a layer that passes, with their contents."""
    feed = Feed.of(tar)
    for row in rows:
        feed.skip(index.offsets[row] - feed.offset)
        size, fragments = index.sizes[row], index.sparse.get(row)
        if fragments is None:
            yield row, feed.pieces(size)
        else:
            yield row, fill(fragments, size, feed.pieces(sum(length for _, length in fragments)))


def find_looks(index: LayerIndex, keep: Keep, inspectors: Inspectors, *, placed: bool) -> dict[int, Look]:
    """Return the files of a layer that have to be looked at again.

    `placed` says that inspectors saw its files after `objects` had named them.
    """
    looks: dict[int, Look] = {}
    for row, link in index.renamed.items():
        if index.kinds[row] == FILE:
            name, told = index.paths[row], frozenset(who for who, _ in index.inspected.get(row, ()))
            wanting = [] if placed else inspectors.wanting_as(name, index.paths[link], index.modes[row], index.sizes[row], told)
            _add(looks, row, Look(name, keep(name) and row not in index.kept, wanting))
    for row, name in _linked(index, keep, inspectors):
        own = index.paths[row]
        wanting = inspectors.wanting_as(name, own, index.modes[row], index.sizes[row], None)
        _add(looks, row, Look(name, keep(name) and not keep(own), wanting))
    return looks


def _add(looks: dict[int, Look], row: int, look: Look) -> None:
    """Add what is to be looked at; a file is shown under one name, and kept if any asks for it."""
    before = looks.get(row)
    if before is not None:
        first = before if before.wanting else look
        look = Look(first.name, before.keep or look.keep, first.wanting)
    if look.keep or look.wanting:
        looks[row] = look


def _linked(index: LayerIndex, keep: Keep, inspectors: Inspectors) -> Iterator[tuple[int, bytes]]:
    """Yield the files of a layer that somebody wants by the name that a hard link of the layer gives them, with that name."""
    paths, kinds, links = index.paths, index.kinds, index.links
    named = set(stray_links(index, keep, inspectors))
    if not named:
        return
    homes: dict[bytes, int] = {}
    for row, (path, kind) in enumerate(zip(paths, kinds, strict=True)):
        home = row if kind == FILE else homes.get(links[row], -1) if kind == HARDLINK else -1
        homes[path] = home
        if row in named and home >= 0:
            yield home, path


def stray_links(index: LayerIndex, keep: Keep, inspectors: Inspectors = NOBODY) -> Iterator[int]:
    """Yield the hard links whose path is wanted, and the one that they lead to is not.

    Inspectors are asked only where the last parts of the two differ.
    """
    if HARDLINK not in index.kinds:
        return
    by_name = inspectors.by_name
    for row, target in index.links.items():
        if index.kinds[row] != HARDLINK:
            continue
        path = index.paths[row]
        if (keep(path) and not keep(target)) or (
            inspectors and path.rpartition(b"/")[2] != target.rpartition(b"/")[2] and by_name(path) and not by_name(target)
        ):
            yield row


def held(index: LayerIndex) -> int:
    """Return how many bytes of its files a layer keeps."""
    return sum(map(len, index.kept.values()))


def look_again(
    index: LayerIndex, looks: Mapping[int, Look], fetch: Fetch, inspectors: Inspectors, limits: Limits, room: int
) -> Notebook:
    """Look at files that `fetch` gives; return what is to be told of it, also that they cannot be had any more.

    `room` is how many bytes may still be kept.
    """
    notes = Notebook()
    todo = _allowed(index, looks, replace(limits, kept_bytes=room), notes)
    done = 0
    try:
        for row, pieces in fetch(list(todo)) if todo else ():
            _look(Inspection(inspectors, index, notes, limits), row, todo[row], pieces)
            done += 1
    except ArchiveError as error:
        missed = list(todo.values())[done:]
        files = "a file was" if len(missed) == 1 else f"{len(missed):,} files were"
        notes.warn("C26", f"{files} not looked into by a name that a link gives: {error}", path=missed[0].name)
    if done:
        _sort(index.kept)
        _sort(index.inspected)
    return notes


def _sort(column: dict[int, Value]) -> None:
    """Put rows in order, as they are where each was looked at when its turn came."""
    rows = sorted(column)
    for row in rows:
        column[row] = column.pop(row)


def _allowed(index: LayerIndex, looks: Mapping[int, Look], limits: Limits, notes: Notebook) -> dict[int, Look]:
    """Return what may be looked at, in order."""
    left = limits.kept_bytes
    allowed = {}
    for row, look in sorted(looks.items()):
        size, keep = index.sizes[row], look.keep
        if keep and size > min(left, limits.kept_file_bytes):
            tell_too_large(notes.fail, limits, size, look.name, index.offsets[row])
            keep = False
        wanting = look.wanting if row not in index.sparse or size <= HELD else []
        if keep or wanting:
            left -= size * keep
            allowed[row] = Look(look.name, keep, wanting)
    return allowed


def _look(inspection: Inspection, row: int, look: Look, pieces: Iterator[bytes]) -> None:
    """Look at one file."""
    index = inspection.index
    size, start = index.sizes[row], index.offsets[row]
    passing = Passing(inspection, row, look.name, look.wanting, size, start, sums=False)
    kept, came = [], 0
    for piece in pieces:
        came += len(piece)
        passing.take(piece)
        if look.keep:
            kept.append(piece)
    if came < size:
        raise ArchiveError("the data end before the file does", id="C55")
    if look.keep:
        index.kept[row] = b"".join(kept)
    asked = {one.name for _, group in look.wanting for one in group}
    before = index.inspected.pop(row, ())
    passing.close()
    found = (*(told for told in before if told[0] not in asked), *index.inspected.get(row, ()))
    if found:
        index.inspected[row] = found
