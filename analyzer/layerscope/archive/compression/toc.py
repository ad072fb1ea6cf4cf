"""Does the table of contents that a layer brings along say the same as its tar?

Lazy pulling trusts the table (eStargz: "the TOC SHOULD be respected"; zstd:chunked: containers/storage reads no tar), everybody
else the tar: who writes two different ones shows one file to a scanner and another one to a container (C46, C48).

An eStargz table is the tar entry `stargz.index.json` (stargz-snapshotter, docs/estargz.md), that of zstd:chunked lies in a
skippable frame, whose place the last frame tells (containers/storage, pkg/chunked/internal/compression.go).
"""

from __future__ import annotations

from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import fields
from hashlib import sha256
from typing import Any

from layerscope.archive.documents import mapping, parse
from layerscope.archive.glance import Glance, glance_of, union
from layerscope.archive.limits import Limits
from layerscope.archive.notebook import Notebook
from layerscope.archive.prints import Pieces, Prints
from layerscope.archive.tar.header import clean
from layerscope.errors import ArchiveError
from layerscope.frozen import frozen
from layerscope.model import Kind, LayerIndex

STARGZ = b"stargz.index.json"
CHUNKED = b"GNUlInUx"  # ends the footer
FOOTERS = (40, 64)
ENDS = (b"STARGZ", CHUNKED)
TAIL = 64
"""Bytes at the end of a blob within which each of these stands."""
FOLLOWING = 3  # frames behind the last file: the table, what tar-split needs, the footer
NAMES = {
    Kind.FILE: "reg",
    Kind.DIRECTORY: "dir",
    Kind.SYMLINK: "symlink",
    Kind.HARDLINK: "hardlink",
    Kind.CHARACTER: "char",
    Kind.BLOCK: "block",
    Kind.FIFO: "fifo",
}


NUMBERS = ("mode", "uid", "gid", "size")


@frozen
class Facts:
    """What is said of one entry; of a hard link nothing but where it leads, of what only has to be there nothing at all.

    The mode of a symlink means nothing and is left out.
    """

    type: str = ""
    mode: int = 0
    owner: tuple[int, int] = (0, 0)
    size: int = 0
    link: bytes = b""
    attributes: tuple[tuple[str, str], ...] = ()
    digest: str = ""


class _Keep:
    """Whether a file's content is to be held: for the table, or for whoever else asked."""

    def __init__(self, keep: Callable[[bytes], bool]) -> None:
        self._keep = keep
        self.glance = union((glance_of(keep), Glance(frozenset((STARGZ[-2:],)))))

    def __call__(self, path: bytes) -> bool:
        return path == STARGZ or self._keep(path)


class Summed(Prints):
    """Takes prints, and notes the SHA-256 of each content in `sums`, under its print."""

    def __init__(self, prints: Prints, sums: dict[int, bytes]) -> None:
        super().__init__(prints.secret)
        self.sums = sums

    @property
    def label_of(self) -> Callable[[bytes], bytes]:
        """What returns the label of a content, and takes its SHA-256."""
        label_of = super().label_of

        def take(content: bytes) -> bytes:
            self.sums[self.print_of(content)] = sha256(content).digest()
            return label_of(content)

        return take

    def begin(self) -> Pieces:
        """Return what takes a content in pieces, before the first."""
        return SummedPieces(self)


class SummedPieces(Pieces):
    """Takes a content in pieces, and its SHA-256 with it."""

    def __init__(self, prints: Summed) -> None:
        super().__init__(prints)
        self._sums = prints.sums
        self._sum = sha256()

    def update(self, piece: bytes) -> None:
        """Take the next piece."""
        super().update(piece)
        self._sum.update(piece)

    def label(self) -> bytes:
        """Return the label of what was taken, and note its SHA-256."""
        self._sums[self.print()] = self._sum.digest()
        return super().label()


class Toc:
    """What is found of a table while its layer is read: an entry of an eStargz layer, the last frames of a zstd one.

    `keep` says whose content others want to be held. `tail` is how the blob ends, if that is known: only where a footer stands
    there does anybody pull lazily, and files get the SHA-256 that such a table tells of them.
    """

    def __init__(self, limits: Limits, keep: Callable[[bytes], bool], tail: bytes | None = None) -> None:
        self._limits = limits
        self._keep = keep
        self.keep = _Keep(keep)
        self._frames: deque[tuple[int, bytes]] = deque(maxlen=FOLLOWING)
        self._sums: dict[int, bytes] = {}
        self._summed = tail is None or any(end in tail for end in ENDS)
        self.entry: bytes | None = None

    @property
    def room(self) -> int:
        """Bytes of a table that are looked into."""
        return self._limits.json_bytes

    def watch(self, prints: Prints) -> Prints:
        """Return what takes the prints of contents, and their SHA-256 as well if a table may tell them."""
        return Summed(prints, self._sums) if self._summed else prints

    def take_frame(self, offset: int, data: bytes) -> None:
        """Take a skippable frame that is not longer than `room`; `offset` is where its data begin."""
        self._frames.append((offset, data))

    def compare(self, index: LayerIndex, notes: Notebook) -> None:
        """Tell where the table says something else than the tar; the index loses the content that was held for this alone."""
        for row in [row for row in index.kept if index.paths[row] == STARGZ]:
            self.entry = index.kept[row] if self._keep(STARGZ) else index.kept.pop(row)
        chunked = bool(self._frames) and self._frames[-1][1].endswith(CHUNKED) and len(self._frames[-1][1]) in FOOTERS
        if self.entry is None and not chunked:
            return
        case, name = ("C48", "the zstd:chunked table of contents") if chunked else ("C46", "the eStargz table of contents")
        try:
            table = self._unpacked(self._frames[-1][1], notes) if chunked else self.entry or b""
            said = dict(_said(parse(table, name, self._limits, notes)))
        except ArchiveError as error:
            notes.warn(case, f"{name} cannot be compared with the tar: {error}")
            return
        differing = _differences(said, index, self._sums)
        if differing:
            path, what = differing[0]
            more = f", and {len(differing) - 1:,} more" if len(differing) > 1 else ""
            notes.warn(case, f"{name}, which lazy pulling trusts, and the tar differ: {what}{more}", path=path)

    def _unpacked(self, footer: bytes, notes: Notebook) -> bytes:
        from layerscope.archive.compression.zstd import frames

        place, size, unpacked = (int.from_bytes(footer[at : at + 8], "little") for at in (0, 8, 16))
        found = next((data for offset, data in self._frames if offset == place and len(data) == size), None)
        if found is None:
            raise ArchiveError(f"it is not at byte {place:,}, where the footer says")
        if unpacked > self.room:
            raise ArchiveError(f"it has {unpacked:,} bytes (--limit json_bytes=VALUE raises the limit)")
        pieces: list[bytes] = []
        length = 0
        for piece in frames(iter((found,)), self._limits, notes):
            pieces.append(piece)
            length += len(piece)
            if length > unpacked:
                raise ArchiveError(f"it is longer than the {unpacked:,} bytes that the footer tells")
        return b"".join(pieces)


