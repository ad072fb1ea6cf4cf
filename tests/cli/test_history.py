"""The command that tells of the history, on the project's own images."""

from __future__ import annotations

import json

import pytest
from layerscope.analysis.dockerfile import read_instructions
from layerscope.cli import session


@pytest.fixture
def run(fixtures_dir, capsys):
    def call(image, *words, code=0):
        assert session.run(["history", str(fixtures_dir / image), *words]) == code
        out, err = capsys.readouterr()
        return out if code == 0 else err

    return call


IMAGES = ["node-app.docker.tar", "python-app.oci-zstd.tar", "alpine.oci.tar", "debian.docker25.tar", "every-waste.docker.tar"]


@pytest.mark.parametrize("image", IMAGES)
def test_the_sums_are_the_reports(run, image, fixtures_dir, capsys):
    document = json.loads(run(image, "--format", "json"))
    assert session.run(["report", str(fixtures_dir / image), "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    steps = [step for step in document["steps"] if step["layer"] is not None]
    assert [step["layer"] for step in steps] == [layer["index"] for layer in report["layers"]]
    for column in ("content_bytes", "pull_bytes"):
        assert sum(step[column] or 0 for step in steps) == report["totals"][column]
    assert [step["instruction"] for step in steps] == [layer["instruction"] for layer in report["layers"]]


@pytest.mark.parametrize("image", IMAGES)
def test_a_dockerfile_has_every_run(run, image):
    document = json.loads(run(image, "--format", "json"))
    made = read_instructions(run(image, "--dockerfile"))
    runs = [step["instruction"] for step in document["steps"] if step["instruction"].startswith("RUN ")]
    assert [f"{one.verb} {one.text}" for one in made if one.verb == "RUN"] == runs
    assert made[0].verb == "FROM"


def test_a_dockerfile_goes_to_a_file_of_any_name(run, tmp_path):
    assert not run("alpine.oci.tar", "--dockerfile", "--output", str(tmp_path / "Dockerfile"))
    assert (tmp_path / "Dockerfile").read_text().startswith("# Made again")


def test_an_image_that_is_not_the_base_gives_no_name(run, fixtures_dir):
    text = run("node-app.docker.tar", "--dockerfile", "--base", str(fixtures_dir / "debian.docker25.tar"))
    assert "FROM scratch\n" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--dockerfile", "--format", "json"), "--dockerfile writes a Dockerfile"),
        (("--dockerfile", "--raw"), "--dockerfile writes a Dockerfile"),
        (("--format", "yaml"), "There are: text, json, markdown, csv"),
    ],
)
def test_wrong_usage(run, words, said):
    assert said in run("alpine.oci.tar", *words, code=2)
