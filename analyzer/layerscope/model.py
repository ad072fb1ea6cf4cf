"""What is an image?

An `Image` is layers, base first. A `Layer` says what the image claims of it and what was found; its `LayerIndex` holds the
entries of its tar as columns, one row an entry, in tar order. Nothing here reads anything.

Words are the specifications': *digest* is the hash of a stored blob, *diff ID* the hash of the uncompressed tar. Paths are
`bytes`, relative to the image's root without a leading slash; `b""` is the root itself. Sizes are bytes.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from enum import IntEnum, StrEnum
from operator import itemgetter
from typing import TypeVar

from layerscope.frozen import frozen

SUMS = ("md5", "sha1", "sha256")
"""The digests by which package databases know their files."""
SECRETS = "secrets"
"""The name under which marks are kept in `LayerIndex.inspected`."""
Value = TypeVar("Value")
Lap = Callable[[str], None]
"""Told the name of a stage of the work when it is over."""


def untimed(stage: str) -> None:
    """Let a stage pass."""


class Kind(IntEnum):
    """What an entry is, as the stack sees it. A 0:0 character device is a WHITEOUT (C23)."""

    FILE = 0
    DIRECTORY = 1
    SYMLINK = 2
    HARDLINK = 3
    CHARACTER = 4
    BLOCK = 5
    FIFO = 6
    WHITEOUT = 7
    OPAQUE = 8
    OTHER = 9


class Fate(IntEnum):
    """What became of a row's content in the finished image."""

    LIVE = 0
    REPLACED = 1
    DELETED = 2


def only(*values: int) -> bytes:
    """Return a table for `translate` by which of a column of bytes just these values stay, as 1: what `compress` selects by."""
    return bytes(value in values for value in range(256))


ONLY_FILES, ONLY_FOLDERS = only(Kind.FILE), only(Kind.DIRECTORY)
ONLY_LIVE, ONLY_REPLACED, ONLY_DELETED = map(only, Fate)


_ANY = only(*range(1, 256))


def both(one: bytes | bytearray, other: bytes | bytearray) -> bytes:
    """Return the bits that two columns of bytes share; all are looked at as one number, which takes nearly no time."""
    return (int.from_bytes(one, "little") & int.from_bytes(other, "little")).to_bytes(len(one), "little")


def either(one: bytes | bytearray, other: bytes | bytearray) -> bytes:
    """Return the bits that any of two columns of bytes has."""
    return (int.from_bytes(one, "little") | int.from_bytes(other, "little")).to_bytes(len(one), "little")


def unlike(one: array[int], other: array[int]) -> bytes:
    """Return a mask of where two columns of numbers, of one type and length, differ."""
    bits, size = int.from_bytes(one.tobytes(), "little") ^ int.from_bytes(other.tobytes(), "little"), one.itemsize
    width = 1
    while width < size:  # the lowest byte of each number gets the bits of all
        bits, width = bits | bits >> 8 * width, 2 * width
    return bits.to_bytes(len(one) * size, "little")[::size].translate(_ANY)


def pick(column: Sequence[Value], rows: Sequence[int]) -> Sequence[Value]:
    """Return the values that a column has in some rows."""
    return itemgetter(*rows)(column) if len(rows) > 1 else [column[row] for row in rows]


