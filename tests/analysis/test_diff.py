"""Two builds of one image are told apart: totals, layers, packages, causes, paths, and what a push uploads."""

from __future__ import annotations

import json

import jsonschema
import pytest
from build import Dir, File, Image, docker_save, layer, oci_archive
from layerscope import api
from layerscope.cli.session import run
from layerscope.render.diff import DIFF_FORMATS
from layerscope.render.options import Options
from layerscope.render.schemas import schema_text

BASE = "ADD file:" + "0" * 64 + " in /"
HISTORY = [BASE, "COPY . .", "RUN npm ci"]


def build(version, *, more=None, stamp=0):
    """Return an image whose install step is always run again: its files have new times."""
    modules = {f"app/node_modules/{name}/index.js": File(name * 500, mtime=stamp) for name in "abcdef"}
    return Image(
        [
            layer({"bin": Dir(), "bin/sh": b"s" * 1000}),
            layer({"app/main.js": b"%d" % version, "app/same.js": b"same" * 25}),
            layer(modules | (more or {})),
        ],
        history=HISTORY,
        tags=[f"app:{version}"],
    )


@pytest.fixture
def pair(tmp_path):
    old, new = build(1), build(2, more={"app/node_modules/g/index.js": b"g" * 700}, stamp=9)
    (tmp_path / "old.tar").write_bytes(docker_save(old))
    (tmp_path / "new.tar").write_bytes(docker_save(new))
    (tmp_path / "new.oci.tar").write_bytes(oci_archive(new))
    return tmp_path


@pytest.mark.parametrize("name", ["new.tar", "new.oci.tar"])
def test_images(pair, name):
    made = api.diff(*api.load_pair(str(pair / "old.tar"), str(pair / name)))
    assert made.differs
    assert [(row.change, row.bytes) for row in made.layers] == [("same", 0), ("changed", 0), ("changed", 700)]
    assert [(row.change, row.path, row.bytes) for row in made.files] == [
        ("added", b"app/node_modules/g/index.js", 700),
        ("changed", b"app/main.js", 0),
    ]
    push = made.push
    assert [(one.layer, one.content, one.changed, one.because) for one in push.uploads] == [
        (1, 101, 1, None),
        (2, 3700, 700, 1),
    ]
    text = DIFF_FORMATS["text"](made, Options())
    assert max(map(len, text.splitlines())) <= 80
    assert "layer 2  RUN npm ci: 3 kB the same as before" in text


def test_the_same_image_in_two_formats(pair):
    made = api.diff(*api.load_pair(str(pair / "new.tar"), str(pair / "new.oci.tar")))
    assert not made.differs
    assert not made.push.uploads
    assert "Nothing to upload" in DIFF_FORMATS["text"](made, Options())


def test_formats(pair):
    made = api.diff(*api.load_pair(str(pair / "old.tar"), str(pair / "new.tar")))
    for files in (False, True):
        document = json.loads(DIFF_FORMATS["json"](made, Options(files=files)))
        jsonschema.validate(document, json.loads(schema_text("diff")))
        assert (document["files"] is not None) == files
    assert DIFF_FORMATS["markdown"](made, Options()).startswith("### `app:2`: ")


def test_a_saved_report_will_do(pair, capsys):
    old, new = str(pair / "old.tar"), str(pair / "new.tar")
    assert run(["report", old, "--output", str(pair / "old.json")]) == 0
    assert run(["diff", str(pair / "old.json"), new, "--exit-code"]) == 1
    text = capsys.readouterr().out
    assert "app:1 -> app:2" in text
    assert "A PUSH" not in text
    assert run(["diff", old, old, "--exit-code"]) == 0
    assert run(["diff", old, new]) == 0
    (pair / "other.json").write_text("{}")
    assert run(["diff", str(pair / "other.json"), new]) == 2
    assert "no report of layerscope" in capsys.readouterr().err


def test_packages_and_causes(tmp_path):
    from analysis.make import dpkg

    def write(name, *packages):
        (tmp_path / name).write_bytes(docker_save(Image([layer(dpkg(*packages))])))
        return str(tmp_path / name)

    old = write("old.tar", ("a", "", "", {"usr/a": b"1"}), ("b", "", "", {"usr/b": b"1" * 10}))
    new = write("new.tar", ("a", "", "", {"usr/a": b"1" * 5}), ("c-dev", "", "", {"usr/c": b"1" * 100}))
    made = api.diff(*api.load_pair(old, new))
    assert [(row.change, row.name, row.bytes) for row in made.packages] == [
        ("added", "c-dev", 100),
        ("removed", "b", -10),
        ("grown", "a", 4),
    ]
    assert [(row.id, row.bytes) for row in made.causes] == [("build-only-packages", 100)]


def test_a_copy_of_other_files_is_the_same_instruction(tmp_path):
    histories = [[BASE, f"COPY dir:{letter * 12} in /app"] for letter in "ab"]
    images = [
        Image([layer({"a": b"a"}), layer({"app/x": data})], history=rows)
        for data, rows in zip((b"1", b"22"), histories, strict=True)
    ]
    for name, one in zip(("old", "new"), images, strict=True):
        (tmp_path / f"{name}.tar").write_bytes(docker_save(one))
    made = api.diff(*api.load_pair(str(tmp_path / "old.tar"), str(tmp_path / "new.tar")))
    assert [(row.change, row.bytes) for row in made.layers] == [("same", 0), ("changed", 1)]


def test_the_fix_is_that_of_the_cause_that_grew(tmp_path):
    base = layer({"tmp/large": b"l" * 9000})
    for name, size in (("old", 10), ("new", 500)):
        one = Image([base, layer({"tmp/a": b"a" * 3000}), layer({"tmp/b": b"b" * size})], history=[BASE, "RUN a", "RUN b"])
        (tmp_path / f"{name}.tar").write_bytes(docker_save(one))
    made = api.diff(*api.load_pair(str(tmp_path / "old.tar"), str(tmp_path / "new.tar")))
    (cause,) = made.causes
    assert (cause.id, cause.bytes) == ("temporary-files", 490)
    assert "layer 2" in cause.fix
