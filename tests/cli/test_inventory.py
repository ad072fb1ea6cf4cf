"""The commands that tell of packages, on the project's own images."""

from __future__ import annotations

import csv
import io
import json

import jsonschema
import pytest
from layerscope.cli import inventory as commands
from layerscope.cli import session
from layerscope.packages import inventory
from layerscope.render.schemas import schema_text


@pytest.fixture
def run(fixtures_dir, capsys):
    def call(command, image, *words, code=0):
        assert session.run([command, str(fixtures_dir / image), *words]) == code
        out, err = capsys.readouterr()
        return out if code == 0 else err

    return call


def check(text, name):
    document = json.loads(text)
    jsonschema.Draft202012Validator(json.loads(schema_text(name))).validate(document)
    return document


IMAGES = ["node-app.docker.tar", "python-app.oci-zstd.tar", "alpine.oci.tar", "debian.docker25.tar", "every-waste.docker.tar"]


@pytest.mark.parametrize("image", IMAGES)
def test_documents_are_valid_and_sum(run, image):
    document = check(run("packages", image, "--format", "json"), "packages")
    report = check(run("report", image, "--format", "json"), "report")
    assert sorted(map(json.dumps, document["packages"])) == sorted(map(json.dumps, report["packages"]))
    assert sum(owner["bytes"] for owner in document["owners"]) == report["totals"]["content_bytes"]
    assert document["image"] == report["image"]
    grouped = check(run("packages", image, "--format", "json", "--group", "type"), "packages")
    assert sum(group["bytes"] for group in grouped["groups"]) == sum(row["bytes"] for row in document["packages"])
    for row in document["packages"][:5]:
        told = check(run("why", image, row["purl"], "--format", "json"), "why")
        assert told["owner"] == row["name"]


def test_a_path_and_its_owner(run):
    told = check(run("why", "node-app.docker.tar", "/app/package.json", "--format", "json"), "why")
    assert (told["kind"], told["owner"]) == ("path", "node-app")
    assert told["history"][0]["event"] == "added"
    text = run("why", "node-app.docker.tar", "/app/package.json")
    assert text.startswith("/app/package.json\n")
    assert "node-app 1.0.0 (npm)" in text


def test_text_and_table(run):
    text = run("packages", "node-app.docker.tar", "--top", "3", "--sort", "retained")
    assert text.startswith("PACKAGES")
    assert "... and" in text
    assert all(len(line) <= 80 for line in text.splitlines())
    assert run("packages", "node-app.docker.tar", "--format", "markdown").startswith("| package |")
    rows = list(csv.DictReader(io.StringIO(run("packages", "node-app.docker.tar", "--format", "csv", "--type", "npm"))))
    assert {row["type"] for row in rows} == {"npm"}
    assert run("packages", "node-app.docker.tar", "--format", "csv", "--unowned").startswith("class,bytes")
    assert run("packages", "node-app.docker.tar", "--format", "csv", "--group", "source").startswith("name,packages")
    assert "lodash" in run("why", "node-app.docker.tar", "express")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("why", "node-app.docker.tar", "expres"), "no package is called 'expres'\n  express\n"),
        (("why", "node-app.docker.tar", "app/x"), "no package is called 'app/x'; a path begins with /\n"),
        (("why", "node-app.docker.tar", "/nowhere/package.json"), "/app/package.json"),
        (("why", "node-app.docker.tar", "/"), "no layer holds"),
        (("packages", "node-app.docker.tar", "--sort", "sise"), "Did you mean 'size'"),
        (("packages", "node-app.docker.tar", "--reason", "asket"), "Did you mean 'asked'"),
        (("packages", "node-app.docker.tar", "--group", "types"), "Did you mean 'type'"),
    ],
)
def test_wrong_usage_names_the_nearest(run, words, hint):
    assert hint in run(*words, code=2)


def test_choices_are_those_of_the_inventory():
    assert (commands.REASONS, commands.SORTS, commands.GROUPS) == (inventory.REASONS, inventory.SORTS, inventory.GROUPS)


def test_reasons_are_not_cut_at_80_columns(run):
    lines = run("packages", "node-app.docker.tar").splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines if line.endswith("...")] == []
    assert next(line for line in lines if line.startswith(" g++ ")).endswith("for build-essential")
    assert next(line for line in lines if line.startswith(" man-db ")).endswith("recommended by make")
