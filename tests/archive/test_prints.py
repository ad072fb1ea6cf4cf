"""A print tells any two contents apart and no one else can know it; a label is what xxhsum says."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import weakref
from itertools import pairwise

import build
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st
from layerscope import api
from layerscope.archive import prints, quick
from layerscope.archive.prints import SMALL, WIDTH, Prints
from layerscope.cli.session import run

TREE = {"a": b"program" * 99, "b": b"program" * 99, "c": b"one" * 400_000, "d": b"one" * 400_000, "e": b"alone", "f": b""}
WAYS = {
    "docker": build.docker_save,
    "oci gzip": build.oci_archive,
    "oci zstd": lambda image: build.oci_archive(build.Image(image.layers, codec=[build.zst] * len(image.layers))),
    "rootfs": lambda image: build.layer({f"usr/{path}": data for path, data in TREE.items()}),
}


@pytest.fixture(params=["compiled", "pure"])
def method(request, monkeypatch):
    """Have prints taken with the compiled part and without it."""
    if request.param == "pure":
        monkeypatch.setattr(quick, "Parts", None)
        monkeypatch.setattr(quick, "fingerprint", None)
    elif quick.Parts is None:
        pytest.skip("the compiled part is absent, or its compiler had no 128 bits")
    return request.param


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("passing", [False, True])
def test_sets_of_equal_files_have_a_label(way, passing, tmp_path, capfdbinary, monkeypatch):
    path = tmp_path / "image.tar"
    path.write_bytes(WAYS[way](build.Image([build.layer(TREE)])))
    words = [str(path)]
    if passing:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
        words = ["-"]
    assert run(["report", *words, "--format", "json", "--quiet"]) == 0
    found = json.loads(capfdbinary.readouterr().out)["duplicates"]
    assert [group["digest"] for group in found] == [f"xxh128:{xxhash.xxh128(TREE[name]).hexdigest()}" for name in "ca"]


LENGTHS = (0, 1, 7, 8, 15, 16, 17, 4096, SMALL - 1, SMALL, SMALL + 1, SMALL + 16, 2 * SMALL, 2 * SMALL + 5, 5 * SMALL)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_print_is_the_same_however_the_content_comes(length, method):
    content = bytes(number * number % 251 for number in range(length))
    taker = Prints()
    for cuts in ((), (1,), (length // 2,), (3, 8, 24, 25), range(0, length, 1000), (SMALL, SMALL + 8), (SMALL - 3, SMALL + 3)):
        ends = [0, *sorted(cut for cut in cuts if 0 < cut < length), length]
        taken = taker.start(content[start:stop] for start, stop in pairwise(ends))
        assert taken.print() == taken.print() == taker.print_of(content)
        assert taken.label() == taker.label_of(content) == xxhash.xxh128_digest(content)
    assert len(taker.label_of(content)) == WIDTH


@given(st.lists(st.binary(max_size=40), max_size=9), st.data())
def test_pieces_are_taken_in_order(pieces, data):
    if quick.Parts is None:
        pytest.skip("the compiled part is absent")
    key = data.draw(st.sampled_from([bytes(range(80)), bytes(range(96)), bytes(range(128))]))
    whole, part = b"".join(pieces), len(key) - quick.FINAL
    taken = quick.Parts(key)
    for piece in pieces:
        taken.update(memoryview(piece))
    parts = [whole[at : at + part] for at in range(0, len(whole), part)] or [b""]
    told = [quick.fingerprint(key, one).to_bytes(8, sys.byteorder, signed=True) for one in parts]
    assert taken.prints() == b"".join(told)


@pytest.mark.skipif(quick.Parts is None, reason="the compiled part is absent")
def test_a_key_that_is_too_short_is_refused():
    for key in (b"", bytes(quick.FINAL), bytes(quick.FINAL + 15)):
        with pytest.raises(ValueError, match="too short"):
            quick.Parts(key)
    for wrong in ("text", 1, None):
        with pytest.raises(TypeError):
            quick.Parts(bytes(quick.FINAL + 16)).update(wrong)
        with pytest.raises(TypeError):
            quick.Parts(wrong)


def test_contents_that_differ_a_little_have_other_prints(method):
    content = bytes(3 * SMALL + 9)
    places = (0, 1, 8, SMALL - 1, SMALL, 2 * SMALL + 3, len(content) - 1)
    alike = [content[:place] + b"\1" + content[place + 1 :] for place in places]
    alike += [content[:size] for size in (0, 1, 8, 15, 16, SMALL - 1, SMALL, SMALL + 1, 2 * SMALL, len(content) - 1)]
    swapped = content[:SMALL] + b"\2" + content[SMALL + 1 :]
    alike += [swapped, swapped[SMALL : 2 * SMALL] + swapped[:SMALL] + swapped[2 * SMALL :]]
    taker = Prints()
    assert len({taker.print_of(one) for one in [content, *alike]}) == 1 + len(alike)


def test_prints_depend_on_the_secret_alone(method):
    contents = (b"x", bytes(SMALL + 1))
    one, other = Prints(b"1" * 32), Prints(b"2" * 32)
    for content in contents:
        assert one.print_of(content) == Prints(b"1" * 32).print_of(content) != other.print_of(content)


def test_every_run_has_a_secret_of_its_own():
    """With PYTHONHASHSEED set as well: who makes an image shall not know which contents meet."""
    code = "from layerscope.archive.prints import PRINTS; print(PRINTS.print_of(b'x'), PRINTS.print_of(bytes(1 << 20)))"
    for pure in ("", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": "0", "LAYERSCOPE_PURE": pure}
        runs = {
            subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True).stdout
            for _ in range(2)
        }
        assert len(runs) == 2


@pytest.mark.parametrize("style", [build.docker_save, build.oci_archive])
def test_asked_for_digests_are_what_they_are_called(style, tmp_path):
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


def test_labels_decide_nothing(tmp_path, monkeypatch):
    """Whoever makes two contents of one label has two files that are told apart."""
    monkeypatch.setattr(prints.xxhash, "xxh3_128_digest", lambda _: bytes(WIDTH))
    path = tmp_path / "image.tar"
    path.write_bytes(build.oci_archive(build.Image([build.layer({"a": b"one", "b": b"two", "c": b"one"})])))
    found = api.analyze(api.load(str(path))).duplicates
    assert [[place.path for place in group.paths] for group in found] == [[b"a", b"c"]]


def test_what_took_the_prints_of_a_file_is_let_go(tmp_path, monkeypatch):
    """An archive that passes may be a root file system of many files; each of these takes a thousand bytes."""
    living, most = set(), []
    real = prints.Pieces.__init__

    def begin(self, *given):
        real(self, *given)
        living.add(id(self))
        most.append(len(living))
        weakref.finalize(self, living.discard, id(self))

    monkeypatch.setattr(prints.Pieces, "__init__", begin)
    path = tmp_path / "root.tar.gz"
    path.write_bytes(gzip.compress(build.layer({f"usr/f{number}": b"%d" % number for number in range(300)})))
    assert len(api.load(str(path)).layers[0].index) == 300
    assert len(most) >= 300
    assert max(most) < 10
