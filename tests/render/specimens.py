"""Hand-made reports: a fat one, an empty one, and what else a renderer meets."""

from __future__ import annotations

from array import array
from dataclasses import replace

from layerscope.analysis.books import Books, EntryCounts, LayerBooks
from layerscope.analysis.causes import Cause, Certainty, PathShare
from layerscope.analysis.dive import Dive
from layerscope.analysis.duplicates import Duplicates
from layerscope.analysis.exposure import Exposure
from layerscope.analysis.files import FileRow
from layerscope.model import (
    Config,
    Fate,
    HistoryRow,
    Image,
    Kind,
    Layer,
    LayerIndex,
    Level,
    Note,
    Package,
    Release,
    Storage,
)
from layerscope.packages.shares import OwnerShare, Ownership, PackageShare
from layerscope.report import Report

MB = 1_000_000
HOSTILE = "\x1b[2J\u202e::error::=cmd|`a``b` <img src=x> @octocat \x9b1m\u200b\udce9\n## x | y"
HOSTILE_PATH = HOSTILE.encode("utf-8", "surrogatepass").replace(b"\xed\xb3\xa9", b"\xe9")


def make_index() -> LayerIndex:
    return LayerIndex(
        [], [], bytearray(), array("q"), array("l"), [], [], [], array("q"), array("q"), {}, {}, {}, {}, {}, {}, 0
    )  # fmt: skip


def make_layer(position, instruction="RUN true", **changes):
    layer = Layer(
        position=position,
        digest=f"sha256:{position:064x}",
        diff_id=f"sha256:{position:064x}",
        media_type="application/vnd.oci.image.layer.v1.tar+gzip",
        compression="gzip",
        blob_bytes=1000,
        descriptor_bytes=1000,
        instruction=instruction,
        created_by=f"/bin/sh -c {instruction}",
        created="2026-01-01T00:00:00Z",
    )
    return replace(layer, **changes)


def make_books(position, live=0, replaced=0, deleted=0, *, pull=None, **changes):
    content = live + replaced + deleted
    books = LayerBooks(
        position=position,
        blob_bytes=content // 2,
        pull_bytes=content // 2 if pull is None else pull,
        tar_bytes=content + 10240,
        content_bytes=content,
        overhead_bytes=10240,
        compression_bytes=content + 10240 - content // 2,
        live_bytes=live,
        replaced_bytes=replaced,
        deleted_bytes=deleted,
        docker_bytes=content,
        entries=EntryCounts(files=10),
    )
    return replace(books, **changes)


def sum_books(rows, **changes):
    def total(name):
        return sum(getattr(row, name) or 0 for row in rows)

    names = ("tar_bytes", "content_bytes", "overhead_bytes", "compression_bytes", "live_bytes", "replaced_bytes")
    sums = {name: total(name) for name in (*names, "deleted_bytes", "docker_bytes", "pull_bytes")}
    entries = sum(row.entries.total for row in rows if row.entries)
    return replace(Books(layers=tuple(rows), **sums, entries=entries, files=entries), **changes)


def make_report(layers=(), books=(), **changes):
    books = sum_books(books)
    blobs = sum(row.blob_bytes or 0 for row in books.layers)
    storage = Storage(blobs + 32_000, blobs + 32_000, blobs, 9_000, 2_000, 21_000)
    image = Image(
        source="image.tar",
        layout="docker",
        names=("node-app:latest",),
        config=Config(architecture="amd64", os="linux", created="2026-01-01T00:00:00Z", labels={"a": "b"}),
        config_digest="sha256:" + "c" * 64,
        manifest_digest=None,
        layers=tuple(layers),
        history=tuple(HistoryRow(x.created_by, x.instruction, x.created, None, False, x.position) for x in layers),
        storage=storage,
    )
    report = Report(
        image=image,
        release=None,
        books=books,
        dive=Dive(books.efficiency, books.content_bytes, 0, books.replaced_bytes + books.deleted_bytes, None),
        ownership=Ownership((), ()),
        duplicates=make_duplicates(b"", 0),
        causes=(),
        exposures=(),
        notes=(),
    )
    return replace(report, **changes)


