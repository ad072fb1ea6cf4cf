"""What would an attacker send? For each limit one image that passes it, written piece by piece, of whatever size the limit asks."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import build

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
LAYER = build.layer({"a": b"a"})
END = bytes(2 * build.BLOCK)


@dataclass(frozen=True)
class Bomb:
    """An image that passes one limit.

    write   writes it into a file, given the limit's value
    small   a value that is passed at once, for the tests
    large   a value for the script, where to pass the default would take hours; None is the default
    piped   whether it goes through standard input
    wish    what is asked of it, around the image
    """

    write: Callable[[BinaryIO, int], None]
    small: int
    large: int | None = None
    piped: bool = False
    wish: tuple[str, ...] = ("report", "IMAGE")

    def words(self, place: Path) -> list[str]:
        """Return the command line for an image that was written."""
        return [str("-" if self.piped else place) if word == "IMAGE" else word for word in self.wish]


def saved(file: BinaryIO, pieces: Iterable[bytes], *, level: int = 1) -> None:
    """Write an archive of `docker save` with one layer, gzip, that is made of pieces."""
    with tempfile.TemporaryFile() as blob:
        with gzip.GzipFile(fileobj=blob, mode="wb", compresslevel=level, mtime=0) as layer:
            for piece in pieces:
                layer.write(piece)
        member(file, "layer.tar", blob)
    about(file)


def member(file: BinaryIO, name: str, content: BinaryIO) -> None:
    """Write a member of an archive, whose content another file holds."""
    size = content.seek(0, 2)
    content.seek(0)
    file.write(build.entry(name, size=size))
    shutil.copyfileobj(content, file)
    file.write(bytes(-size % build.BLOCK))


def about(file: BinaryIO, layers: int = 1) -> None:
    """Write the documents of an image whose layers are all the same, and the end of the archive."""
    manifest = build.dumps([{"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["layer.tar"] * layers}])
    file.write(build.entry("c.json", build.config([LAYER] * layers)) + build.entry("manifest.json", manifest) + END)


def entries(file: BinaryIO, value: int) -> None:
    """Files, each with a name of its own."""
    block = bytearray(build.entry("0" * 99))
    rest = sum(block) - sum(block[148:156]) + 8 * 32 - sum(block[90:99])

    def pieces() -> Iterator[bytes]:
        for number in range(value + 1):
            digits = b"%09d" % number
            block[90:99] = digits
            block[148:156] = b"%06o\0 " % (rest + sum(digits))
            yield bytes(block)

    saved(file, pieces())


def layers(file: BinaryIO, value: int) -> None:
    """One layer, many times."""
    file.write(build.entry("layer.tar", LAYER))
    about(file, value + 1)


def manifests(file: BinaryIO, value: int) -> None:
    """Rows of index.json, each for a manifest of its own."""
    rows = []
    config = build.config([LAYER])
    file.writelines(build.entry(build.blob(data), data) for data in (LAYER, config))
    for number in range(value + 1):
        parts = {"config": build.descriptor("config.v1+json", config), "layers": [build.descriptor("layer.v1.tar", LAYER)]}
        manifest = build.dumps({"schemaVersion": 2, "annotations": {"n": str(number)}, **parts})
        file.write(build.entry(build.blob(manifest), manifest))
        rows.append(build.descriptor("manifest.v1+json", manifest))
    file.write(build.entry("index.json", build.dumps({"schemaVersion": 2, "manifests": rows})) + END)


def long_document(file: BinaryIO, value: int) -> None:
    """A manifest.json that is mostly space."""
    file.write(build.entry("layer.tar", LAYER) + build.entry("c.json", build.config([LAYER])))
    manifest = build.dumps([{"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["layer.tar"]}])
    file.write(build.entry("manifest.json", manifest + b" " * value) + END)


def deep_document(file: BinaryIO, value: int) -> None:
    """A config of lists in lists."""
    config = build.config([LAYER])[:-1] + b',"x":' + b"[" * value + b"]" * value + b"}"
    manifest = build.dumps([{"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["layer.tar"]}])
    parts = {"layer.tar": LAYER, "c.json": config, "manifest.json": manifest}
    file.write(build.archive(parts))


def nesting(file: BinaryIO, value: int) -> None:
    """An index in an index in an index."""
    parts = build.oci(build.Image([LAYER]))
    index = parts["index.json"]
    for _ in range(value + 1):
        parts[build.blob(index)] = index
        index = build.dumps({"schemaVersion": 2, "manifests": [build.descriptor("index.v1+json", index)]})
    file.write(build.archive(parts | {"index.json": index}))


def long_header(file: BinaryIO, value: int) -> None:
    """One extension header."""
    saved(file, [build.pax({"path": "n" * value}), build.entry("x"), END])


def long_headers(file: BinaryIO, value: int) -> None:
    """Long names, one after the other."""
    length = min(value // 3, MIB - KIB)
    saved(file, (build.pax({"path": f"{number}" + "n" * length}) + build.entry("x") for number in range(value // length + 2)))


def folders(file: BinaryIO, value: int) -> None:
    """Paths of a thousand parts."""
    each = 1000 * (1000 + 256)
    paths = ("d/" * 1000 + "f" if number < 0 else f"{number}/" + "d/" * 1000 + "f" for number in range(value // each + 2))
    saved(file, (build.pax({"path": path}) + build.entry("x") for path in paths))


def fragments(file: BinaryIO, value: int) -> None:
    """Sparse files of holes."""
    count = min(value // 2, 100_000)
    table = b"%d\n" % count + b"0\n0\n" * count
    told = {"GNU.sparse.major": 1, "GNU.sparse.minor": 0, "GNU.sparse.name": "s", "GNU.sparse.realsize": 1 << 60}
    one = build.pax(told) + build.entry("s", build.padded(table))
    saved(file, (one for _ in range(value // count + 2)))


def packed(size: int) -> Iterator[bytes]:
    """Yield gzip data of a file of zeros and some noise, about 400 times smaller than the file; every piece is deflated once."""
    piece = (bytes(4000) + bytes(range(96))) * 256
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    yield zlib.compress(b"", wbits=31)
    body = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
    head = build.entry("zeros", size=size)
    first = zlib.compressobj(6, zlib.DEFLATED, 31)
    yield first.compress(head) + first.flush(zlib.Z_FULL_FLUSH)
    for _ in range(size // len(piece)):
        yield body


def layer_bytes(file: BinaryIO, value: int) -> None:
    """A file that is much larger than what it is stored as."""
    with tempfile.TemporaryFile() as blob:
        blob.writelines(packed(value + MIB))
        member(file, "layer.tar", blob)
    about(file)


def slow(file: BinaryIO, value: int) -> None:
    """A file that takes longer to decompress."""
    layer_bytes(file, value * 4 * GIB)


def archive_bytes(file: BinaryIO, value: int) -> None:
    """An archive with a hole of that size: on most file systems it takes no room."""
    file.write(build.entry("hole", size=value))
    file.seek(value, 1)
    file.write(build.entry("layer.tar", LAYER))
    about(file)


def ratio(file: BinaryIO, value: int) -> None:
    """Zeros: zstd makes them thousands of times smaller."""
    blob = build.zst(build.entry("zeros", bytes(70 * MIB)) + END)
    file.write(build.entry("layer.tar", blob))
    about(file)


def window(file: BinaryIO, value: int) -> None:
    """A zstd frame whose header asks for more."""
    exponent = max((value - 1).bit_length() + 1, 10) - 10
    blob = b"\x28\xb5\x2f\xfd\x00" + bytes([exponent << 3]) + b"\x01\0\0"
    file.write(build.entry("layer.tar", blob))
    about(file)


def records(size: int) -> Iterator[bytes]:
    """Yield a database of apk's, of at least that size."""
    written = number = 0
    while written <= size:
        piece = b"".join(b"P:p%d\nV:%d\nF:usr/%d\nR:f\n\n" % (row, row, row) for row in range(number, number + 1000))
        written += len(piece)
        number += 1000
        yield piece


