"""Folders sum what is in them."""

from __future__ import annotations

import json

import jsonschema
from build import tar, whiteout
from layerscope import api
from layerscope.analysis.folders import sum_folders
from layerscope.render.folders import FOLDER_FORMATS
from layerscope.render.options import Options
from layerscope.render.schemas import schema_text

from analysis.make import image


def rows(depth, **options):
    made = image({"a/b/c": b"x" * 10, "a/d": b"x" * 5, "e": b"x"}, tar(whiteout("a/b")))
    return made, sum_folders(api.list_files(made), depth, **options)


def test_sums():
    _, found = rows(2)
    assert [(row.path, row.bytes, row.live_bytes, row.files, row.depth) for row in found] == [
        (b"", 16, 6, 3, 0),
        (b"a", 15, 5, 2, 1),
        (b"a/b", 10, 0, 1, 2),
        (b"a/d", 5, 5, 1, 2),
        (b"e", 1, 1, 1, 1),
    ]


def test_small_ones_are_left_out_and_order_is_chosen():
    assert [row.path for row in rows(2, least=5)[1]] == [b"", b"a", b"a/b", b"a/d"]
    assert [row.path for row in rows(1, sort="path")[1]] == [b"", b"a", b"e"]


def test_formats():
    made, found = rows(2)
    text = FOLDER_FORMATS["text"](made, found, Options())
    assert "\n     15 B     10 B        2  /a\n" in text
    document = json.loads(FOLDER_FORMATS["json"](made, found, Options()))
    jsonschema.validate(document, json.loads(schema_text("files")))
    assert FOLDER_FORMATS["csv"](made, found, Options()).count("\r\n") == 6
