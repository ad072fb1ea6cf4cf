"""Two files have one token exactly where they hold the same bytes, however long they are and wherever they lie."""

from __future__ import annotations

import os
import subprocess
import sys

import build
import pytest
from hypothesis import given
from hypothesis import strategies as st
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