def database(file: BinaryIO, value: int) -> None:
    """A package database of that size."""
    content = b"".join(records(value))
    saved(file, (build.entry("lib/apk/db/installed", content), END))


def databases(file: BinaryIO, value: int) -> None:
    """Files of packages that are each small enough to be kept, and together too many."""
    size = min(value // 3, 60 * MIB)
    content = b"".join(records(size))
    names = (f"var/lib/dpkg/status.d/{number}" for number in range(value // size + 1))
    saved(file, (build.entry(name, b"%s\n" % name.encode() + content) for name in names))


def sparse(file: BinaryIO, value: int) -> None:
    """A file that is one hole."""
    told = {"GNU.sparse.major": 1, "GNU.sparse.minor": 0, "GNU.sparse.name": "hole", "GNU.sparse.realsize": value + 1}
    saved(file, [build.pax(told), build.entry("hole", build.padded(b"0\n")), END])


def documents(file: BinaryIO, value: int) -> None:
    """Documents before the manifest that says whether they matter."""
    size = min(value // 3, 20 * MIB)
    file.writelines(build.entry(f"{number}.json", b'{"n": %d}' % number + b" " * size) for number in range(value // size + 2))
    file.write(build.entry("layer.tar", LAYER))
    about(file)


BOMBS: dict[str, Bomb] = {
    "entries": Bomb(entries, 50),
    "layers": Bomb(layers, 5),
    "manifests": Bomb(manifests, 5),
    "json_bytes": Bomb(long_document, 2000),
    "json_depth": Bomb(deep_document, 20),
    "nesting": Bomb(nesting, 3),
    "special_bytes": Bomb(long_header, 5000),
    "extension_bytes": Bomb(long_headers, 20_000),
    "folder_bytes": Bomb(folders, 4 * MIB),
    "sparse_fragments": Bomb(fragments, 100),
    "layer_bytes": Bomb(layer_bytes, 4 * MIB, large=16 * GIB),
    "archive_bytes": Bomb(archive_bytes, 4 * MIB),
    "ratio": Bomb(ratio, 500),
    "window_bytes": Bomb(window, MIB),
    "kept_file_bytes": Bomb(database, 100_000),
    "kept_bytes": Bomb(databases, 100_000),
    "document_bytes": Bomb(documents, 100_000, piped=True),
    "file_bytes": Bomb(sparse, 100_000, wish=("cat", "IMAGE", "/hole")),
    "seconds": Bomb(slow, 1, large=10),
}


def light(name: str, value: int, folder: Path) -> Path:
    """Write a bomb into a folder and return its path."""
    place = folder / f"{name}.tar"
    with place.open("wb") as file:
        BOMBS[name].write(file, value)
    return place
