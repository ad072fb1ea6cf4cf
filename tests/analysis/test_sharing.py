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
    sharing, partial = api.compare([one, two])
    assert not partial
    assert sharing.disk == (1100, 1011)
    assert sharing.own == (100, 11)
    assert (sharing.shared_bytes, sharing.together_disk, sharing.pair(0, 1)) == (1000, 1111, 1000)
    assert [blob.places for blob in sharing.blobs] == [(0, 0), (1, None), (None, 1), (None, 2)]
    assert sharing.together_pull == sum(blob.pull for blob in sharing.blobs)
    again, _ = api.compare([both])
    assert (again.disk, again.own) == (sharing.disk, sharing.own)


def test_each_image_pulls_its_own_blobs(tmp_path):
    images = [save(tmp_path, "gz", BASE, {"a": b"a"}), str(tmp_path / "zst.tar")]
    (tmp_path / "zst.tar").write_bytes(oci_archive(Image([BASE, layer({"b": b"b"})], tags=["zst:1"]), usual="zstd"))
    sharing, _ = api.compare(images)
    alone = [api.analyze(api.load(image)).books.pull_bytes for image in images]
    assert list(sharing.pull) == alone
    assert sharing.blobs[0].images == (0, 1)
    assert sharing.together_pull == alone[0] + sharing.blobs[2].pull


def save(folder, name, *trees):
    image = Image([tree if isinstance(tree, bytes) else layer(tree) for tree in trees], tags=[f"{name}:1"])
    (folder / f"{name}.tar").write_bytes(docker_save(image) if name != "gz" else oci_archive(image))
    return str(folder / f"{name}.tar")


def test_the_same_files_in_layers_of_their_own(tmp_path):
    libc = {"lib/libc": b"c" * 500}
    images = [
        save(tmp_path, "one", BASE, libc | {"a": b"a" * 70, "copy": b"a" * 70}),
        save(tmp_path, "gz", BASE, libc | {"moved/a": b"a" * 70}, {"own": b"o" * 9}),
        save(tmp_path, "three", {"x": b"x"} | libc),
        save(tmp_path, "four", {"x": b"x"} | libc, {"lib/libc": b"other"}),
    ]
    sharing, _ = api.compare(images)
    # libc: in layers of one and gz, and in the layer that three and four share, though four shows it no more.
    assert (sharing.repeats.bytes, sharing.repeats.by_all) == (2 * 500 + 70, 0)
    assert {pair: size for pair, size in sharing.repeats.pairs.items() if size} == {(0, 1): 570, (0, 2): 500, (1, 2): 500}
    assert (api.compare(images[:3])[0].repeats.by_all, api.compare(images[2:])[0].repeats.bytes) == (1000, 0)
    text = SHARING_FORMATS["text"](sharing, Options())
    assert "the same files in layers of their own: 1.07 kB, which common layers would save\n" in text
    assert json.loads(SHARING_FORMATS["json"](sharing, Options()))["repeated_bytes"] == 1070


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
