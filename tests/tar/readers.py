"""What do other readers see in a tar, and does layerscope see the same?"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import posixpath
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from itertools import compress
from pathlib import Path
from typing import Any

from layerscope.archive.equal import Place
from layerscope.archive.feed import Feed
from layerscope.archive.limits import Limits
from layerscope.archive.prints import PRINTS
from layerscope.archive.tar.reader import read_tar
from layerscope.archive.tar.sparse import SPARSE_HASHED
from layerscope.model import Kind, LayerIndex, Level

SOURCE = Path(__file__).resolve().parent.parent / "readers" / "main.go"
LIMITS = Limits()
COLUMNS = (
    "paths",
    "folders",
    "kinds",
    "sizes",
    "modes",
    "uids",
    "gids",
    "mtimes",
    "offsets",
    "spans",
    "links",
    "xattrs",
    "declared",
    "sparse",
    "kept",
    "tar_bytes",
    "notes",
)
KINDS = {
    "0": Kind.FILE,
    "\0": Kind.FILE,
    "7": Kind.FILE,
    "S": Kind.FILE,
    "1": Kind.HARDLINK,
    "2": Kind.SYMLINK,
    "3": Kind.CHARACTER,
    "4": Kind.BLOCK,
    "5": Kind.DIRECTORY,
    "6": Kind.FIFO,
}


class GoReader:
    """Go's archive/tar, in a process that runs as long as the tests do."""

    def __init__(self, folder: Path) -> None:
        binary = folder / "readers"
        environment = {name: value for name, value in os.environ.items() if name != "XDG_CACHE_HOME"}  # Go keeps things there
        subprocess.run(["go", "build", "-o", str(binary), str(SOURCE)], check=True, capture_output=True, env=environment)
        self.process = subprocess.Popen([str(binary)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def read(self, data: bytes) -> tuple[list[dict[str, Any]], str]:
        """Return the entries and the error that ended them, "" if none did."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(struct.pack(">Q", len(data)) + data)
        self.process.stdin.flush()
        rows: list[dict[str, Any]] = []
        while "error" not in (row := json.loads(self.process.stdout.readline())):
            rows.append(row)
        return rows, row["error"]

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def in_place(data: bytes, *, whiteouts: bool = False, keep: bool = True) -> LayerIndex:
    """Return the index of a tar that lies in memory, with print and label of every file."""
    index = read_tar(Feed.over(data, 0, len(data)), limits=LIMITS, whiteouts=whiteouts, keep=lambda _: keep)
    index.labels.extend(bytes(16 * len(index)))
    for row, pieces in contents(index, data):
        named = PRINTS.start(pieces)
        index.prints[row], index.labels[16 * row : 16 * row + 16] = named.print(), named.label()
    return index


def contents(index: LayerIndex, data: bytes) -> Iterator[tuple[int, Iterator[bytes]]]:
    """Yield row and content of the files of a tar that lies in memory, but for huge sparse ones."""
    place = Place(index, data, 0)
    for row, size in enumerate(index.sizes):
        if size and index.kinds[row] == Kind.FILE and (row not in index.sparse or size <= SPARSE_HASHED):
            yield row, place.pieces(row)


def sha256(pieces: Iterator[bytes]) -> str:
    """Return the SHA-256 of a content."""
    hasher = hashlib.sha256()
    for piece in pieces:
        hasher.update(piece)
    return hasher.hexdigest()


def streamed(data: bytes, size: int, *, whiteouts: bool = False, keep: bool = True) -> LayerIndex:
    """Return the index of a tar that passes in chunks of `size` bytes."""
    chunks = (data[start : start + size] for start in range(0, len(data), size))
    return read_tar(Feed.of(chunks), limits=LIMITS, whiteouts=whiteouts, keep=lambda _: keep)


def failed(index: LayerIndex) -> bool:
    """Whether the reader says that it could not read all; a file too large to be looked into (E08) was read."""
    return any(note.level is Level.ERROR and note.id != "E08" for note in index.notes)


def raw(text: str) -> bytes:
    return base64.b64decode(text)


def normal(name: bytes) -> bytes:
    """Return a name as a path from the root."""
    return posixpath.normpath(b"/" + name.lstrip(b"/"))[1:]


def expected(row: dict[str, Any]) -> dict[str, Any]:
    """Return what layerscope should have for a row of Go's."""
    name = raw(row["name"])
    path, kind = normal(name), KINDS.get(row["type"], Kind.OTHER)
    if not path and (kind != Kind.DIRECTORY or not name):
        kind = Kind.OTHER
    size = row["size"]
    return {
        "path": path,
        "kind": kind,
        "size": size if kind == Kind.FILE else 0,
        "declared": 0 if kind == Kind.FILE else size,
        "mode": row["mode"] & 0o7777,
        "uid": row["uid"],
        "gid": row["gid"],
        "mtime": row["second"] * 10**9 + row["nano"],
        "link": normal(raw(row["link"])) if kind == Kind.HARDLINK else raw(row["link"]) if kind == Kind.SYMLINK else None,
        "offset": row["offset"],
        "xattrs": {raw(key): raw(value) for key, value in row.get("xattrs", {}).items()},
        "digest": row["digest"] if kind == Kind.FILE and size and row["digest"] else None,
    }


def found(index: LayerIndex, row: int, digest: str | None) -> dict[str, Any]:
    """Return what layerscope has for a row."""
    return {
        "path": index.paths[row],
        "kind": Kind(index.kinds[row]),
        "size": index.sizes[row],
        "declared": index.declared.get(row, 0),
        "mode": index.modes[row],
        "uid": index.uids[row],
        "gid": index.gids[row],
        "mtime": index.mtimes[row],
        "link": index.links.get(row),
        "offset": index.offsets[row],
        "xattrs": dict(index.xattrs.get(row, ())),
        "digest": digest if index.sizes[row] <= 64 << 20 else None,
    }


def assert_agrees(go: GoReader, data: bytes) -> LayerIndex:
    """Fail unless layerscope reads a tar as Go does; return the index."""
    rows, error = go.read(data)
    index = in_place(data)
    rows = [row for row in rows if row["type"] != "g"]
    if failed(index) and len(index) < len(rows) and not rows[len(index)]["digest"]:
        error = "a huge sparse file, which Go was not asked to read, does not match its map"
        del rows[len(index) :]
    wanted = [expected(row) for row in rows]
    digests = {row: sha256(pieces) for row, pieces in contents(index, data)}
    have = [found(index, row, digests.get(row)) for row in range(len(index))]
    for row in have:  # libarchive's spelling is layerscope's own business
        row["xattrs"] = {key: value for key, value in row["xattrs"].items() if not key.startswith(b"libarchive ")}
    assert have == wanted, f"Go: {error!r}; layerscope: {index.notes}"
    assert failed(index) == bool(error), f"Go: {error!r}; layerscope: {index.notes}"
    assert index.tar_bytes == len(data)
    return index


def assert_same(one: LayerIndex, other: LayerIndex, *, contents: bool = True) -> None:
    """Fail unless two indexes hold the same."""
    for column in COLUMNS:
        assert getattr(one, column) == getattr(other, column), column
    if contents:
        assert list(compress(one.prints, one.sizes)) == list(compress(other.prints, other.sizes))
        assert one.labels == other.labels


def assert_stream_agrees(data: bytes, sizes: tuple[int, ...]) -> None:
    """Fail unless a tar that passes reads as one that lies still."""
    lying = in_place(data)
    for size in sizes:
        assert_same(lying, streamed(data, size))


# --- GNU tar, libarchive, Python ------------------------------------------------------------------------------------

LISTER = """
import json, os, signal, sys, tarfile
def late(*_):
    raise TimeoutError
signal.signal(signal.SIGALRM, late)
for line in sys.stdin:
    names = []
    signal.setitimer(signal.ITIMER_REAL, 1)
    try:
        with tarfile.open(line.rstrip("\\n"), "r:") as archive:
            while (member := archive.next()) is not None and len(names) < 1000:
                names.append(os.fsencode(member.name).hex())
    except BaseException:
        pass
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(json.dumps(names), flush=True)
"""
ESCAPE = re.compile(rb"\\(?:([0-7]{3})|(.))")
ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}


class OtherReaders:
    """The readers that people look at layers with, as far as they are installed."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "trap.tar"
        self.python = subprocess.Popen([sys.executable, "-c", LISTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.commands = {}
        if shutil.which("tar") and b"GNU tar" in subprocess.run(["tar", "--version"], check=False, capture_output=True).stdout:
            self.commands["GNU tar"] = ["tar", "--quoting-style=escape", "-P", "-tf", str(self.file)]
        if shutil.which("bsdtar"):
            self.commands["libarchive"] = ["bsdtar", "-tf", str(self.file)]

    def read(self, data: bytes) -> dict[str, list[bytes]]:
        """Return the paths that each of them lists."""
        self.file.write_bytes(data)
        assert self.python.stdin is not None
        assert self.python.stdout is not None
        self.python.stdin.write(f"{self.file}\n".encode())
        self.python.stdin.flush()
        lists = {"Python": [bytes.fromhex(name) for name in json.loads(self.python.stdout.readline())]}
        for name, command in self.commands.items():
            done = subprocess.run(
                command, check=False, capture_output=True, timeout=20, env={"LC_ALL": "C", "PATH": os.environ["PATH"]}
            )
            lists[name] = [unescaped(line) for line in done.stdout.split(b"\n")[:-1]]
        return {name: [normal(path) for path in paths] for name, paths in lists.items()}

    def close(self) -> None:
        """End the process."""
        self.python.communicate()


def unescaped(text: bytes) -> bytes:
    """Return a name that a program escaped."""
    return ESCAPE.sub(lambda found: bytes([int(found[1], 8) & 255]) if found[1] else ESCAPES.get(found[2], found[2]), text)
