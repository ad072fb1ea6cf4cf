"""Are our numbers those that people compare with?"""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from build import (
    STYLES,
    Device,
    Dir,
    File,
    Hardlink,
    Image,
    Symlink,
    docker_save,
    entry,
    files,
    gz,
    layer,
    oci_archive,
    opaque,
    padded,
    sparse_pax,
    tar,
    whiteout,
)
from layerscope.render.options import Options
from layerscope.render.text import report_text

from archive.reading import WAYS, document, read

NOTHING = layer({})
DEVICES = {"dev/null": Device(1, 3), "dev/sda": Device(8, 0, b"4"), "run/fifo": Device(0, 0, b"6")}
DOCKER = {
    "files": ([layer({"a": b"1" * 100, "d": Dir(), "d/b": b"2" * 51})], [151]),
    "symlinks by the length of their target": ([layer({"l": Symlink("/usr/bin/busybox"), "m": Symlink("x")})], [17]),
    "hard links once": ([layer({"a": b"1" * 100, "b": Hardlink("a"), "c": Hardlink("b")})], [100]),
    "folders and devices nothing": ([layer({"d": Dir(), **DEVICES})], [0]),
    "sparse files by their logical size": ([tar(sparse_pax("s", [(0, b"x" * 512)], 1 << 20))], [1 << 20]),
    "marks nothing": ([layer({"a": b"1" * 100, "d/b": b"2"}), tar(whiteout("a"), opaque("d"))], [101, 0]),
    "one path twice: the last": ([layer({"a": b"1" * 100}) [:1024] + layer({"a": b"2" * 70})], [70]),
    "a copy again": ([layer({"a": b"1" * 100}), layer({"a": File(b"1" * 100, mode=0o600)})], [100, 100]),
    "an empty layer": ([NOTHING], [0]),
    "a replaced symlink of its own layer": ([tar(files({"l": Symlink("abc")}), files({"l": Symlink("abcde")}))], [5]),
    "a file renamed by its links": ([tar(files({"a": b"1" * 9, "b": Hardlink("a")}), files({"a": b"22"}))], [11]),
}  # fmt: skip


@pytest.mark.case("F01")
@pytest.mark.parametrize("name", DOCKER)
def test_docker_history(name):
    layers, sizes = DOCKER[name]
    report = read(docker_save(Image(layers, tags=["d:1"])))
    assert [row.docker_bytes for row in report.books.layers] == sizes
    assert report.books.docker_bytes == sum(sizes)


@pytest.mark.case("F01")
def test_docker_counts_a_repeated_layer_again():
    one = layer({"a": b"1" * 100})
    assert read(docker_save(Image([one, NOTHING, one], tags=["d:1"]))).books.docker_bytes == 200


@pytest.mark.case("F07")
@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_what_a_registry_sends(codec):
    layers = [layer({"a": b"1" * 9000}), layer({"b": b"2" * 70})]
    image = Image([*layers, layers[0]], codec=codec)
    made = document(read(oci_archive(image)))
    blobs = image.blobs()
    assert [row["pull_bytes"] for row in made["layers"]] == [len(blobs[0]), len(blobs[1]), 0]
    assert made["totals"]["pull_bytes"] == len(blobs[0]) + len(blobs[1])
    assert document(read(docker_save(image, "legacy")))["totals"]["pull_bytes"] is not None
    raw = document(read(docker_save(Image(layers, tags=["a:1"]), "legacy")))["totals"]
    assert raw["pull_bytes"] is None or raw["pull_estimated"]


@pytest.mark.case("F08")
def test_podman_counts_the_tar():
    layers = [layer({"a": b"1" * 9000, "l": Symlink("a")}), tar(whiteout("a"), pad=10240)]
    for codec in ("none", "gzip"):
        report = read(oci_archive(Image(layers, codec=codec)))
        assert [row.tar_bytes for row in report.books.layers] == [len(data) for data in layers]


DIVE = {
    # layers, size, user size, wasted, efficiency
    "one layer": ([layer({"a": b"1" * 27})], 27, 0, 0, 1.0),
    "no bytes": ([layer({"d": Dir()})], 0, 0, 0, 1.0),
    "three copies": ([layer({"a": b"1" * 27}), layer({"a": b"2" * 26}), layer({"a": b"3" * 27})], 80, 53, 80, 26 / 80),
    "deleted file": ([layer({"a": b"1" * 27, "b": b"2" * 10}), tar(whiteout("a"))], 37, 0, 27, 10 / 37),
    "hard links are 0": ([layer({"a": b"1" * 27, "b": Hardlink("a")}), layer({"b": b"2" * 9})], 36, 9, 9, 27 / 36),
    "whiteout of nothing": ([layer({"a": b"1"}), tar(whiteout("x"), files({"b": b"22"}))], 3, 2, 0, 1.0),
    "more wasted than added": ([layer({"a": b"1" * 90}), layer({"a": b"1" * 10})], 100, 10, 100, 10 / 100),
    "a repeated layer": ([layer({"a": b"1" * 5})] * 2, 10, 5, 10, 5 / 10),
}


