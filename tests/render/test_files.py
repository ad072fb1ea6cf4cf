"""Rows of files from an image and its stack."""

from __future__ import annotations

from array import array
from dataclasses import replace

from layerscope.analysis.files import list_files
from layerscope.model import Fate, Kind
from layerscope.rootfs.stack import Stack

from render.specimens import make_index, make_layer, make_report


def test_every_row_once():
    index = replace(
        make_index(), paths=[b"a", b"b"], kinds=bytearray([Kind.FILE, Kind.HARDLINK]), sizes=array("q", [5, 0]),
        modes=array("l", [0o644, 0o644]), uids=array("q", [0, 1]), gids=array("q", [0, 1]), links={1: b"a"},
    )  # fmt: skip
    layers = [
        make_layer(0, index=index),
        make_layer(1, same_as=0),
        make_layer(2, index=None, blob_bytes=None),
        make_layer(3, index=index),
    ]
    image = make_report(layers).image
    stack = Stack(
        starts=(0, 2, 2, 2, 4),
        fates=bytearray([Fate.REPLACED, Fate.REPLACED, Fate.LIVE, Fate.LIVE]),
        ended=array("l", [3, 3, -1, -1]), inodes={1: 0, 3: 2}, names={}, visible={},
    )  # fmt: skip
    rows = list_files(image, stack, lambda row: f"owner {row}")
    assert [(row.path, row.layer, row.ended_by, row.owner) for row in rows] == [
        (b"a", 0, 3, "owner 0"),
        (b"b", 0, 3, "owner 1"),
        (b"a", 3, None, "owner 2"),
        (b"b", 3, None, "owner 3"),
    ]
    assert rows[1].link == b"a"
    assert rows[0].bytes == 5
