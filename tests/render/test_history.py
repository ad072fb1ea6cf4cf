"""What does the command that tells of the history print?"""

from __future__ import annotations

import csv
import io
import json

import jsonschema
import pytest
from analysis.make import image
from layerscope import api
from layerscope.render.history import HISTORY_FORMATS
from layerscope.render.options import Options
from layerscope.render.schemas import schema_text

BASE = "/bin/sh -c #(nop) ADD file:" + "0" * 64 + " in / "
LONG = "RUN " + " && ".join(f"step-{number}" for number in range(40))
HISTORY = [BASE, '#CMD ["sh"]', "#ENV API_TOKEN=Shiy5oh58Zl5zMdFOocAtpu81xsIW A=b", LONG, "RUN c", "#CMD [x]", "RUN d"]
TEXT = """\
row  layer     size   hidden     pull  instruction
2024-01-01, base image
  0      0     10 B     10 B      96 B  ADD file:000000000000 in /
  1         replaced by 5               CMD ["sh"]
2024-01-01
  2         in force                    ENV API_TOKEN=*** A=b
  3      1     20 B        0      96 B  RUN step-0 && step-1 && step-2 && ste...
  4      2        0        0      96 B  RUN c
  5         in force                    CMD [x]
  6         no such layer               RUN d
                ---      ---       ---
               30 B     10 B     288 B  all
"""


@pytest.fixture(scope="module")
def told():
    trees = ({"a": b"x" * 10}, {"a": b"x" * 20}, {})
    return api.history(image(*trees, history=HISTORY, Cmd=["x"], Env=["API_TOKEN=Shiy5oh58Zl5zMdFOocAtpu81xsIW", "A=b"]))


def write(told, name, **options):
    return HISTORY_FORMATS[name](told, Options(**options))


def test_the_screen(told):
    lines = [(line[:31], line[38:]) for line in write(told, "text").splitlines()]
    wanted = [(line[:31], line[38:]) for line in TEXT.splitlines()]
    assert [line for line, _ in lines] == [line for line, _ in wanted]
    assert [line for _, line in lines[2:-2]] == [line for _, line in wanted[2:-2]]


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("raw", [False, True])
def test_no_line_is_too_long(told, width, raw):
    assert max(map(len, write(told, "text", width=width, raw=raw).splitlines())) <= width


def test_raw_is_whole(told):
    text = write(told, "text", raw=True)
    assert all(f"step-{number}" in text for number in range(40))
    assert "/bin/sh -c #(nop)" in text


@pytest.mark.parametrize("name", HISTORY_FORMATS)
@pytest.mark.parametrize("raw", [False, True])
def test_secrets_are_never_shown(told, name, raw):
    text = write(told, name, raw=raw)
    assert "API_TOKEN" in text
    assert "Shiy5oh5" not in text


def test_json_is_what_its_schema_says(told):
    document = json.loads(write(told, "json"))
    jsonschema.Draft202012Validator(json.loads(schema_text("history"))).validate(document)
    assert [step["layer"] for step in document["steps"]] == [0, None, None, 1, 2, None, None]
    assert sum(step["content_bytes"] or 0 for step in document["steps"]) == 30
    assert document["steps"][1]["effects"] == [{"what": "CMD", "state": "replaced", "by": 5}]
    assert document["steps"][0]["created_by"] == BASE
    assert document["image"]["base"]["how"] == "history"


def test_tables_are_rectangles(told):
    rows = list(csv.reader(io.StringIO(write(told, "csv"))))
    assert {len(row) for row in rows} == {10}
    assert rows[2][7] == "CMD: replaced by 5"
    table = [line for line in write(told, "markdown").splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(told.steps)
    assert {line.replace("\\|", "").count("|") for line in table} == {8}
