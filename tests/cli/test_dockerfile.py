"""A report that is told which Dockerfile made the image."""

from __future__ import annotations

import csv
import io
import json

import jsonschema
import pytest
from layerscope.cli import session
from layerscope.render.schemas import schema_text

DOCKERFILE = """\
FROM debian:12
RUN useradd node && \\
    apt-get update && apt-get install -y build-essential
ENV NODE_VERSION=20.17.0
COPY node-v${NODE_VERSION}/ /usr/local/
WORKDIR /app
COPY . .
RUN npm ci
RUN npm run build:prod
RUN chown -R node:node /app
"""


@pytest.fixture
def run(fixtures_dir, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)

    def call(*words, code=0):
        assert session.run(["report", str(fixtures_dir / "node-app.docker.tar"), "--dockerfile", *words]) == code
        out, err = capsys.readouterr()
        return out if code == 0 else err

    return call


def test_layers_and_causes_tell_their_lines(run):
    text = run("Dockerfile")
    assert "layer 5 (Dockerfile:8)  RUN npm ci" in text
    assert "hidden by layer 7 (Dockerfile:10)  RUN chown" in text
    table = {line.split()[0]: line for line in text[text.index("LAYERS") : text.index("PACKAGES")].splitlines()[1:-3]}
    assert "  5  COPY node-v20.17.0/" in table["2"]
    assert "  9?  RUN npm run build" in table["6"]
    assert max(map(len, text.splitlines())) <= 80


def test_json_tells_lines_and_the_base(run):
    document = json.loads(run("Dockerfile", "--format", "json"))
    jsonschema.Draft202012Validator(json.loads(schema_text("report"))).validate(document)
    assert document["layers"][0]["dockerfile"] is None
    assert document["layers"][1]["dockerfile"] == {"line": 2, "end": 3, "sure": True}
    assert document["layers"][6]["dockerfile"] == {"line": 9, "end": 9, "sure": False}
    assert document["image"]["base"] == {"name": "debian:12", "digest": None, "layers": 1, "how": "dockerfile"}
    assert document["dockerfile"]["path"] == "Dockerfile"


def test_another_dockerfile_is_not_answered_from_memory(run, tmp_path):
    assert json.loads(run("Dockerfile", "--format", "json"))["layers"][5]["dockerfile"]["line"] == 8
    (tmp_path / "Dockerfile").write_text("\n" + DOCKERFILE)
    assert json.loads(run("Dockerfile", "--format", "json"))["layers"][5]["dockerfile"]["line"] == 9


def test_tables_and_markdown_tell_lines(run):
    rows = list(csv.DictReader(io.StringIO(run("Dockerfile", "--table", "layers"))))
    assert [row["dockerfile_line"] for row in rows][:7] == ["", "2", "5", "6", "7", "8", "9?"]
    assert "`Dockerfile:8`" in run("Dockerfile", "--format", "markdown")


@pytest.mark.parametrize(
    ("text", "said"),
    [("RUN x", "no FROM"), ("#\n" * 20_001, "at most"), (b"\xff", "not UTF-8"), (None, "No such file")],
)
def test_wrong_files_are_wrong_usage(run, tmp_path, text, said):
    if text is None:
        (tmp_path / "Dockerfile").unlink()
    elif isinstance(text, bytes):
        (tmp_path / "Dockerfile").write_bytes(text)
    else:
        (tmp_path / "Dockerfile").write_text(text)
    assert said in run("Dockerfile", code=2)


def test_a_dockerfile_of_another_image_is_told(fixtures_dir, tmp_path, capsys):
    other = tmp_path / "Dockerfile"
    other.write_text("FROM golang:1.22\nRUN go build ./...\n")
    assert session.run(["report", str(fixtures_dir / "node-app.docker.tar"), "--dockerfile", str(other)]) == 0
    assert capsys.readouterr().err == f"{other}: none of its instructions made this image\n"