def make_duplicates(label, size, *places):
    """Return one set of equal files, none without places."""
    sets = 1 if places else 0
    return Duplicates(
        labels=(label,) * sets,
        sizes=array("q", [size] * sets),
        copies=array("q", [len(places)] * sets),
        rows=array("q", range(len(places))),
        layers=array("i", [place.layer for place in places]),
        paths=tuple(place.path for place in places),
    )


def make_cause(bytes_, title, layer=0, **changes):
    cause = Cause(
        id="package-cache",
        title=title,
        certainty=Certainty.FACT,
        bytes=bytes_,
        tar_bytes=bytes_ + 1024,
        layer=layer,
        instruction="RUN npm ci",
        hidden_in=None,
        hidden_by_instruction=None,
        fix="RUN --mount=type=cache,target=/root/.npm npm ci",
        path_count=1204,
        paths=(PathShare(b"root/.npm/_cacache/content-v2/sha512/aa/bb/0123456789abcdef", 2 * MB, layer),),
    )
    return replace(cause, **changes)


def make_package(name, version, size, layer, *, hidden=0, reason="dependency", required_by=(), type_="deb", **changes):
    package = Package(type_, name, version, "amd64", f"pkg:{type_}/{name}@{version}", b"var/lib/dpkg/status", reason=reason)
    share = PackageShare(
        package, layer, None, None, size, size - hidden, hidden, 12, {layer: size}, required_by, (), "known", size
    )  # fmt: skip
    return replace(share, **changes)


def make_owner(owner, class_, size, hidden=0, layers=(0,)):
    part = size // max(1, len(layers))
    by_layer = dict.fromkeys(layers, (part, 0))
    return OwnerShare(owner, class_, size, size - hidden, hidden, 100, by_layer)


