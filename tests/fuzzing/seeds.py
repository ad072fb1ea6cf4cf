"""What does a fuzzer begin with? Small inputs of every kind: made here, taken from the fixtures, and from the corpus if it is there."""

from __future__ import annotations

import gzip as stdlib_gzip
import json
import os
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from zipfile import ZIP_STORED

import build
from audit.secrets_specimens import SPECIMENS
from layerscope import api
from layerscope.archive.feed import Feed
from layerscope.archive.limits import Limits
from layerscope.archive.tar.reader import read_tar
from layerscope.errors import LayerscopeError
from layerscope.model import Kind
from layerscope.packages.chisel import MANIFEST as CHISEL_MANIFEST
from layerscope.packages.database import Database
from layerscope.packages.patterns import Patterns
from packages import test_programs as programs
from packages import test_readers as readers
from packages import test_rpm as rpm
from packages import test_systems as systems
from tar.traps import TRAPS

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(os.environ.get("LAYERSCOPE_CORPUS") or ROOT.parent / "shared" / "corpus")
LONGEST = 1 << 16
FILE = 1 << 13
LAYER = build.layer({"etc/motd": b"hello", "b": b"b" * 600})
BETWEEN = b"\n\0\n"
HISTORY = b"Commandline: apt-get install -y curl\nInstall: curl:amd64 (8-1), libcurl4:amd64 (8-1, automatic)\n"


def listed(folder: Path, pattern: str = "*") -> list[Path]:
    """Return the files of a folder, none if it is not there."""
    return sorted(path for path in folder.glob(pattern) if path.is_file())


def saved() -> list[Path]:
    """Return the images that are there."""
    return [*listed(ROOT / "fixtures", "*.tar*"), *listed(CORPUS / "images")]


def tar() -> Iterator[bytes]:
    """Yield tars: traps, and a plain one."""
    yield from TRAPS.values()
    yield LAYER
    for path in listed(CORPUS / "tar-traps", "*.tar"):
        yield path.read_bytes()


def pax() -> Iterator[bytes]:
    """Yield tars with extension headers and sparse files."""
    yield from (data for data in tar() if any(word in data for word in (b"PaxHeader", b"LongLink", b"SCHILY", b"GNU.sparse")))
    for version in ("0.0", "0.1", "1.0"):
        yield build.tar(build.sparse_pax("s", [(4096, b"x" * 512), (9000, b"y")], 1 << 20, version))
    yield build.tar(build.sparse_gnu("s", [(4096 * piece, b"x" * 512) for piece in range(9)], 1 << 20))


def _packed(make: Callable[[bytes, int], bytes]) -> Iterator[bytes]:
    for data in (b"", b"hello" * 100, LAYER, Random(0).randbytes(5000)):
        for many in (1, 3):
            yield make(data, many)


def gzip() -> Iterator[bytes]:
    """Yield gzip data, also of many members, with every field of a header, and stored."""
    yield from _packed(build.gz)
    body = zlib.compress(b"x" * 50, 0)[2:-4]
    ending = zlib.crc32(b"x" * 50).to_bytes(4, "little") + (50).to_bytes(4, "little")
    yield b"\x1f\x8b\x08\x1e" + bytes(6) + b"\x03\0abc" + b"name\0comment\0" + b"\0\0" + body + ending


def zstd() -> Iterator[bytes]:
    """Yield zstd data, also of many frames, and with skippable ones."""
    yield from _packed(build.zst)
    yield build.zst(LAYER, 2, skippable=b"hidden")


def tables() -> Iterator[bytes]:
    """Yield tables of contents as lazy pulling has them, also as zstd holds them."""
    entries = [{"name": "etc/", "type": "dir", "mode": 493}, {"name": "b", "type": "hardlink", "linkName": "a"}]
    entries += [
        {"name": "a", "type": "reg", "size": 1, "digest": "sha256:00", "xattrs": {"user.x": "eA=="}},
        {"name": "a", "type": "chunk"},
    ]
    for text in (b'{"entries": 1}', json.dumps({"version": 1, "entries": entries}).encode()):
        yield from (text, build.zst(text))


