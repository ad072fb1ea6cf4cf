"""What is packed comes back the same, whatever paths and times there are, and nothing else comes back."""

from __future__ import annotations

import tracemalloc
from array import array
from dataclasses import replace

import pytest
import zstandard
from layerscope import api
from layerscope.analysis.causes import Certainty
from layerscope.cli import packing
from layerscope.model import Image, LayerIndex
from layerscope.report import Report
from render.specimens import make_index


def index(paths, mtimes):
    count = len(paths)
    return replace(
        make_index(), paths=list(paths), folders=[b"a"] * count, kinds=bytearray(count), mtimes=list(mtimes),
        contents=array("i", range(count)), kept={0: b"text"},
    )  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        index([], []), index([b""], [0]), index([b"", b""], [0, 1]), index([b"a", b"a/b"], [-1, 1 << 62]),
        index([b"a\0b", b"c"], [1, 2]), index([b"\0"], [1]), index([b"\n", b"\xff"], [1, 2]), index([b"a"], [10**30]),
    ],
)  # fmt: skip
def test_the_files_of_a_layer_come_back(value):
    data = packing.pack(value)
    assert data is not None
    found = packing.unpack(data, LayerIndex)
    assert found == value
    assert [type(getattr(found, name)) for name in LayerIndex.__match_args__] == [
        type(getattr(value, name)) for name in LayerIndex.__match_args__
    ]
    assert all(one is found.folders[0] for one in found.folders)


@pytest.mark.parametrize("name", ["node-app.docker.tar", "debian.docker25.tar", "every-waste.docker.tar"])
def test_an_image_and_its_report_come_back(name):
    image = api.load(f"fixtures/{name}")
    made = api.analyze(image)
    again, told = packing.unpack(packing.pack(image), Image), packing.unpack(packing.pack(made), Report)
    assert again == image
    assert api.analyze(again) == made
    assert told.totals() == made.totals()
    assert list(told.duplicates) == list(made.duplicates)
    assert (told.books, told.causes, told.exposures) == (made.books, made.causes, made.exposures)
    assert not any(cause.rows for cause in told.causes)
    assert not told.ownership.column


def test_layers_are_not_in_memory_once_more():
    layers = [replace(index([], []), **{name: array("q", bytes(4 << 20)) for name in ("sizes", "offsets", "spans")})]
    layers += [index([b"a" * 100] * 40_000, [0] * 40_000) for _ in range(5)]
    tracemalloc.start()
    try:
        data = packing.pack(layers)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 13_000_000
    assert data is not None
    assert packing.unpack(data, list) == layers


def test_more_paths_than_rows_are_not_made():
    kind, row = packing._Press()(index([b"a", b"b"], [1, 2]))
    columns = dict(zip(kind.__match_args__, row, strict=True)) | {"paths": b"\0" * 1000, "mtimes": [1, 2]}
    assert len(packing._unpress(*columns.values()).paths) == 3


@pytest.mark.parametrize("value", [Certainty.FACT, {"a": array("q", [1])}, frozenset({b"x"}), bytearray(b"y")], ids=repr)
def test_plain_data_comes_back(value):
    assert packing.unpack(packing.pack(value), type(value)) == value


@pytest.mark.parametrize(
    "name", ["builtins.print", "os.system", "layerscope.api.load", "layerscope.cli.session.main", "array.x"]
)
def test_nothing_else_comes_back(name):
    words = b"".join(b"\x8c" + bytes([len(word)]) + word.encode() for word in name.rsplit(".", 1))
    assert packing.unpack(zstandard.compress(b"\x80\x04" + words + b"\x93."), object) is None