def fat_report():
    layers = [
        make_layer(0, "FROM debian:12"),
        make_layer(1, "RUN apt-get update && apt-get install -y build-essential python3"),
        make_layer(2, "WORKDIR /app"),
        make_layer(3, "RUN npm ci"),
        make_layer(4, "COPY . /app"),
        make_layer(5, "RUN chown -R node /app"),
        make_layer(6, "RUN rm -rf /app/node_modules/.cache /usr/share/doc"),
        make_layer(7, "COPY entrypoint.sh /usr/local/bin/"),
    ]
    books = [
        make_books(0, live=117 * MB, pull=48 * MB),
        make_books(1, live=220 * MB, deleted=31 * MB, pull=90 * MB),
        make_books(2, pull=120),
        make_books(3, live=260 * MB, deleted=188 * MB, pull=160 * MB),
        make_books(4, replaced=212 * MB, pull=57 * MB),
        make_books(5, live=212 * MB, pull=57 * MB),
        make_books(6, pull=140),
        make_books(7, live=1_204, pull=700),
    ]
    causes = (
        make_cause(
            212 * MB,
            "48,102 files stored twice, only the owner differs",
            4,
            id="metadata-copy",
            instruction="COPY . /app",
            hidden_in=5,
            hidden_by_instruction="RUN chown -R node /app",
            fix="COPY --chown=node:node . /app",
            path_count=48_102,
            paths=(PathShare(b"app/dist/bundle.js", 31 * MB, 4),),
        ),
        make_cause(118 * MB, "npm cache left behind", 3),
        make_cause(
            188 * MB,
            "1,022 files deleted by a later layer",
            3,
            hidden_in=6,
            hidden_by_instruction="RUN rm -rf /app/node_modules/.cache /usr/share/doc",
            fix="delete them in the RUN that makes them: RUN npm ci && rm -rf /app/node_modules/.cache",
            path_count=1022,
            paths=(PathShare(b"app/node_modules/.cache/terser/content-v2/big.bin", 40 * MB, 3),),
        ),
        make_cause(
            31 * MB,
            "documentation deleted by a later layer",
            1,
            hidden_in=6,
            hidden_by_instruction="RUN rm -rf /app/node_modules/.cache /usr/share/doc",
            instruction="RUN apt-get update && apt-get install -y build-essential python3",
            fix="RUN echo 'path-exclude /usr/share/doc/*' > /etc/dpkg/dpkg.cfg.d/nodoc && apt-get update && apt-get "
            "install -y build-essential python3",
            path_count=1,
            paths=(PathShare(b"usr/share/doc/python3/HISTORY.gz", 31 * MB, 1),),
        ),
        make_cause(
            60 * MB,
            "build-only packages: gcc-12, g++-12, make and 14 more",
            1,
            certainty=Certainty.LIKELY,
            instruction="RUN apt-get update && apt-get install -y build-essential python3",
            fix="build in a stage of its own and COPY --from=build what it made",
            path_count=2210,
            paths=(PathShare(b"usr/lib/gcc/x86_64-linux-gnu/12/cc1plus", 29 * MB, 1),),
        ),
        make_cause(
            9 * MB,
            "3 files stored more than once",
            3,
            certainty=Certainty.POSSIBLE,
            fix="keep one copy and link to it",
            path_count=3,
            paths=(PathShare(b"app/node_modules/esbuild/bin/esbuild", 9 * MB, 3),),
        ),
    )
    packages = (
        make_package("gcc-12", "12.2.0-14", 51_200_000, 1, required_by=("build-essential",)),
        make_package("g++-12", "12.2.0-14+deb12u1~bpo11+1", 38_100_000, 1, required_by=("build-essential", "dpkg-dev")),
        make_package("python3.11-minimal", "3.11.2-6", 22_000_000, 1, reason="asked"),
        make_package("libc6", "2.36-9", 12_000_000, 0, reason="base"),
        make_package("typescript", "5.4.5", 32_000_000, 3, reason="dev", type_="npm"),
        make_package("perl-modules", "5.36", 18_000_000, 0, hidden=2 * MB, removed_in=6),
        *(make_package(f"lib{n}", "1.0", (9 - n) * MB // 2, 1) for n in range(9)),
    )
    owners = (
        make_owner("deb", None, 340 * MB, 31 * MB, (0, 1)),
        make_owner("npm", None, 170 * MB, 0, (3,)),
        make_owner(None, "application", 424 * MB, 212 * MB, (4, 5)),
        make_owner(None, "cache", 278 * MB, 160 * MB, (3,)),
        make_owner(None, "configuration", 28 * MB + 1204, 28 * MB, (0, 1, 3, 7)),
        make_owner(None, "other", 0),
    )
    report = make_report(
        layers,
        books,
        release=Release("debian", "12", "Debian GNU/Linux 12 (bookworm)"),
        ownership=Ownership(packages, owners),
        causes=causes,
        duplicates=make_duplicates(b"\x01" * 16, 9 * MB, *causes[5].paths * 2),
        exposures=(
            Exposure("setuid-file", "warning", "runs as root", b"usr/bin/su", 0, "visible", None, "login"),
            Exposure("env-secret", "error", "a key in ENV", None, None, "config", detail="AWS_KEY"),
        ),
        notes=(
            Note("C54", Level.WARNING, "an entry has a name that is not UTF-8", 3, b"app/caf\xe9", 1_048_576),
            Note("C54", Level.WARNING, "an entry has a name that is not UTF-8", 4, b"app/caf\xe9", 2_048_576),
            Note("A10", Level.INFO, "the archive holds attestations"),
        ),
    )
    dive = Dive(0.612, 1_250 * MB, 1_133 * MB, 640 * MB, 0.56)
    return replace(report, dive=dive, books=replace(report.books, files=48_213))


def broken_report():
    layers = [
        make_layer(0, "FROM alpine:3.19"),
        make_layer(1, "COPY model.bin /srv", blob_bytes=None, compression=None),
        make_layer(2, "RUN true", same_as=0),
        make_layer(3, "ADD base.vhd", blob_bytes=None, compression=None, foreign=True),
    ]
    nothing = {
        "blob_bytes": None, "tar_bytes": None, "content_bytes": None, "overhead_bytes": None, "compression_bytes": None,
        "live_bytes": None, "replaced_bytes": None, "deleted_bytes": None, "docker_bytes": None, "entries": None,
    }  # fmt: skip
    zero = dict.fromkeys((key for key in nothing if key not in {"docker_bytes", "entries"}), 0)
    books = [
        make_books(0, live=7 * MB),
        make_books(1, pull=400 * MB, **nothing),
        make_books(2, pull=0, **zero, entries=EntryCounts(files=3)),
        make_books(3, pull=80 * MB, **nothing),
    ]
    report = make_report(layers, books, ownership=Ownership((), (make_owner(None, "application", 7 * MB),)))
    wrong = (
        Note("A30", Level.ERROR, "layer 1 (sha256:0000...) is not in the archive: save the image again", 1),
        Note("D02", Level.ERROR, "layer 0: tar header checksum wrong, 211 entries read before it", 0, None, 1_048_576),
    )
    return replace(report, image=replace(report.image, notes=wrong, names=()), notes=wrong)


def hostile_report():
    layer = make_layer(0, HOSTILE, created_by=HOSTILE)
    cause = make_cause(
        5 * MB, HOSTILE, instruction=HOSTILE, hidden_in=0, hidden_by_instruction=HOSTILE, fix=HOSTILE,
        paths=(PathShare(HOSTILE_PATH, 4 * MB, 0),),
    )  # fmt: skip
    package = make_package(HOSTILE, HOSTILE, 3 * MB, 0, reason=HOSTILE)
    other = make_package("x", "1", 1 * MB, 0, required_by=(HOSTILE,))
    note = Note("C1", Level.ERROR, HOSTILE, 0, HOSTILE_PATH, 5)
    report = make_report(
        [layer],
        [make_books(0, live=5 * MB, replaced=5 * MB)],
        release=Release(HOSTILE, None, HOSTILE),
        ownership=Ownership((package, other), (make_owner("deb", None, 4 * MB), make_owner(None, HOSTILE, 6 * MB))),
        duplicates=make_duplicates(b"\x02" * 16, MB, *cause.paths * 3),
        causes=(cause,),
        exposures=(Exposure(HOSTILE, "error", HOSTILE, HOSTILE_PATH, 0, "visible", None, HOSTILE, HOSTILE),),
        notes=(note,),
    )
    config = Config(os=HOSTILE, architecture=HOSTILE, labels={HOSTILE: HOSTILE}, user=HOSTILE, cmd=(HOSTILE,))
    image = replace(report.image, names=(HOSTILE, HOSTILE), source=HOSTILE, config=config, notes=(note,))
    return replace(report, image=image)


def tall_report():
    layers = [make_layer(n, f"RUN step {n}") for n in range(127)]
    books = [make_books(n, live=(n * 37 % 127) * 10_000) for n in range(127)]
    return make_report(layers, books)


def empty_report():
    return make_report()


SPECIMENS = {
    "fat": fat_report,
    "broken": broken_report,
    "hostile": hostile_report,
    "tall": tall_report,
    "empty": empty_report,
}


def some_files():
    def row(path, size, **changes):
        return replace(FileRow(path, Kind.FILE, None, size, 0o644, 0, 0, 0, Fate.LIVE, None, "libc6"), **changes)

    return (
        row(b"usr/lib/libc.so.6", 2 * MB),
        row(b"app/dist/bundle.js", 31 * MB, layer=4, fate=Fate.REPLACED, ended_by=5, owner="application"),
        row(HOSTILE_PATH, 7, owner=HOSTILE, link=HOSTILE_PATH, kind=Kind.SYMLINK),
        row(b"bin/ls", 0, kind=Kind.HARDLINK, link=b"bin/busybox"),
        row(b"", 0, kind=Kind.DIRECTORY, owner=None),
    )
