"""What is fuzzed? Each target takes any bytes; only a `LayerscopeError` may come of them, soon, and all ways of reading agree."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cache, partial
from pathlib import Path

import build
from layerscope import api
from layerscope.analysis import symbols
from layerscope.archive.compression.members import decompress, detect
from layerscope.archive.compression.toc import Toc
from layerscope.archive.feed import Feed
from layerscope.archive.inspection import Inspectors
from layerscope.archive.limits import Limits
from layerscope.archive.notebook import Notebook
from layerscope.archive.tar import reader
from layerscope.archive.tar.reader import nothing, read_tar
from layerscope.errors import LayerscopeError
from layerscope.model import Image, LayerIndex, Package, Release
from layerscope.packages.database import Database, View
from layerscope.packages.databases import DATABASES, INSPECTORS
from layerscope.packages.patterns import Patterns
from layerscope.render import FORMATS, Options
from layerscope.report import Report
from layerscope.secrets import inspector
from tar.readers import COLUMNS, GoReader, assert_agrees

from fuzzing import seeds
from fuzzing.seeds import BETWEEN, LAYER

MIB = 1 << 20
LOW = {
    "layer_bytes": 32 * MIB,
    "archive_bytes": 32 * MIB,
    "window_bytes": 8 * MIB,
    "kept_file_bytes": 8 * MIB,
    "kept_bytes": 16 * MIB,
}
LIMITS = Limits().raised(LOW)
WATCHERS = Inspectors(INSPECTORS)
GROWTH = 100
RELEASE = Release("fedora", "40", None)
DOCUMENT_WORDS = (
    *["Config", "Layers", "RepoTags", "LayerSources", "manifests", "mediaType", "digest", "size", "annotations", "platform", "architecture", "os", "config", "layers"],
    *["rootfs", "diff_ids", "history", "created_by", "empty_layer", "urls", "data", "artifactType", "subject", "schemaVersion", "fsLayers", "parent", "id", "Env"],
    *["Labels", "Cmd", "container_config", "io.containerd.image.name", "org.opencontainers.image.ref.name"],
    "vnd.docker.reference.type", "@1", "@L", r"\x0a\x00\x0a",
)  # fmt: skip
TABLE_WORDS = (
    "entries", "name", "type", "size", "mode", "uid", "gid", "linkName", "xattrs", "digest", "chunk", "hardlink", "symlink", "reg",
)  # fmt: skip
TAR_WORDS = (
    r"ustar\x0000", r"ustar  \x00", "path=", "linkpath=", "size=", "mtime=", "SCHILY.xattr.", "GNU.sparse.map=", "GNU.sparse.major=1",
    "GNU.sparse.realsize=", "GNU.sparse.name=", "GNU.sparse.numblocks=", ".wh..wh..opq", ".wh.",
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """One thing to fuzz.

    run      what is tried; anything that it raises is a find
    seeds    inputs to begin with
    words    a dictionary, as libFuzzer wants it
    stamped  whether the input is a tar, in which changes need new checksums
    """

    run: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]
    words: tuple[str, ...] = ()
    stamped: bool = False


# --- tar, compression -------------------------------------------------------------------------------------------------


def try_tar(data: bytes) -> None:
    """Read a tar in place and passing: the rows are the same, and no byte is counted twice."""
    keep = Patterns(("*",))
    for whiteouts, cut in ((True, False), (False, True)):
        read = partial(read_tar, limits=LIMITS, keep=keep, whiteouts=whiteouts, partial=cut)
        place = read(Feed.over(data, 0, len(data)))
        passed = read(Feed.of(data[at : at + 700] for at in range(0, len(data), 700)))
        for column in COLUMNS:
            assert getattr(place, column) == getattr(passed, column), f"the ways of reading disagree in {column}"
        assert place.tar_bytes == len(data)
        assert sum(place.spans) <= len(data)
        _check_notes(place)


def _check_notes(index: LayerIndex) -> None:
    for note in index.notes:
        note.message.encode()


@cache
def _go() -> GoReader:
    with tempfile.TemporaryDirectory(prefix="layerscope-go-") as folder:
        return GoReader(Path(folder))


def try_go(data: bytes) -> None:
    """Read a tar as Go's archive/tar does."""
    assert_agrees(_go(), data)


def try_runs(data: bytes) -> None:
    """Read a tar with the compiled part and without it: all that is read is the same. Keeps few files, so that runs are long."""
    keep = Patterns(("**/package.json", "x*"))
    quickly = _read_both_ways(data, keep)
    made, reader.Runs = reader.Runs, None
    try:
        assert _read_both_ways(data, keep) == quickly, "the compiled part reads something else"
    finally:
        reader.Runs = made


