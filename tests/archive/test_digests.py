"""One algorithm tells all contents apart, with the wheel of BLAKE3 and without it, and other digests stay what they are."""

from __future__ import annotations

import hashlib
import io
import json
import sys

import build
import pytest
from layerscope import api
from layerscope.archive import digests
from layerscope.cli.session import run

TREE = {"a": b"program" * 99, "b": b"program" * 99, "c": b"one" * 400_000, "d": b"one" * 400_000, "e": b"alone", "f": b""}


@pytest.fixture(params=["blake3", "sha256"])
def hashing(request, monkeypatch):
    """Return the algorithm, with the wheel hidden where it is the other one."""
    if request.param == "sha256":
        monkeypatch.setitem(sys.modules, "blake3", None)
    else:
        pytest.importorskip("blake3")
    digests.best.cache_clear()
    yield request.param
    digests.best.cache_clear()


def digest(data: bytes) -> str:
    """Return what a document calls a content, by another way."""
    name, start = digests.best()
    return f"{name}:{(hashlib.sha256 if name == 'sha256' else start)(data).hexdigest()}"


WAYS = {
    "docker": build.docker_save,
    "oci gzip": build.oci_archive,
    "oci zstd": lambda image: build.oci_archive(build.Image(image.layers, codec=[build.zst] * len(image.layers))),
    "rootfs": lambda image: build.layer({f"usr/{path}": data for path, data in TREE.items()}),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("passing", [False, True])
def test_duplicates_are_named_by_the_algorithm(hashing, way, passing, tmp_path, capfdbinary, monkeypatch):
    path = tmp_path / "image.tar"
    path.write_bytes(WAYS[way](build.Image([build.layer(TREE)])))
    words = [str(path)]
    if passing:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
        words = ["-"]
    assert run(["report", *words, "--format", "json", "--quiet"]) == 0
    found = json.loads(capfdbinary.readouterr().out)["duplicates"]
    assert [group["digest"] for group in found] == [digest(TREE["c"]), digest(TREE["a"])]
    assert found[0]["digest"].startswith(hashing)


@pytest.mark.parametrize("style", [build.docker_save, build.oci_archive])
def test_asked_for_digests_are_what_they_are_called(hashing, style, tmp_path):
    """Package databases tell MD5, SHA-1 and SHA-256, whatever tells contents apart."""
    files = {"app/" + path: data for path, data in TREE.items() if data}
    listed = ("\n".join(f"{hashlib.md5(data).hexdigest()}  {path}" for path, data in files.items()) + "\n").encode()
    stanza = b"Package: x\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n"
    made = build.layer(
        files
        | {
            "var/lib/dpkg/status": stanza,
            "var/lib/dpkg/info/x.md5sums": listed,
            "var/lib/dpkg/info/x.list": "".join(f"/{path}\n" for path in files).encode(),
        },
        parents=True,
    )
    path = tmp_path / "image.tar"
    path.write_bytes(style(build.Image([made])))
    index = api.load(str(path), sums=True).layers[0].index
    rows = {index.paths[row].decode(): found for row, found in index.sums.items()}
    for name, data in files.items():
        assert rows[name] == hashlib.md5(data).digest() + hashlib.sha1(data).digest() + hashlib.sha256(data).digest()


def test_a_digest_is_that_of_the_best_algorithm(hashing):
    started = digests.best()[1]()
    started.update(b"some bytes")
    assert (
        digests.digest(b"some ", b"bytes")
        == digests.digest(b"some bytes")
        == started.digest()
        != digests.digest(b"other bytes")
    )