class Level(StrEnum):
    """How much a note matters. ERROR means that something could not be read: the report is not complete."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@frozen
class Note:
    """Something odd but survivable.

    `id` is the case in the catalogue of edge cases ("C54"). `offset` is in the uncompressed layer, or in the outer archive
    when `layer` is None.
    """

    id: str
    level: Level
    message: str
    layer: int | None = None
    path: bytes | None = None
    offset: int | None = None


@frozen
class Mark:
    """A secret that an inspection found in a file's content. It says where, never what.

    rule, level, title  what it is
    line                from 1; offset: in the content
    length              of what was found
    print               a short keyed hash: equal for equal findings; for comparing, not for showing
    """

    rule: str
    level: str
    title: str
    line: int
    offset: int
    length: int
    print: str


@frozen
class Entry:
    """One row of a `LayerIndex`, made on demand for people and tests."""

    path: bytes
    kind: Kind
    size: int
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    link: bytes | None
    offset: int
    span: int


@frozen
class LayerIndex:
    """The entries of one layer's tar, as columns: immutable, position-independent, made from the bytes alone.

    paths         normalised path of each row; of a WHITEOUT or OPAQUE row the path that it speaks of, not its `.wh.` name
    folders       the folder that each path is in: one object for all rows of a folder
    kinds         `Kind` values
    sizes         logical size of a regular file, else 0
    modes         permission bits, 0o7777
    uids, gids    numbers as the header or its PAX records say
    mtimes        nanoseconds since the epoch
    offsets       where the entry's data begins in the uncompressed tar
    spans         bytes of the tar that the entry takes: extension headers, header, stored data, padding
    links         hard links: normalised target path; symlinks: the target as written
    xattrs        extended attributes, by name, sorted
    declared      size field of the header where it differs from `sizes` (links, directories, whiteouts with a size)
    sparse        data fragments `(offset in the file, length)` of a sparse file
    contents      numbers of contents, once layers were compared: equal exactly where the contents are, within one image; a row
                  whose number is 0 is like no other
    kept          content of the rows that a pattern asked for
    prints        what contents are compared by (`archive.prints`), 0 where none was taken; gone once they are compared
    labels        what contents are called, of a tar that passed once: 16 bytes a row, all 0 where none was taken; gone likewise
    inspected     what inspectors found in a row's content, as pairs (who looked, what was found): small, unlike the file
    sums          digests of a row's content, as `SUMS` names them, one behind the other, if they were asked for
    renamed       rows of objects that stand under the name of a hard link -> the row of that link, which has theirs
    tar_bytes     length of the uncompressed stream, to its very end
    diff_id       digest of the uncompressed stream if it was asked for
    notes         with `layer` None: the index does not know its place
    """

    paths: list[bytes]
    folders: list[bytes]
    kinds: bytearray
    sizes: array[int]
    modes: array[int]
    uids: array[int]
    gids: array[int]
    mtimes: list[int]
    offsets: array[int]
    spans: array[int]
    links: dict[int, bytes]
    xattrs: dict[int, tuple[tuple[bytes, bytes], ...]]
    declared: dict[int, int]
    sparse: dict[int, tuple[tuple[int, int], ...]]
    contents: array[int]
    kept: dict[int, bytes]
    tar_bytes: int
    diff_id: str | None = None
    notes: tuple[Note, ...] = ()
    prints: array[int] = field(default_factory=lambda: array("q"))
    labels: bytearray = field(default_factory=bytearray)
    inspected: dict[int, tuple[tuple[str, bytes], ...]] = field(default_factory=dict)
    sums: dict[int, bytes] = field(default_factory=dict)
    renamed: dict[int, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def content_bytes(self) -> int:
        """Sum of the logical sizes of regular files."""
        return sum(self.sizes)

    def entry(self, row: int) -> Entry:
        """Return row `row` as an object."""
        return Entry(
            path=self.paths[row],
            kind=Kind(self.kinds[row]),
            size=self.sizes[row],
            mode=self.modes[row],
            uid=self.uids[row],
            gid=self.gids[row],
            mtime_ns=self.mtimes[row],
            link=self.links.get(row),
            offset=self.offsets[row],
            span=self.spans[row],
        )

    def entries(self) -> Iterator[Entry]:
        """Yield every row as an object, in tar order."""
        return (self.entry(row) for row in range(len(self.paths)))


@frozen
class Course:
    """How far compressed bytes have got when a tar has come to some offset: points, straight lines between them.

    raw   offsets in the uncompressed tar, ascending
    sent  compressed bytes up to there
    """

    raw: Sequence[int] = (0,)
    sent: Sequence[float] = (0,)

    def at(self, offset: int) -> float:
        """Return how many compressed bytes carry the tar up to an offset: an estimate."""
        above = bisect_right(self.raw, offset)
        if above in (0, len(self.raw)):
            return self.sent[-1 if above else 0]
        begin, end = self.raw[above - 1], self.raw[above]
        low, high = self.sent[above - 1], self.sent[above]
        return low + (high - low) * (offset - begin) / (end - begin)

    def over(self, start: int, size: int) -> float:
        """Return how many compressed bytes carry a part of the tar: an estimate."""
        return self.at(start + size) - self.at(start)


@frozen
class Pull:
    """What a registry would send for a layer that is stored uncompressed, as `gzip -6` makes it.

    low, high  two standard errors below and above `mid`; all three are equal if everything was compressed
    method     "counted" or "sampled"
    course     how it goes with the tar
    """

    low: int
    mid: int
    high: int
    method: str
    course: Course = field(default=Course(), repr=False, compare=False)


@frozen
class Layer:
    """One layer of an image: what the image claims of it, and what the archive holds.

    digest, diff_id   as claimed, None if none is claimed
    media_type        as claimed
    compression       what the bytes are: "none", "gzip", "zstd", "bzip2", "xz"; None if it is not there or not looked into
    blob_bytes        bytes of the stored blob; None if it is not there
    descriptor_bytes  size that the manifest claims for the blob
    instruction       what made it, for people; created_by is the same, raw
    same_as           index of the first layer of this image that is stored in the very same archive member
    verified          whether digest and diff ID were checked and hold; None if they were not checked
    foreign           a non-distributable layer: its absence is no defect
    pull              of an uncompressed layer, what a registry would send; None if nobody asked
    flow              of a compressed layer, how its blob goes with its tar
    index             None if the layer is not there, or repeats `same_as`'s (use `Image.index_of`)
    """

    position: int
    digest: str | None
    diff_id: str | None
    media_type: str | None
    compression: str | None
    blob_bytes: int | None
    descriptor_bytes: int | None
    instruction: str
    created_by: str | None
    created: str | None
    same_as: int | None = None
    verified: bool | None = None
    foreign: bool = False
    urls: tuple[str, ...] = ()
    index: LayerIndex | None = None
    pull: Pull | None = None
    flow: Course | None = None

    @property
    def course(self) -> Course | None:
        """How what a registry sends goes with the tar; None if unknown."""
        return self.flow if self.pull is None else self.pull.course

    @property
    def present(self) -> bool:
        """Whether the archive holds the layer's blob."""
        return self.blob_bytes is not None