@pytest.mark.case("F09", "F10", "F11")
@pytest.mark.parametrize("way", ["place", "pipe"])
@pytest.mark.parametrize("name", DIVE)
def test_dive(name, way):
    layers, size, user, wasted, efficiency = DIVE[name]
    dive = document(read(docker_save(Image(layers, tags=["d:1"]), "containerd"), way))["dive"]
    assert (dive["size_bytes"], dive["user_size_bytes"], dive["wasted_bytes"]) == (size, user, wasted)
    assert dive["efficiency"] == pytest.approx(efficiency)
    if user:
        assert dive["user_wasted_percent"] == pytest.approx(wasted / user)
    else:
        assert dive["user_wasted_percent"] is None


@pytest.mark.case("F09", "F10")
@pytest.mark.skipif("LAYERSCOPE_DIVE" not in os.environ, reason="LAYERSCOPE_DIVE names no dive (0.12 was compared)")
@pytest.mark.parametrize("name", [*(name for name in DIVE if name != "whiteout of nothing"), *DOCKER])
def test_the_real_dive(name, tmp_path):
    layers = DIVE[name][0] if name in DIVE else DOCKER[name][0]
    data = docker_save(Image(layers, tags=["d:1"]))
    (tmp_path / "image.tar").write_bytes(data)
    command = [os.environ["LAYERSCOPE_DIVE"], "--source", "docker-archive", "image.tar", "--json", "out.json"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    theirs = json.loads((tmp_path / "out.json").read_text())["image"]
    ours = document(read(data))["dive"]
    assert (ours["size_bytes"], ours["wasted_bytes"]) == (theirs["sizeBytes"], theirs["inefficientBytes"])
    assert ours["efficiency"] == pytest.approx(theirs["efficiencyScore"])


@pytest.mark.case("F10")
def test_a_deleted_folder_is_no_waste_for_dive():
    base = layer({"d": Dir(), "d/a": b"1" * 30, "d/e/b": b"2" * 12})
    made = document(read(docker_save(Image([base, tar(whiteout("d"))], tags=["d:1"]))))
    assert made["totals"]["deleted_bytes"] == 42
    assert made["dive"]["wasted_bytes"] == 0  # that tool has the folder's size under a path that it saw once: measured


@pytest.mark.case("F13")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("style", STYLES)
def test_the_archive_and_what_it_is_made_of(style, way):
    layers = [layer({"a": b"1" * 700, "b": b"2" * 9}), layer({"a": b"3"})]
    image = Image(layers, tags=["a:1"])
    data = docker_save(image, style)
    report = read(data, way)
    storage = report.image.storage
    blobs = [gz(one) for one in layers] if style in ("containerd", "kaniko", "jib", "bazel") else layers
    assert storage.archive_bytes == len(data)
    assert storage.blob_bytes == sum(map(len, blobs))
    assert storage.orphan_bytes == 0
    stored = sum(-(-size // 512) * 512 for size in (member.size for member in members(data)))
    assert storage.container_bytes >= len(data) - stored
    assert [row.tar_bytes for row in report.books.layers] == [len(one) for one in layers]
    assert [row.content_bytes for row in report.books.layers] == [709, 1]
    assert padded(data) == data


def members(data):
    import io
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return archive.getmembers()


FATES = {
    "nothing": [],
    "one empty layer": [NOTHING],
    "only folders": [layer({"d": Dir()})],
    "all deleted": [layer({"a": b"1"}), tar(whiteout("a"))],
    "only marks": [tar(whiteout("a"), opaque("d"), whiteout("d/x"))],
    "the root opaque": [layer({"a": b"1", "d/b": b"2"}), tar(opaque(""))],
    "one file": [layer({"a": b"1"})],
    "empty files": [layer({"a": b"", "b": b""})],
}


@pytest.mark.case("F14", "A31")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", FATES)
def test_efficiency_is_always_a_number(name, way):
    made = document(read(docker_save(Image(FATES[name], tags=["e:1"])), way))
    hidden = name in ("all deleted", "the root opaque")
    assert made["efficiency"] == (0.0 if hidden else 1.0)
    assert made["dive"]["efficiency"] == made["dive"]["efficiency"]
    assert "NaN" not in json.dumps(made)
    assert "Infinity" not in json.dumps(made)


@pytest.mark.case("F15")
def test_units_are_decimal():
    report = read(docker_save(Image([layer({"a": b"1" * 123_456})], tags=["u:1"])))
    text = report_text(report, Options())
    assert "123 kB" in text or "123.5 kB" in text
    assert "KiB" not in text


@pytest.mark.case("F16")
def test_every_size_has_its_name():
    base = tar(files({"a": b"1" * 1000, "l": Symlink("aa"), "h": Hardlink("a")}), entry("d/", type=b"5"))
    report = read(oci_archive(Image([base, tar(whiteout("a"))], codec="gzip")))
    row = document(report)["layers"][0]
    assert row["blob_bytes"] == row["pull_bytes"] == len(gz(base))
    assert row["tar_bytes"] == len(base)
    assert row["content_bytes"] == 1000
    assert row["overhead_bytes"] == len(base) - 1000
    assert row["docker_bytes"] == 1002
    assert row["live_bytes"] == 1000  # h keeps the inode
    assert row["entries"] == {"files": 1, "directories": 1, "symlinks": 1, "hardlinks": 1, "devices": 0, "whiteouts": 0}
