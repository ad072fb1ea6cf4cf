"""Who looks into contents, how much is read for it, and that the way of the bytes does not matter."""

from __future__ import annotations

import gzip
import hashlib
import os

import build
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerscope import api
from layerscope.archive import inspection
from layerscope.archive.inspection import Inspector, Inspectors, inspect_place
from layerscope.archive.limits import Limits
from layerscope.archive.openfile import READ_ONLY, OpenFile
from layerscope.archive.scan import Settings, scan_place, scan_stream

LONG = bytes(range(256)) * 12_000  # passes in several pieces
FILES = {"a/short": b"hello", "a/long": LONG, "a/none": b"", "b/short": b"world"}
LAYER = build.tar(
    *(build.entry(path, data) for path, data in FILES.items()),
    build.sparse_pax("b/sparse", [(1000, b"there")], 5000),
    build.entry("b/link", type=b"1", link="a/short"),
)
HOLES = bytes(1000) + b"there" + bytes(3995)


def noting(name="all", *, wants=lambda *_: True, opens=lambda _: True, first=None, version="1"):
    """Somebody who notes how much of a file is shown, and its end."""
    return Inspector(name, version, wants, opens, lambda _, content: b"%d:" % len(content) + content[0:5], first)


def read_all(_path, content):
    """Somebody who reads it all, in one go."""
    return content[0 : len(content)][:5]


def scans(layer, inspectors, **limits):
    settings = Settings(Limits().raised(limits), lambda _: False, inspectors)
    pieces = [gzip.compress(layer)[at : at + 700] for at in range(0, len(gzip.compress(layer)), 700)]
    return {
        "in place": scan_place(layer, 0, len(layer), settings).index,
        "further in": scan_place(b"xyz" + layer, 3, len(layer), settings).index,
        "passing": scan_stream(iter([layer]), settings).index,
        "in pieces": scan_stream(iter(pieces), settings).index,
    }


WAYS = ("in place", "further in", "passing", "in pieces")


def told(index):
    return {index.paths[row]: found for row, found in index.inspected.items()}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_finds_the_same(way):
    index = scans(LAYER, Inspectors([noting(), noting("first", first=3), noting("never", opens=lambda _: False)]))[way]
    found = {b"a/short": b"hello", b"a/long": LONG[:5], b"b/short": b"world", b"b/sparse": bytes(5)}
    sizes = {b"a/short": 5, b"a/long": len(LONG), b"b/short": 5, b"b/sparse": 5000}
    assert told(index) == {
        path: (("all", b"%d:" % sizes[path] + head), ("first", b"3:" + head[:3])) for path, head in found.items()
    }
    assert sorted(note.message for note in index.notes if note.id == "E08") == sorted(
        f"of {size:,} bytes only the first 3 were looked into for first" for size in sizes.values()
    )


@pytest.mark.parametrize("way", WAYS)
def test_sums_are_those_of_the_contents(way):
    index = scans(LAYER, Inspectors(sums=lambda _: True))[way]
    expected = {b"a/short": b"hello", b"a/long": LONG, b"b/short": b"world", b"b/sparse": HOLES}
    assert {index.paths[row]: found for row, found in index.sums.items()} == {
        path: hashlib.md5(data).digest() + hashlib.sha1(data).digest() + hashlib.sha256(data).digest()
        for path, data in expected.items()
    }
    assert not index.inspected


@pytest.mark.parametrize("way", WAYS)
def test_what_is_wanted_is_asked_before_anything_is_read(way):
    asked = []

    def wants(path, mode, size):
        asked.append((path, mode, size))
        return path == b"a/long"

    index = scans(LAYER, Inspectors([noting(wants=wants)]))[way]
    assert set(told(index)) == {b"a/long"}
    assert (b"a/long", 0o644, len(LONG)) in asked


