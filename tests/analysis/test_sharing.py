"""Layers that several images have are counted once together."""

from __future__ import annotations

import json

import jsonschema
from build import Image, docker_save, layer, oci_archive
from layerscope import api
from layerscope.cli.session import run
from layerscope.render.options import Options
from layerscope.render.schemas import schema_text
from layerscope.render.sharing import SHARING_FORMATS

BASE = layer({"bin/sh": b"s" * 1000})


def write(folder):
    one = Image([BASE, layer({"a": b"1" * 100})], tags=["one:1"], history=["ADD base", "COPY a"])
    two = Image([BASE, layer({"b": b"2" * 10}), layer({"c": b"3"})], tags=["two:1"])
    (folder / "one.tar").write_bytes(docker_save(one))
    (folder / "two.tar").write_bytes(oci_archive(two))
    (folder / "both.tar").write_bytes(docker_save([one, two]))
    return str(folder / "one.tar"), str(folder / "two.tar"), str(folder / "both.tar")


def test_sharing(tmp_path):
    one, two, both = write(tmp_path)
    sharing, complete = api.compare([one, two])
    assert complete
    assert sharing.disk == (1100, 1011)
    assert sharing.own == (100, 11)
    assert (sharing.shared_bytes, sharing.together_disk, sharing.pair(0, 1)) == (1000, 1111, 1000)
    assert [blob.places for blob in sharing.blobs] == [(0, 0), (1, None), (None, 1), (None, 2)]
    assert sharing.together_pull == sum(blob.pull for blob in sharing.blobs)
    again, _ = api.compare([both])
    assert (again.disk, again.own) == (sharing.disk, sharing.own)


def test_formats(tmp_path, capsys):
    one, two, _ = write(tmp_path)
    sharing, _ = api.compare([one, two])
    jsonschema.validate(json.loads(SHARING_FORMATS["json"](sharing, Options())), json.loads(schema_text("compare")))
    text = SHARING_FORMATS["text"](sharing, Options())
    assert max(map(len, text.splitlines())) <= 80
    assert "  #  #      1 kB  ADD base\n" in text
    assert "1.11 kB on disk" in SHARING_FORMATS["markdown"](sharing, Options())
    assert run(["compare", one]) == 2
    assert run(["compare", one, two, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["shared_bytes"] == 1000