def _read_both_ways(data: bytes, keep: Patterns) -> list[tuple[object, ...]]:
    feeds = (Feed.over(data, 0, len(data)), Feed.of(data[at : at + 7000] for at in range(0, len(data), 7000)))
    indexes = [read_tar(feed, limits=LIMITS, keep=keep, inspectors=WATCHERS) for feed in feeds]
    return [tuple(getattr(index, column.name) for column in fields(LayerIndex)) for index in indexes]


def try_toc(data: bytes) -> None:
    """Compare a table of contents with a tar; as octets, and as what a zstd stream has in its last frame."""
    index = read_tar(Feed.over(seeds.LAYER, 0, len(seeds.LAYER)), limits=LIMITS)
    for chunked in (False, True):
        toc = Toc(LIMITS, nothing)
        if chunked:
            toc.take_frame(0, data)
            toc.take_frame(9, b"".join(number.to_bytes(8, "little") for number in (0, len(data), 9999, 1)) + b"GNUlInUx")
        else:
            toc.entry = data
        notes = Notebook()
        toc.compare(index, notes)
        for note in notes.freeze():
            note.message.encode()


def try_compressed(data: bytes) -> None:
    """Decompress in pieces of two sizes: what comes out is the same."""
    told = detect(data)
    if told == "none":
        return
    results = []
    for size in (97, 1 << 18):
        out, ended, notes = io.BytesIO(), "", Notebook()
        try:
            for piece in decompress((data[at : at + size] for at in range(0, len(data), size)), told, LIMITS, notes):
                out.write(piece)
        except LayerscopeError as error:
            ended = str(error)
        results.append((out.getvalue(), ended, notes.freeze()))
    (one, ended, noted), (other, also_ended, also_noted) = results
    assert bool(ended) == bool(also_ended), "pieces of other sizes end otherwise"
    if not ended:
        assert (one, noted) == (other, also_noted), "pieces of other sizes give another result"


# --- whole archives ---------------------------------------------------------------------------------------------------


def load(source: str, data: bytes | None = None) -> Report | LayerscopeError:
    """Return the report of an image, the first one if it has several, written in every format; or the refusal."""

    def ask(**options: str) -> Image:
        stdin = None if data is None else io.BytesIO(data)
        return api.load(source, stdin=stdin, limits=LOW, inspectors=[inspector()], **options)

    try:
        try:
            image = ask()
        except LayerscopeError as error:
            if not getattr(error, "choices", ()):
                raise
            lines = api.list_images(source, stdin=None if data is None else io.BytesIO(data), limits=LOW)
            image = ask(image=next(line.config_digest or next(iter(line.names), line.id) for line in lines if line.id))
        report = api.analyze(image)
    except LayerscopeError as error:
        return error
    for write in FORMATS.values():
        write(report, Options()).encode()
    totals = json.loads(FORMATS["json"](report, Options()))["totals"]
    parts = ("live", "replaced", "deleted", "overhead", "metadata", "orphan", "container")
    assert totals["archive_bytes"] == sum(totals[f"{part}_bytes"] for part in parts) - totals["compression_bytes"], (
        "unbalanced books"
    )
    return report


def face(report: Report) -> tuple[object, ...]:
    """Return what a reader takes from a report."""
    rows = sorted((row.path, int(row.kind), row.bytes, int(row.fate), row.layer) for row in api.list_files(report.image))
    return rows, report.books.content_bytes, report.books.tar_bytes, report.complete