@pytest.mark.parametrize("way", WAYS)
def test_a_file_too_long_to_be_held_is_told(way):
    index = scans(LAYER, Inspectors([noting("x"), noting("y"), noting("first", first=9)]), kept_file_bytes=100_000)[way]
    names = [name for name, _ in told(index)[b"a/long"]]
    message = f"{len(LONG):,} bytes are too many to be looked into for x, y (--limit kept_file_bytes=VALUE)"
    held = way in ("in place", "further in")  # all of it can be had
    assert names == (["x", "y", "first"] if held else ["first"])
    assert (message in [note.message for note in index.notes]) is not held


@given(
    pieces=st.lists(st.binary(min_size=1, max_size=5), min_size=1, max_size=6),
    start=st.integers(0, 32),
    stop=st.integers(0, 32),
)
def test_a_file_in_pieces_slices_like_one_in_one(pieces, start, stop):
    whole, held = b"".join(pieces), inspection.Held(pieces)
    assert len(held) == len(whole)
    assert held[start:stop] == whole[start:stop]


def test_a_large_file_that_passes_is_not_put_together():
    shown = []

    def find(_path, content):
        shown.append((type(content), len(content), content[max(len(content) - 5, 0) : len(content)]))

    layer = gzip.compress(build.tar(build.entry("a", LONG), build.entry("b", b"hello")))
    watcher = Inspector("all", "1", lambda *_: True, lambda _: True, find)
    pieces = (layer[at : at + 700] for at in range(0, len(layer), 700))
    scan_stream(pieces, Settings(Limits(), lambda _: False, Inspectors([watcher])))
    assert shown == [(inspection.Held, len(LONG), LONG[-5:]), (bytes, 5, b"hello")]


def test_in_place_only_what_is_asked_for_is_read_and_once(tmp_path, monkeypatch):
    big = bytes(20 << 20)
    layer = build.tar(build.entry("none", LONG), build.entry("head", big), build.entry("whole", LONG))
    (tmp_path / "layer").write_bytes(layer)
    file = OpenFile(lambda: os.open(tmp_path / "layer", READ_ONLY))
    index = scan_place(file, 0, len(layer), Settings(Limits(), lambda _: False)).index
    read = []
    monkeypatch.setattr(
        OpenFile, "__getitem__", lambda self, part, do=OpenFile.__getitem__: (read.append(part), do(self, part))[1]
    )
    whole = [Inspector(name, "1", lambda path, *_: path == b"whole", lambda _: True, read_all) for name in "ab"]
    heads = [noting("h", wants=lambda path, *_: path == b"head", opens=lambda _: False)]
    inspect_place(file, 0, index, (0, 1, 2), Inspectors([*whole, *heads]), Limits())
    assert sum(part.stop - part.start for part in read) <= len(LONG) + 2 * inspection.HEAD
    assert {index.paths[row] for row in index.inspected} == {b"whole"}
    file.close()


def test_a_plain_report_takes_no_sums_and_asks_for_programs_only(tmp_path):
    (tmp_path / "a").write_bytes(build.docker_save(build.Image([LAYER])))
    image = api.load(str(tmp_path / "a"))
    assert image.inspected == {"java", "golang", "python", "rust", "busybox", "packed", "symbols"}
    assert not image.layers[0].index.sums
    image = api.load(str(tmp_path / "a"), sums=True, inspectors=[noting()])
    assert image.inspected == {"java", "golang", "python", "rust", "busybox", "packed", "symbols", "sums", "all"}
    assert image.layers[0].index.sums


def test_a_fingerprint_tells_who_looks_and_for_what():
    one, other = noting("a"), noting("b")
    same = {Inspectors([one, other]).fingerprint, Inspectors([other, one]).fingerprint}
    assert len(same) == 1
    others = (Inspectors(), Inspectors([one]), Inspectors([one], sums=lambda _: True), Inspectors([noting("a", version="2")]))
    assert len({each.fingerprint for each in others} | same | {Inspectors([noting("a", first=1)]).fingerprint}) == 6
