"""Two files have one number exactly where they hold the same bytes, however long they are and wherever they lie."""

from __future__ import annotations

from array import array
from collections.abc import Collection

import build
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st
from layerscope import api
from layerscope.archive import equal
from layerscope.archive.equal import CHUNK, Place, mark_equal
from layerscope.archive.feed import Feed
from layerscope.archive.limits import Limits
from layerscope.archive.prints import PRINTS, SMALL
from layerscope.archive.tar.reader import read_tar

LENGTHS = (1, 2, 511, 512, 513, SMALL - 1, SMALL, SMALL + 1, CHUNK, CHUNK + 7)


def content(length: int, kind: int) -> bytes:
    """Return bytes of a length that differ, if at all, in one octet: the last."""
    return bytes(length - 1) + bytes((kind,))


def marked(layers: list[dict[str, bytes]], passing: Collection[int] = ()):
    """Return the indexes of layers that lie in place, or pass, compared with one another, and the labels."""
    indexes, places = [], []
    for number, files in enumerate(layers):
        data = build.layer(files)
        passes = number in passing
        feed = Feed.of(iter((data,))) if passes else Feed.over(data, 0, len(data))
        indexes.append(read_tar(feed, limits=Limits()))
        if not passes:
            places.append(Place(indexes[-1], data, 0))
    return indexes, mark_equal(indexes, places, PRINTS)


def compared(
    layers: list[dict[str, bytes]], passing: Collection[int] = ()
) -> tuple[dict[tuple[int, str], int], dict[int, bytes]]:
    """Return the numbers by layer and path, and the labels."""
    found = {}
    indexes, labels = marked(layers, passing)
    for number, index in enumerate(indexes):
        assert not index.prints  # they have done their work
        assert not index.labels
        found.update({(number, index.paths[row].decode()): content for row, content in enumerate(index.contents) if content})
    return found, labels


files = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d", "e"]), st.builds(content, st.sampled_from(LENGTHS), st.integers(0, 2)), min_size=1
)


@given(st.lists(files, min_size=1, max_size=4), st.sets(st.integers(0, 3)))
def test_numbers_are_equal_exactly_where_contents_are(layers, passing):
    given_ = {(number, path): data for number, layer in enumerate(layers) for path, data in layer.items()}
    found, labels = compared(layers, passing)
    for one, data in given_.items():
        for other, twin in given_.items():
            if one < other:
                same = one in found and found[one] == found.get(other)
                assert same == (data == twin), (one, other)
                if same and one[1] != other[1]:
                    assert labels[found[one]] == xxhash.xxh128_digest(data)


@pytest.mark.parametrize("length", LENGTHS)
def test_what_lies_under_several_paths_has_a_label(length):
    data = content(length, 7)
    found, labels = compared([{"a": data, "b": data, "c": content(length, 8)}, {"a": data}])
    assert {found[0, "a"], found[0, "b"], found[1, "a"]} == set(labels)
    assert list(labels.values()) == [xxhash.xxh128_digest(data)]
    assert (0, "c") not in found


def test_what_lies_under_one_path_has_none():
    found, labels = compared([{"a": b"same"}, {"a": b"same"}])
    assert found[0, "a"] == found[1, "a"]
    assert not labels


