"""JSON, CSV and Markdown."""

from __future__ import annotations

import csv
import json
import re

import jsonschema
import pytest
from layerscope.render import FILE_FORMATS, FORMATS, Options
from layerscope.render.document import files_document, report_document
from layerscope.render.schemas import SCHEMAS, schema_text
from layerscope.render.tables import TABLES

from render.specimens import HOSTILE_PATH, SPECIMENS, fat_report, some_files


def check(document, name):
    jsonschema.Draft202012Validator(json.loads(schema_text(name))).validate(document)


def objects(schema):
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for value in schema.values():
            yield from objects(value)


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_valid_and_strict(name):
    schema = json.loads(schema_text(name))
    jsonschema.Draft202012Validator.check_schema(schema)
    for part in objects(schema):
        assert part["additionalProperties"] is False
        assert part["required"] == list(part["properties"])


@pytest.mark.parametrize("name", SPECIMENS)
def test_reports_are_valid(name):
    report = SPECIMENS[name]()
    document = report_document(report)
    check(document, "report")
    text = FORMATS["json"](report, Options())
    assert json.loads(text.encode("utf-8")) == document
    assert document["complete"] is report.complete
    assert document["totals"]["layers"] == len(document["layers"])
    for key in ("content_bytes", "live_bytes", "docker_bytes", "pull_bytes"):
        assert document["totals"][key] == sum(row[key] or 0 for row in document["layers"])


def test_files_are_valid():
    report = fat_report()
    document = files_document(report.image, some_files())
    check(document, "files")
    hostile, hard, root = document["files"][2:]
    assert hostile["path_b64"]
    assert hard["link"] == "/bin/busybox"
    assert root["path"] == "/"
    text = FILE_FORMATS["json"](report.image, some_files(), Options())
    assert json.loads(text) == files_document(report.image, sorted(some_files(), key=lambda row: (-row.bytes, row.path)))
    assert json.loads(FILE_FORMATS["json"](report.image, (), Options()))["files"] == []
    text = FILE_FORMATS["json"](report.image, some_files(), Options(top=1))
    assert [row["path"] for row in json.loads(text)["files"]] == ["/app/dist/bundle.js"]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("name", SPECIMENS)
def test_tables_are_rectangles(name, table):
    text = FORMATS["csv"](SPECIMENS[name](), Options(table=table))
    rows = list(csv.reader(text.splitlines(keepends=True)))
    assert len({len(row) for row in rows}) == 1
    assert all(text.isprintable() for row in rows for text in row)


def test_the_files_table():
    rows = list(csv.DictReader(FILE_FORMATS["csv"](fat_report().image, some_files(), Options()).splitlines()))
    assert rows[0]["path"] == "/app/dist/bundle.js"
    assert rows[0]["fate"] == "replaced"
    assert len(rows) == len(some_files())
    assert HOSTILE_PATH[:1] == b"\x1b"


@pytest.mark.parametrize("name", SPECIMENS)
def test_markdown_tables_are_rectangles(name):
    text = FORMATS["markdown"](SPECIMENS[name](), Options())
    widths, inside = set(), False
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            widths.add(len(re.findall(r"(?<!\\)\|", line)))
            inside = True
        elif inside:
            assert len(widths) == 1
            widths, inside = set(), False
    assert "\x1b" not in text
    assert not re.search(r"(?<!\\)<img", re.sub(r"(?<![`\\])(`+)(?!`).*?(?<!`)\1(?!`)", "", text))


def test_markdown_says_the_verdict_first():
    lines = FORMATS["markdown"](fat_report(), Options()).splitlines()
    assert lines[0] == "## `node-app:latest`"
    assert lines[2] == "**549 MB (44 %) need not be there; 60 MB more probably not, 9 MB more perhaps not.**"
