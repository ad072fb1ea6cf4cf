"""Two files have one token exactly where they hold the same bytes, however long they are and wherever they lie."""

from __future__ import annotations

import os
import subprocess
import sys
from array import array

import build
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerscope import api
from layerscope.archive import equal
from layerscope.archive.digests import best
from layerscope.archive.equal import CHUNK, SMALL, Place, mark_equal
from layerscope.archive.feed import Feed
from layerscope.archive.limits import Limits
from layerscope.archive.tar import read_tar

LENGTHS = (1, 2, 511, 512, 513, SMALL - 1, SMALL, SMALL + 1, CHUNK, CHUNK + 7)


def content(length: int, kind: int) -> bytes:
    """Return bytes of a length that differ, if at all, in one octet: the last."""
    return bytes(length - 1) + bytes((kind,))


def marked(layers: list[dict[str, bytes]]):
    """Return the indexes of layers that lie in place, compared with one another."""
    places = []
    for files in layers:
        data = build.layer(files)
        places.append(Place(read_tar(Feed.over(data, 0, len(data)), limits=Limits()), data, 0))
    mark_equal([place.index for place in places], places)
    return [place.index for place in places]


def tokens(layers: list[dict[str, bytes]]) -> dict[tuple[int, str], bytes]:
    found = {}
    for number, index in enumerate(marked(layers)):
        assert not index.prints  # they have done their work
        found.update({(number, index.paths[row].decode()): digest for row, digest in enumerate(index.digests) if digest})
    return found


files = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d", "e"]), st.builds(content, st.sampled_from(LENGTHS), st.integers(0, 2)), min_size=1
)


@given(st.lists(files, min_size=1, max_size=4))
def test_tokens_are_equal_exactly_where_contents_are(layers):
    given_ = {(number, path): data for number, layer in enumerate(layers) for path, data in layer.items()}
    found = tokens(layers)
    for one, data in given_.items():
        for other, twin in given_.items():
            if one < other:
                same = one in found and found[one] == found.get(other)
                assert same == (data == twin), (one, other)


@pytest.mark.parametrize("length", LENGTHS)
def test_twins_under_other_paths_have_their_digest(length):
    data = content(length, 7)
    found = tokens([{"a": data, "b": data, "c": content(length, 8)}, {"a": data}])
    assert {found[0, "a"], found[0, "b"], found[1, "a"]} == {best()[1](data).digest()}
    assert (0, "c") not in found


def test_many_files_of_one_size_cost_a_fingerprint_each(monkeypatch):
    """Whoever makes thousands of files of one length gets no comparison of each with each."""
    asked = []
    real = equal.fingerprint
    monkeypatch.setattr(equal, "fingerprint", lambda data: asked.append(1) or real(data))
    tokens([{f"f{number}": content(SMALL + 1, number % 256) + bytes((number // 256,)) for number in range(300)}])
    assert len(asked) <= 2 * 300


def test_what_is_equal_is_held_once():
    """Layers that a chown copied name the same files: neither their paths nor what is kept of them is in memory twice."""
    layers = []
    for _ in range(2):
        data = build.layer({"folder/kept": b"what it holds", "folder/other": b"something else"})
        index = read_tar(Feed.over(data, 0, len(data)), limits=Limits(), keep=lambda path: path.endswith(b"kept"))
        layers.append(Place(index, data, 0))
    one, two = (place.index for place in layers)
    mark_equal([one, two], layers)
    row = one.paths.index(b"folder/kept")
    assert one.kept == two.kept == {row: b"what it holds"}
    assert one.kept[row] is two.kept[row]
    assert one.paths[row] is two.paths[row]


named = st.tuples(st.sampled_from([b"one", b"two", b"three"]), st.sampled_from([0, 1, 2, -5, 1 << 40]))


@pytest.mark.skipif(equal.quick.name_equal is None, reason="the compiled part is absent")
@given(st.lists(st.lists(named, max_size=8), max_size=4))
def test_the_compiled_part_names_what_is_equal_as_python_does(layers):
    prints = array("q", (number for rows in layers for _, number in rows)).tobytes()
    found = []
    for name in (equal.name_equal, equal.quick.name_equal):
        asked = []

        def digest_of(number, asked):
            return lambda row: asked.append((number, row)) or b"digest of %d in %d" % (row, number)

        made = [
            ([bytes(bytearray(path)) for path, _ in rows], [b"before"] * len(rows), digest_of(number, asked))
            for number, rows in enumerate(layers)
        ]
        name(prints, made)
        paths = [path for column in made for path in column[0]]
        first = {id(path): place for place, path in reversed(list(enumerate(paths)))}
        found.append(([column[:2] for column in made], asked, [first[id(path)] for path in paths]))
    assert found[0] == found[1]


@pytest.mark.skipif(equal.quick.name_equal is None, reason="the compiled part is absent")
def test_columns_that_are_none_are_refused():
    for prints, made in (
        (bytes(8), []),
        (b"", [([b"a"], [b""], len)]),
        (bytes(8), [([b"a"], [], len)]),
        (bytes(8), [([b"a"], [b""])]),
        (bytes(8), [[[b"a"], [b""], len]]),
        (bytes(8), [((b"a",), (b"",), len)]),
    ):
        with pytest.raises(ValueError, match="columns"):
            equal.quick.name_equal(prints, made)
    alike = array("q", [7, 7]).tobytes()
    with pytest.raises(ZeroDivisionError):
        equal.quick.name_equal(alike, [([b"a", b"b"], [b"", b""], lambda row: 1 // row)])


@pytest.mark.parametrize("pure", ["", "1"])
@pytest.mark.parametrize("seed", ["0", "random"])
def test_a_fixed_key_is_no_secret(seed, pure):
    """With PYTHONHASHSEED set whoever makes an image could make contents meet: then another hash, with a key of its own."""
    code = "from layerscope.archive import equal; print(equal.fingerprint is hash, equal.quick.fingerprint is None, equal.fingerprint(b'x'))"
    environment = {**os.environ, "PYTHONHASHSEED": seed, "LAYERSCOPE_PURE": pure}
    runs = [
        subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True).stdout.split()
        for _ in range(2)
    ]
    for hashed, python, _ in runs:
        assert hashed == str(seed == "random" and python == "True")
        assert python == "True" or not pure
    assert runs[0][2] != runs[1][2]


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_paths_and_digests_of_layers_that_passed_are_one_object_where_they_are_equal(codec, tmp_path):
    layers = [build.layer({"a": b"same", "b": b"one"}), build.layer({"a": b"same", "b": b"two"})]
    (tmp_path / "image").write_bytes(build.docker_save(build.Image(layers, codec=codec)))
    below, above = (layer.index for layer in api.load(str(tmp_path / "image")).layers)
    assert below.paths == above.paths == [b"a", b"b"]
    assert [one is other for one, other in zip(below.paths, above.paths, strict=True)] == [True, True]
    assert [one is other for one, other in zip(below.digests, above.digests, strict=True)] == [True, False]
    assert below.digests[1] != above.digests[1]


@pytest.mark.parametrize("other", [build.entry(".wh.q", b"same"), build.entry("./", b"same"), build.entry("d/..", b"same")])
def test_what_is_no_file_is_like_none(other: bytes):
    data = build.tar(build.entry("a", b"same"), other)
    place = Place(read_tar(Feed.over(data, 0, len(data)), limits=Limits()), data, 0)
    mark_equal([place.index], [place])
    assert list(place.index.sizes) == [4, 0]
    assert place.index.digests == [b"", b""]
