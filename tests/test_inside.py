"""Looking into programs while a layer passes, and while it lies in a file."""

from __future__ import annotations

import gzip

import build
import pytest
from layerscope import api
from packages.test_programs import blob, elf, jar, pom

PROGRAM = elf({b".text": bytes(3 << 20), b".go.buildinfo": blob()})
JAR = jar(pom("org.a", "shop", "1"), ("lib/beta-2.jar", jar(pom("org.b", "beta", "2"))))


BUSYBOX = elf({b".rodata": b"BusyBox v1.36.1 (2024"})
LAYER = build.tar(
    build.entry("app/shop", PROGRAM, mode=0o755), build.entry("app/plain", PROGRAM, mode=0o644), build.entry("app/shop.jar", JAR),
    build.entry("app/cut.jar", b"PK\3\4" + bytes(100)), build.entry("bin/[", BUSYBOX, mode=0o755),
)  # fmt: skip
IMAGE = build.Image([LAYER], tags=["app:1"])
WAYS = {
    "in place": build.docker_save(IMAGE),
    "streamed": build.docker_save(build.Image([LAYER], tags=["app:1"], codec="gzip")),
    "packed as a whole": gzip.compress(build.docker_save(IMAGE), 1),
    "root file system": LAYER,
    "root file system, packed": gzip.compress(LAYER, 1),
}


@pytest.mark.parametrize("way", WAYS)
def test_programs_and_jars_are_packages(tmp_path, way):
    place = tmp_path / "image.tar"
    place.write_bytes(WAYS[way])
    image = api.load(str(place))
    owned = api.own(image)
    assert sum(share.bytes for share in owned.owners) == sum(layer.index.content_bytes for layer in image.layers)
    assert [note.message for note in owned.notes] == ["package database: no zip archive"]
    assert sorted((share.package.type, share.package.name, share.package.version, share.bytes) for share in owned.packages) == [
        ("generic", "busybox", "1.36.1", len(BUSYBOX)),
        ("golang", "example.org/new", "v1.1.0", 0),
        ("golang", "example.org/shop", "(devel)", len(PROGRAM)),
        ("golang", "golang.org/x/text", "v0.14.0", 0),
        ("golang", "stdlib", "go1.22.1", 0),
        ("maven", "beta", "2", 0),
        ("maven", "shop", "1", len(JAR)),
    ]