def try_archive(data: bytes) -> None:
    """Read a whole archive in place and from standard input: the reports agree."""
    with tempfile.NamedTemporaryFile(prefix="layerscope-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as file:
        file.write(data)
        file.flush()
        place = load(file.name)
    passed = load("-", data)
    if isinstance(place, LayerscopeError) or isinstance(passed, LayerscopeError):
        assert isinstance(place, LayerscopeError), f"only the stream is refused: {passed}"
        assert isinstance(passed, LayerscopeError), f"only the file is refused: {place}"
    else:
        assert face(place) == face(passed), "the ways of reading disagree"


def try_docker(data: bytes) -> None:
    """Read documents as manifest.json, config and `repositories`."""
    manifest, config, repositories = [*data.split(BETWEEN), b"{}", b""][:3]
    members = {"layer.tar": LAYER, "config.json": config, "manifest.json": manifest}
    if repositories:
        members |= {"repositories": repositories, "a/json": config, "a/layer.tar": LAYER}
    load("-", build.archive(members))


def try_oci(data: bytes) -> None:
    """Read documents as blobs of a layout; `@1` in one is the digest of the next, and the first is index.json."""
    members = {build.blob(LAYER): LAYER}
    layer = below = build.digest(LAYER).encode()
    for document in reversed(data.split(BETWEEN)[:6]):
        written = document.replace(b"@1", below).replace(b"@L", layer)
        members[build.blob(written)] = written
        below = build.digest(written).encode()
    load("-", build.archive(members | {"index.json": written}))


# --- packages ---------------------------------------------------------------------------------------------------------


def files_of(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield path, content, path, content ..."""
    parts = data.split(BETWEEN)
    yield from zip(parts[::2], parts[1::2], strict=False)


def try_image(data: bytes) -> None:
    """Read files as those of a layer: every database that wants them reads them."""
    tree = {}
    for path, content in files_of(data):
        name = path.strip(b"/")[:100].decode("utf-8", "surrogateescape").replace("\0", "")
        tree[name or "x"] = build.File(content, mode=0o755)
    load("-", build.docker_save(build.Image([build.layer(tree)])))


def try_database(database: Database, data: bytes) -> None:
    """Read files as one database does: it never raises, and says no more than it was told."""
    wanted = Patterns((*database.patterns, *database.places))
    files = {}
    for path, content in files_of(data):
        if wanted(path):
            files[path] = build.zst(content) if database.name == "chisel" else content  # of compressed bytes few are valid
        elif database.inspect is not None and (told := database.inspect(path, content)) is not None:
            files[path] = told
    _check(database.read(view := View(files, RELEASE)), len(data), view)


def try_rpm(path: bytes, data: bytes) -> None:
    """Read an rpm database."""
    database = next(one for one in DATABASES if one.name == "rpm")
    _check(database.read(view := View({path: data}, RELEASE)), len(data), view)


def _check(packages: Iterator[Package], told: int, view: View) -> None:
    size = 0
    for package in packages:
        assert package.name
        f"{package!r}".encode()
        hash(package.key)
        size += sum(map(len, package.paths)) + sum(map(len, package.requires))
    assert size <= GROWTH * told, f"{told:,} bytes became {size:,}"
    for note in view.notes:
        note.message.encode()


def try_secrets(data: bytes) -> None:
    """Look for secrets in a file: soon, and never quoting what was found."""
    for path, content in files_of(data):
        inspector().find(path, content)


def try_symbols(data: bytes) -> None:
    """Measure what `strip` takes off: never more than there is."""
    told = symbols.find(b"", data)
    if told is not None:
        assert 0 < symbols.read_finding(told)[0] < len(data)


DATABASE_TARGETS = {
    database.name: Target(partial(try_database, database), partial(seeds.database, database), (r"\x0a\x00\x0a",))
    for database in DATABASES
}
TARGETS: dict[str, Target] = {
    "tar": Target(try_tar, seeds.tar, TAR_WORDS, stamped=True),
    "pax": Target(try_tar, seeds.pax, TAR_WORDS, stamped=True),
    **({"runs": Target(try_runs, seeds.tar, TAR_WORDS, stamped=True)} if reader.Runs is not None else {}),
    **({"go": Target(try_go, seeds.tar, TAR_WORDS, stamped=True)} if shutil.which("go") else {}),
    "gzip": Target(try_compressed, seeds.gzip),
    "zstd": Target(try_compressed, seeds.zstd),
    "toc": Target(try_toc, seeds.tables, TABLE_WORDS),
    "archive": Target(try_archive, seeds.archives, TAR_WORDS, stamped=True),
    "docker": Target(try_docker, seeds.docker, DOCUMENT_WORDS),
    "oci": Target(try_oci, seeds.oci, DOCUMENT_WORDS),
    "image": Target(try_image, seeds.images),
    "secrets": Target(try_secrets, seeds.secrets),
    "symbols": Target(try_symbols, seeds.symbols, (".debug_info", ".symtab", ".strtab", r"!<arch>\x0a", r"\x7fELF")),
    "sqlite": Target(partial(try_rpm, b"var/lib/rpm/rpmdb.sqlite"), seeds.sqlite),
    "ndb": Target(partial(try_rpm, b"usr/lib/sysimage/rpm/Packages.db"), seeds.ndb),
    "berkeley": Target(partial(try_rpm, b"var/lib/rpm/Packages"), seeds.berkeley),
    **DATABASE_TARGETS,
}