def _said(table: Any) -> Iterator[tuple[bytes, Facts]]:
    """Yield path and facts of each entry of a table; of one that stands twice the last counts."""
    entries = mapping(table).get("entries")
    for entry in entries if isinstance(entries, list) else ():
        about = mapping(entry)
        kind, name = about.get("type"), about.get("name")
        if kind == "chunk" or not isinstance(name, str):
            continue
        path, link = _octets(name), _octets(about.get("linkName"))
        if kind == "hardlink":
            yield clean(path)[0], Facts("hardlink", link=clean(link)[0])
            continue
        mode, uid, gid, size = (value if isinstance(value := about.get(key, 0), int) else -1 for key in NUMBERS)
        yield (
            clean(path)[0],
            Facts(
                str(kind),
                0 if kind == "symlink" else mode & 0o7777,
                (uid, gid),
                size if kind == "reg" else 0,
                link if kind == "symlink" else b"",
                tuple(sorted((name, str(value)) for name, value in mapping(about.get("xattrs")).items())),
                str(about.get("digest") or "") if kind == "reg" and size else "",
            ),
        )


def _octets(name: object) -> bytes:
    """Return a name of a table as the octets it stands for."""
    return name.encode("utf-8", "surrogatepass") if isinstance(name, str) else b""


def _legible(path: bytes) -> bytes:
    """Return a path as Go's encoding/json writes it: an octet that is no UTF-8 becomes U+FFFD."""
    try:
        path.decode()
    except UnicodeDecodeError:
        letters = path.decode("utf-8", "surrogateescape")
        return "".join("\ufffd" if "\udc80" <= letter <= "\udcff" else letter for letter in letters).encode()
    return path


def _found(index: LayerIndex, sums: dict[int, bytes]) -> Iterator[tuple[bytes, Facts]]:
    """Yield path and facts of each entry of the tar under the name that it has there."""
    for row, kind in enumerate(index.kinds):
        path = _legible(index.paths[row])
        if kind in (Kind.WHITEOUT, Kind.OPAQUE):
            folder, slash, base = (path, b"/" if path else b"", b".wh..opq") if kind == Kind.OPAQUE else path.rpartition(b"/")
            yield folder + slash + b".wh." + base, Facts()
        elif kind == Kind.OTHER or path == STARGZ:
            yield path, Facts()
        elif kind == Kind.HARDLINK:
            yield path, Facts("hardlink", link=_legible(index.links[row]))
        else:
            stored = index.xattrs.get(row, ())
            attributes = ((name.decode("utf-8", "replace"), b64encode(value).decode()) for name, value in stored)
            yield (
                path,
                Facts(
                    NAMES[Kind(kind)],
                    0 if kind == Kind.SYMLINK else index.modes[row],
                    (index.uids[row], index.gids[row]),
                    index.sizes[row],
                    _legible(index.links.get(row, b"")),
                    tuple(sorted(attributes)),
                    f"sha256:{known.hex()}" if (known := sums.get(index.prints[row])) and index.sizes[row] else "",
                ),
            )


def _differences(said: dict[bytes, Facts], index: LayerIndex, sums: dict[int, bytes]) -> list[tuple[bytes, str]]:
    """Return each path of which table and tar say something else, and what."""
    differing = []
    found = dict(_found(index, sums))
    for path, facts in found.items():
        told = said.pop(path, None)
        if not facts.type:  # a mark, which a 0:0 device may be; or nothing that anybody unpacks
            if told is None:
                said.pop(_meant(path), None)
        elif told is None:
            differing.append((path, "only the tar has it"))
        elif told != facts:
            names = [field.name for field in fields(Facts)]
            other = [name for name in names if getattr(told, name) != getattr(facts, name)]
            if other != ["digest"] or (told.digest and facts.digest):
                differing.append((path, f"another {' and '.join(other)}"))
    return differing + [(path, "only the table has it") for path in said]


def _meant(mark: bytes) -> bytes:
    folder, slash, base = mark.rpartition(b"/")
    return folder + slash + base.removeprefix(b".wh.")
