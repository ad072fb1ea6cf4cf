"""What other images bring along need not be pulled; and what each package and path costs to pull."""

from __future__ import annotations

import gzip
import json
import zlib
from random import Random

import jsonschema
import pytest
from build import Image, docker_save, layer, oci_archive
from layerscope import api
from layerscope.cli.session import run
from layerscope.render.schemas import schema_text

from analysis.make import dpkg

BASE, APP, OTHER = layer({"bin/sh": b"s" * 1000}), layer({"a": b"1" * 100}), layer({"b": b"2" * 10})


@pytest.fixture
def archives(tmp_path):
    (tmp_path / "app.tar").write_bytes(docker_save(Image([BASE, APP, BASE, OTHER], tags=["app:1"])))
    (tmp_path / "base.tar").write_bytes(oci_archive(Image([BASE], tags=["base:1"])))
    (tmp_path / "two.tar").write_bytes(docker_save([Image([APP], tags=["one:1"]), Image([OTHER], tags=["two:1"])]))
    return {name: str(tmp_path / f"{name}.tar") for name in ("app", "base", "two")}


def test_layers_are_known_by_diff_id_also_when_one_is_compressed(archives):
    made = api.analyze(api.load(archives["app"]))
    pulls = [row.pull_bytes for row in made.books.layers]
    held = api.hold(made, [archives["base"]]).held
    assert (held.layers, held.held_bytes, held.left_bytes) == ((0, 2), pulls[0], pulls[1] + pulls[3])
    assert held.held_bytes + held.left_bytes == made.books.pull_bytes
    all_there = api.hold(made, [archives["base"], archives["two"]]).held
    assert (all_there.layers, all_there.left_bytes) == ((0, 1, 2, 3), 0)
    assert api.hold(made, [archives["two"]]).held.layers == (1, 3)


def test_a_store_of_chains_takes_only_the_lowest(archives, tmp_path, capsys):
    made = api.analyze(api.load(archives["app"]))
    pulls = [row.pull_bytes for row in made.books.layers]
    held = api.hold(made, [archives["base"]]).held
    assert held.chain_left_bytes == held.left_bytes == pulls[1] + pulls[3]
    held = api.hold(made, [archives["two"]]).held
    assert (held.left_bytes, held.chain_left_bytes) == (pulls[0], made.books.pull_bytes)
    assert api.hold(made, [archives["base"], archives["two"]]).held.chain_left_bytes == pulls[1] + pulls[3]
    (tmp_path / "other.tar").write_bytes(docker_save(Image([OTHER, BASE, APP], tags=["other:1"])))
    held = api.hold(made, [str(tmp_path / "other.tar")]).held  # every layer is there, but none on what it lies on here
    assert (held.layers, held.left_bytes, held.chain_left_bytes) == ((0, 1, 2, 3), 0, made.books.pull_bytes)
    for other, told in (("base", False), ("two", True)):
        assert run(["report", archives["app"], "--have", archives[other]]) == 0
        assert ("for Docker's older store" in " ".join(capsys.readouterr().out.split())) is told


def test_what_is_no_known_size_is_not_told(archives):
    made = api.analyze(api.load(archives["app"], pull="off"))
    held = api.hold(made, [archives["base"]]).held
    assert (held.layers, held.held_bytes, held.left_bytes) == ((0, 2), None, None)


def test_it_is_told(archives, capsys):
    assert run(["report", archives["app"], "--have", archives["base"], "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, json.loads(schema_text("report")))
    assert document["have"]["layers"] == [0, 2]
    assert document["have"]["sources"] == [archives["base"]]
    for name in ("text", "markdown"):
        assert run(["report", archives["app"], "--have", archives["base"], "--format", name]) == 0
        told = capsys.readouterr().out.replace("\n", " ").replace("\\", "")
        assert "2 of 4 layers are there, about" in told
        assert "left to pull (less than 1 s)" in told
    assert run(["report", archives["app"], "--have", archives["app"] + "x"]) == 2
    assert run(["report", archives["app"], "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["have"] is None


def content(random, kind):
    """Return content that shrinks to nothing, to a fifth, or not at all."""
    if kind == "zeros":
        return bytes(200_000)
    if kind == "text":
        words = [random.randbytes(6).hex().encode() for _ in range(300)]
        return b" ".join(random.choices(words, k=20_000))
    return random.randbytes(200_000)


@pytest.mark.parametrize("codec", ["gzip", "none"])
def test_packages_and_paths_are_priced(codec, tmp_path):
    random = Random(5)
    trees = [
        (kind, "", "", {f"usr/lib/{kind}/{number}": content(random, kind) for number in range(3)})
        for kind in ("zeros", "text", "noise")
    ]
    tar = layer(dpkg(*trees))
    (tmp_path / "a.tar").write_bytes(oci_archive(Image([tar], codec=codec)))
    loaded = api.load(str(tmp_path / "a.tar"))
    owned = api.own(loaded, priced=True)
    told = {share.package.name: share.pull_bytes for share in owned.packages}
    for name, _, _, files in trees:
        real = len(zlib.compress(b"".join(files.values()), 6))
        assert abs(told[name] - real) < max(0.15 * real, 40_000)
    whole = len(gzip.compress(tar, 6))
    assert 0.9 * whole < sum(share.pull_bytes for share in owned.owners) <= 1.01 * whole
    files = {row.path: row.pull for row in api.list_files(loaded, priced=True)}
    assert files[b"usr/lib/noise/1"] > 190_000
    assert files[b"usr/lib/zeros/1"] < 60_000
    assert all(share.pull_bytes is None for share in api.own(loaded).packages)
    assert all(row.pull is None for row in api.list_files(loaded))


def test_prices_are_shown_as_guesses(archives, capsys):
    assert run(["packages", archives["app"], "--pull", "estimate", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, json.loads(schema_text("packages")))
    assert sum(owner["pull_estimate_bytes"] for owner in document["owners"]) > 0
    assert run(["packages", archives["app"], "--pull", "exact"]) == 0
    assert "~" in capsys.readouterr().out
    assert run(["packages", archives["app"]]) == 0
    assert "~" not in capsys.readouterr().out
    assert run(["files", archives["app"], "--pull", "estimate"]) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == ["size", "pull", "layer", "fate", "owner", "path"]
    assert run(["files", archives["app"], "--pull", "estimate", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, json.loads(schema_text("files")))
    assert all(isinstance(row["pull_estimate_bytes"], int) for row in document["files"])
    assert run(["packages", archives["app"], "--pull", "guess"]) == 2