def test_each_of_many_files_of_one_size_is_read_once(monkeypatch):
    """Whoever makes thousands of files of one length gets no comparison of each with each."""
    read = []
    real = Place.pieces
    monkeypatch.setattr(Place, "pieces", lambda place, row: read.append(row) or real(place, row))
    compared([{f"f{number}": content(SMALL + 1, number % 256) + bytes((number // 256,)) for number in range(300)}])
    assert len(read) == 300


def test_a_large_file_that_no_other_is_as_long_as_is_not_read(monkeypatch):
    monkeypatch.setattr(Place, "pieces", None)
    assert compared([{"a": bytes(SMALL + 1), "b": bytes(SMALL + 2)}]) == ({}, {})


def test_what_is_equal_is_held_once():
    """Layers that a chown copied name the same files: neither their paths nor what is kept of them is in memory twice."""
    layers = []
    for _ in range(2):
        data = build.layer({"folder/kept": b"what it holds", "folder/other": b"something else"})
        index = read_tar(Feed.over(data, 0, len(data)), limits=Limits(), keep=lambda path: path.endswith(b"kept"))
        layers.append(Place(index, data, 0))
    one, two = (place.index for place in layers)
    mark_equal([one, two], layers, PRINTS)
    row = one.paths.index(b"folder/kept")
    assert one.kept == two.kept == {row: b"what it holds"}
    assert one.kept[row] is two.kept[row]
    assert one.paths[row] is two.paths[row]


named = st.tuples(st.sampled_from([b"one", b"two", b"three"]), st.sampled_from([0, 1, 2, -5, 1 << 40]))


@pytest.mark.skipif(equal.quick.number_equal is None, reason="the compiled part is absent")
@given(st.lists(st.lists(named, max_size=8), max_size=4))
def test_the_compiled_part_numbers_what_is_equal_as_python_does(layers):
    prints = array("q", (number for rows in layers for _, number in rows)).tobytes()
    found = []
    for number in (equal.number_equal, equal.quick.number_equal):
        columns = [[bytes(bytearray(path)) for path, _ in rows] for rows in layers]
        told = number(prints, columns)
        paths = [path for column in columns for path in column]
        first = {id(path): place for place, path in reversed(list(enumerate(paths)))}
        found.append((told, columns, [first[id(path)] for path in paths]))
    assert found[0] == found[1]


@pytest.mark.skipif(equal.quick.number_equal is None, reason="the compiled part is absent")
def test_columns_that_are_none_are_refused():
    for prints, made in ((bytes(8), []), (b"", [[b"a"]]), (bytes(8), [[]]), (bytes(8), [(b"a",)]), (bytes(8), [b"a"])):
        with pytest.raises(ValueError, match="columns"):
            equal.quick.number_equal(prints, made)


class Grudge:
    """Compares itself with nobody."""

    def __eq__(self, other):
        raise ZeroDivisionError

    __hash__ = None


@pytest.mark.skipif(equal.quick.number_equal is None, reason="the compiled part is absent")
def test_an_error_comes_through():
    with pytest.raises(ZeroDivisionError):
        equal.quick.number_equal(array("q", [7, 7]).tobytes(), [[Grudge(), Grudge()]])


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_paths_of_equal_files_in_layers_that_passed_are_one_object(codec, tmp_path):
    layers = [build.layer({"a": b"same", "b": b"one"}), build.layer({"a": b"same", "b": b"two"})]
    (tmp_path / "image").write_bytes(build.docker_save(build.Image(layers, codec=codec)))
    below, above = (layer.index for layer in api.load(str(tmp_path / "image")).layers)
    assert below.paths == above.paths == [b"a", b"b"]
    assert below.paths[0] is above.paths[0]
    assert below.contents[0] == above.contents[0] != 0
    assert [below.contents[1], above.contents[1]] == [0, 0]


@pytest.mark.parametrize("passes", [False, True])
def test_sparse_files_are_compared_by_what_they_hold(passes):
    """Not by what is stored of them, which is the same here."""
    data = build.tar(
        build.sparse_pax("a", [(0, b"x" * 600)], 2000), build.sparse_pax("b", [(1000, b"x" * 600)], 2000), build.sparse_pax("c", [(0, b"x" * 600)], 2000),
        build.entry("d", b"x" * 600), build.entry("e", b"x" * 600 + bytes(1400)),
    )  # fmt: skip
    feed = Feed.of(iter((data,))) if passes else Feed.over(data, 0, len(data))
    index = read_tar(feed, limits=Limits())
    mark_equal([index], [] if passes else [Place(index, data, 0)], PRINTS)
    contents = dict(zip(index.paths, index.contents, strict=True))
    assert contents[b"a"] == contents[b"c"] == contents[b"e"] != 0
    assert [contents[b"b"], contents[b"d"]] == [0, 0]


@pytest.mark.parametrize("codec", [None, "gzip"])
def test_what_a_hard_link_keeps_has_a_label(codec, tmp_path):
    """Its path is that of another file with the same content."""
    lower, upper = build.tar(build.entry("a", b"same"), build.entry("b", type=b"1", link="a")), build.layer({"a": b"same"})
    path = tmp_path / "image"
    path.write_bytes(build.docker_save(build.Image([lower, upper], codec=codec)))
    (found,) = api.analyze(api.load(str(path))).duplicates
    assert found.digest == f"xxh128:{xxhash.xxh128_hexdigest(b'same')}"
    assert found.copies == 2


@pytest.mark.parametrize("other", [build.entry(".wh.q", b"same"), build.entry("./", b"same"), build.entry("d/..", b"same")])
def test_what_is_no_file_is_like_none(other: bytes):
    data = build.tar(build.entry("a", b"same"), other)
    place = Place(read_tar(Feed.over(data, 0, len(data)), limits=Limits()), data, 0)
    mark_equal([place.index], [place], PRINTS)
    assert list(place.index.sizes) == [4, 0]
    assert list(place.index.contents) == [0, 0]