@frozen
class HistoryRow:
    """One row of the config's history; `layer` is the position of the layer it made, None if it made none."""

    created_by: str | None
    instruction: str
    created: str | None
    comment: str | None
    empty: bool
    layer: int | None


@frozen
class Config:
    """What the image's config tells a runtime. Every field may be missing from a real one.

    healthcheck  the arguments of a HEALTHCHECK: `--retries=3 CMD curl x`, `NONE`; None if nobody set one
    onbuild      instructions for images that are built on this one
    """

    architecture: str | None = None
    os: str | None = None
    variant: str | None = None
    os_version: str | None = None
    created: str | None = None
    author: str | None = None
    user: str | None = None
    workdir: str | None = None
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    healthcheck: str | None = None
    stop_signal: str | None = None
    shell: tuple[str, ...] = ()
    onbuild: tuple[str, ...] = ()

    @property
    def has_healthcheck(self) -> bool:
        """Whether the container is asked if it works."""
        return self.healthcheck not in (None, "NONE")

    @property
    def platform(self) -> str | None:
        """`os/architecture[/variant]`, None if the config names no architecture."""
        if not self.architecture:
            return None
        return "/".join(part for part in (self.os or "unknown", self.architecture, self.variant) if part)


@frozen
class Storage:
    """How the archive's bytes divide, seen from one image; see "The image" in numbers.

    `archive_bytes = blob_bytes + metadata_bytes + orphan_bytes + container_bytes`.
    """

    file_bytes: int | None
    archive_bytes: int
    blob_bytes: int
    metadata_bytes: int
    orphan_bytes: int
    container_bytes: int


@frozen
class Told:
    """A secret that stood in a text of the config or the history, by the rule that knows it; it says where, never what."""

    rule: str
    level: str
    title: str
    where: str
    layer: int | None = None


@frozen
class Image:
    """One image of an archive.

    inspected  who looked into its files' contents
    labels     by their number, what contents are called that may be seen in several places: XXH128
    told       the secrets that stood in its config and history, whose texts are masked since it was loaded
    """

    source: str
    layout: str
    names: tuple[str, ...]
    config: Config
    config_digest: str | None
    manifest_digest: str | None
    layers: tuple[Layer, ...]
    history: tuple[HistoryRow, ...]
    storage: Storage
    notes: tuple[Note, ...] = ()
    inspected: frozenset[str] = frozenset()
    labels: Mapping[int, bytes] = field(default_factory=dict)
    told: tuple[Told, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything that the image promises could be read."""
        return not any(note.level is Level.ERROR for note in self.notes)

    def index_of(self, position: int) -> LayerIndex | None:
        """Return the index of a layer, also of one that repeats an earlier one."""
        layer = self.layers[position]
        return layer.index if layer.same_as is None else self.layers[layer.same_as].index


@frozen
class Release:
    """The distribution, as os-release tells it."""

    id: str
    version_id: str | None
    pretty_name: str | None


@frozen
class Package:
    """One installed package, as its database tells it; sizes are never taken from there.

    type      package-URL type: "apk", "deb", "pypi", "npm"
    origin    path of the file that told of it (a database, a METADATA, a package.json)
    location  folder that tells two installed copies of one package apart; b"" where there is one database
    paths     files that it claims, normalised; may name what is not there
    trees     folders that it claims whole, as far as no deeper claim is found
    requires  names that it depends on, as its database writes them
    recommends  names that are installed with it unless somebody forbids it
    reason    "asked", "dependency", "recommended", "dev", "base", "root" or None where nothing tells
    system    a distribution package: what it claims, no language package claims
    evidence  what tells the reason, for people: a file that lists it, a command line
    """

    type: str
    name: str
    version: str
    arch: str | None
    purl: str
    origin: bytes
    location: bytes = b""
    paths: tuple[bytes, ...] = ()
    trees: tuple[bytes, ...] = ()
    requires: tuple[str, ...] = ()
    recommends: tuple[str, ...] = ()
    reason: str | None = None
    license: str | None = None
    source: str | None = None
    system: bool = False
    evidence: str | None = None

    @property
    def key(self) -> tuple[str, str, str, str | None, bytes]:
        """What makes two readings of a database speak of one installation."""
        return (self.type, self.name, self.version, self.arch, self.location)


@frozen
class Deviation:
    """A file whose content is not what its package shipped.

    row       row id in the stack
    package   "deb:bash"
    expected  the digest that the database tells; found: that of the content
    intact    position of the layer in which the file is still as it was shipped; None if there is none
    """

    row: int
    package: str
    algorithm: str
    expected: bytes
    found: bytes
    intact: int | None = None