def archives() -> Iterator[bytes]:
    """Yield small archives of every layout."""
    image = build.Image([build.layer({"a": b"a", "d/b": b"b" * 20}), build.tar(build.whiteout("a"), build.opaque("d"))])
    made = [build.docker_save(image, style=style) for style in build.STYLES]
    made += [build.oci_archive(image), build.oci_archive(build.Image(image.layers, codec="zstd"), nested=True, attest=True)]
    yield from [*made, build.gz(made[0]), build.zst(made[1]), build.layer({"etc/passwd": b"root", "bin/sh": b"x"})]
    yield from (path.read_bytes() for path in saved() if path.stat().st_size <= LONGEST)


def _documents(path: Path) -> dict[bytes, bytes]:
    """Return the JSON documents of an archive, by name."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = stdlib_gzip.decompress(data)
    index = read_tar(Feed.over(data, 0, len(data)), limits=Limits(), whiteouts=False, partial=True)
    found = {}
    for row, name in enumerate(index.paths):
        content = data[index.offsets[row] : index.offsets[row] + index.sizes[row]]
        if index.kinds[row] == Kind.FILE and content[:1] in (b"{", b"[") and len(content) <= FILE:
            found[name] = content
    return found


def docker() -> Iterator[bytes]:
    """Yield manifest.json, config and `repositories`."""
    row = build.dumps([{"Config": "config.json", "RepoTags": ["a:1"], "Layers": ["layer.tar"]}])
    yield BETWEEN.join((row, build.config([LAYER], more="x"), b'{"a":{"1":"a"}}'))
    for path in saved():
        found = _documents(path)
        configs = [content for name, content in found.items() if b"rootfs" in content or name.endswith(b"/json")]
        if b"manifest.json" in found and configs:
            manifest = json.loads(found[b"manifest.json"])
            for item in manifest if isinstance(manifest, list) else ():
                item |= {"Config": "config.json", "Layers": ["layer.tar"] * min(len(item.get("Layers") or ()), 3)}
            yield BETWEEN.join((build.dumps(manifest), configs[0], found.get(b"repositories", b"")))


def oci() -> Iterator[bytes]:
    """Yield index, manifest and config."""
    config = build.config([LAYER])
    layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": "@L", "size": len(LAYER)}
    manifest = build.dumps({"schemaVersion": 2, "config": {"digest": "@1", "size": 1}, "layers": [layer]})
    names = {"org.opencontainers.image.ref.name": "a", "io.containerd.image.name": "docker.io/a:1"}
    row = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "@1", "size": 1, "annotations": names}
    index = build.dumps({"schemaVersion": 2, "manifests": [row | {"platform": {"os": "linux", "architecture": "amd64"}}]})
    yield BETWEEN.join((index, manifest, config))
    yield BETWEEN.join((index, index, manifest, config))
    for path in saved():
        for content in _documents(path).values():
            if b'"manifests"' in content:
                yield BETWEEN.join((content, manifest, config))
            elif b'"layers"' in content:
                yield BETWEEN.join((index, content, config))


# --- packages ---------------------------------------------------------------------------------------------------------


@cache
def _kept() -> dict[bytes, bytes]:
    """Return small files that the images keep for the databases; of those that are told alike by path and beginning, one."""
    seen: dict[tuple[bytes, bytes], tuple[bytes, bytes]] = {}
    for path in saved():
        try:
            image = api.load(str(path))
        except LayerscopeError:
            continue
        for layer in image.layers:
            for row, content in (layer.index.kept if layer.index else {}).items():
                name = layer.index.paths[row]
                seen.setdefault((name.rpartition(b"/")[2], content[:200]), (name, content[:FILE]))
    return dict(seen.values())


def _programs() -> list[tuple[bytes, bytes]]:
    inner = programs.jar(programs.pom("org.b", "beta", "2"), method=ZIP_STORED)
    outer = programs.jar(programs.pom("org.a", "alpha", "1.0"), ("lib/beta-2.jar", inner), method=ZIP_STORED)
    audit = zlib.compress(b'{"packages": [{"name": "a", "version": "1", "source": "local", "root": true}]}', 0)
    return [
        (b"lib/a-1.jar", outer),
        (b"app/shop", programs.elf({b".go.buildinfo": programs.blob()})),
        (b"app/rust", programs.elf({b".dep-v0": audit})),
        (b"bin/busybox", programs.elf({b".rodata": b"BusyBox v1.36.1 (2024-01-01 00:00:00 UTC)"})),
    ]


def _files() -> list[tuple[bytes, bytes]]:
    made = [(path.encode(), text.encode()) for path, text in readers.ROOTS.items()]
    made.append((b"var/log/apt/history.log", HISTORY))
    return [*made, *_kept().items(), *_programs()]


def database(which: Database) -> Iterator[bytes]:
    """Yield the files that a database reads: each alone, and a few together."""
    wanted = Patterns((*which.patterns, *which.places))
    found = [
        (path, content)
        for path, content in _files()
        if wanted(path) or (which.inspect is not None and which.inspect(path, content) is not None)
    ]
    for file in found:
        yield BETWEEN.join(file)
    for start in range(0, len(found), 4):
        yield BETWEEN.join(part for file in found[start : start + 4] for part in file)
    if which.name == "chisel":
        yield CHISEL_MANIFEST + BETWEEN + "\n".join(map(json.dumps, systems.WALL)).encode()
    names = {"apk": b"lib/apk/db/installed", "dpkg": b"var/lib/dpkg/status"}
    for path in listed(CORPUS / "pkgdb", f"*{which.name}*") if which.name in names else ():
        yield BETWEEN.join((names[which.name], path.read_bytes()[:FILE]))


def symbols() -> Iterator[bytes]:
    """Yield programs and a static library with debug sections and symbol tables."""
    sections = {b".text": b"t" * 90, b".debug_info": b"d" * 30, b".symtab": b"s" * 24, b".strtab": b"n"}
    for order in "<>":
        for wide in (True, False):
            yield (program := programs.elf(sections, order, wide))
            yield b"!<arch>\n" + b"a.o/".ljust(48) + str(len(program)).ljust(10).encode() + b"`\n" + program


def images() -> Iterator[bytes]:
    """Yield the files of small installations, a few of them together."""
    files = _files()
    for start in range(0, len(files), 6):
        yield BETWEEN.join(part for file in files[start : start + 6] for part in file)


def secrets() -> Iterator[bytes]:
    """Yield files with secrets and with what looks like them."""
    for path, *texts in SPECIMENS.values():
        for text in texts:
            yield path.encode() + BETWEEN + (text if isinstance(text, bytes) else text.encode())


def _pkgdb(name: str) -> Iterator[bytes]:
    if (CORPUS / "pkgdb" / name).is_file():
        yield (CORPUS / "pkgdb" / name).read_bytes()[:LONGEST]


def sqlite() -> Iterator[bytes]:
    """Yield SQLite databases of headers."""
    yield rpm.database(rpm.BASH, rpm.CURL, rpm.TZ)
    yield rpm.database(rpm.BASH, rpm.header("big", provides=["x" * 5000]), mode="WAL")
    yield from _pkgdb("scancode-toolkit__rpmdb.sqlite")


def ndb() -> Iterator[bytes]:
    """Yield ndb files."""
    yield rpm.ndb(rpm.BASH, rpm.CURL, rpm.TZ)
    yield from _pkgdb("snyk__rpm_Packages.db")


def berkeley() -> Iterator[bytes]:
    """Yield Berkeley DB hashes of both byte orders."""
    for order in "<>":
        yield rpm.berkeley(rpm.BASH * 3, order)
        yield rpm.berkeley(rpm.CURL, order, loop=True)
    yield from _pkgdb("syft__redhat_Packages")
