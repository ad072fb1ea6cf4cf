"""What does a config say, and what if it says nothing, too much, or a lie?"""

from __future__ import annotations

import json

import pytest
from build import Image, archive, blob, config, digest, docker, docker_save, dumps, files, gz, layer, oci, oci_archive, sha, tar
from layerscope.render.options import Options
from layerscope.render.text import report_text

from archive.reading import WAYS, document, ids, live, message, read

LAYERS = [layer({f"f{number}": bytes([65 + number]) * (number + 1)}) for number in range(4)]


def image(history=(), layers=LAYERS, document=None, **changes):
    """Return an image whose config document has these keys, as they are; `...` takes one out."""
    value = json.loads(config(layers, history))
    for key, new in {**changes, **(document or {})}.items():
        if new is ...:
            value.pop(key, None)
        else:
            value[key] = new
    return Image(layers, tags=["c:1"], document=dumps(value))


@pytest.mark.case("B01")
@pytest.mark.parametrize("history", [None, [], ...])
def test_no_history(history):
    report = read(docker_save(image(None, document={"history": history})))
    assert report.complete
    assert "B01" in ids(report, "info")
    assert {row.instruction for row in report.image.layers} == {"(no history)"}
    assert len(live(report)) == 4


@pytest.mark.case("B02", "B03")
@pytest.mark.parametrize(
    ("history", "instructions", "case"),
    [
        (["RUN a", "#ENV b", "RUN c"], ["RUN a", "RUN c", "(no history)", "(no history)"], "B02"),
        (["#ENV a"], ["(no history)"] * 4, "B02"),
        (["RUN a", "RUN b", "RUN c", "RUN d"], ["RUN a", "RUN b", "RUN c", "RUN d"], None),
        (["RUN a", "RUN b", "RUN c", "RUN d", "RUN e", "#CMD x"], ["RUN a", "RUN b", "RUN c", "RUN d"], "B03"),
    ],
)
def test_history_is_aligned_from_the_front(history, instructions, case):
    report = read(docker_save(image(history=history), "docker25"))
    assert report.complete
    assert [row.instruction for row in report.image.layers] == instructions
    assert ids(report, "warning") == ({case} if case else set())
    made = document(report)
    assert len(made["history"]) == len(history)
    assert [row["layer"] for row in made["history"] if row["layer"] is not None] == list(
        range(len([h for h in history if h[0] != "#"][:4]))
    )


@pytest.mark.case("B02", "B05")
@pytest.mark.parametrize("row", [None, 7, "text", [], {}])
def test_a_history_row_that_is_no_object_keeps_its_place(row):
    history = [{"created_by": "RUN a"}, row, {"created_by": "RUN c"}, {"created_by": "RUN d"}]
    report = read(docker_save(image(document={"history": history})))
    assert [line.instruction for line in report.image.layers] == ["RUN a", "(no history)", "RUN c", "RUN d"]


@pytest.mark.case("B01", "B08")
@pytest.mark.parametrize("value", [7, "x", {}, True])
def test_a_history_that_is_no_list(value):
    report = read(docker_save(image(document={"history": value})))
    assert len(live(report)) == 4


@pytest.mark.case("B04")
def test_the_flag_decides_which_row_made_a_layer():
    layers = [LAYERS[0], tar(), LAYERS[1]]
    history = ["RUN a", "WORKDIR /x", "#ENV b", "RUN c"]
    report = read(docker_save(image(history=history, layers=layers)))
    assert [row.instruction for row in report.image.layers] == ["RUN a", "WORKDIR /x", "RUN c"]
    for odd in ("true", 1, 0, None, "false"):  # only true is true
        rows = [{"created_by": "RUN a"}, {"created_by": "RUN b", "empty_layer": odd}, {"created_by": "RUN c"}]
        report = read(docker_save(image(history=rows, layers=layers)))
        assert report.image.layers[1].instruction == "RUN b"


@pytest.mark.case("B05", "B06")
@pytest.mark.parametrize(
    "created_by",
    [
        None,
        ...,
        7,
        [],
        {},
        "",
        "  ",
        "RUN " + "x" * (1 << 20),
        "RUN a\nb\r\n\tc",
        "RUN \x1b[31mred\x07\x9b",
        "\ud800",
        "::error::x",
        "\u202eabc",
    ],
)
def test_created_by(created_by):
    row = {"created": "2024"} | ({} if created_by is ... else {"created_by": created_by})
    report = read(docker_save(image(history=[row] * 4)))
    shown = report.image.layers[0].instruction
    assert shown
    assert "\n" not in shown
    assert len(report.image.layers[0].created_by or "") < 70_000
    text = report_text(report, Options())
    assert not set(text) & set("\x1b\x07\x9b\r\u202e")


@pytest.mark.case("B06")
@pytest.mark.parametrize(
    "created",
    [None, ..., "", "now", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:60Z", "99999-01-01T00:00:00Z",
     "2024-01-01T00:00:00.123456789+14:00", "2024-13-45", 1700000000, -1, [], {}, "\x1b[2J"],
)  # fmt: skip
def test_created(created):
    rows = [{"created_by": "RUN x"} | ({} if created is ... else {"created": created})] * 4
    report = read(docker_save(image(history=rows, created=created)))
    assert report.complete
    made = document(report)
    expected = created if isinstance(created, str) else None
    assert made["layers"][0]["created"] == expected
    assert "\x1b" not in report_text(report, Options())


@pytest.mark.case("B07")
@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("RUN |1 A=b /bin/sh -c make # buildkit", "RUN make"),
        ("RUN /bin/sh -c apt-get update && apt-get install -y x # buildkit", "RUN apt-get update && apt-get install -y x"),
        ('/bin/sh -c #(nop)  CMD ["sh"]', 'CMD ["sh"]'),
        ("/bin/sh -c set -eux; make", "RUN set -eux; make"),
        ("COPY a b # buildkit", "COPY a b"),
        ("RUN /bin/bash -o pipefail -c x | y # buildkit", None),
        ("RUN /bin/sh -c <<EOF (a...) # buildkit", "RUN <<EOF (a...)"),
        ("|2 A=1 B=2 /bin/sh -c x", "RUN x"),
    ],
)
def test_buildkit_text(raw, shown):
    report = read(docker_save(image(history=[raw, "b", "c", "d"])))
    row = report.image.layers[0]
    assert row.created_by == raw
    if shown is not None:
        assert row.instruction == shown


CONFIG_KEYS = (
    "User",
    "Env",
    "Entrypoint",
    "Cmd",
    "Volumes",
    "WorkingDir",
    "Labels",
    "ExposedPorts",
    "Healthcheck",
    "StopSignal",
    "OnBuild",
)


@pytest.mark.case("B08")
@pytest.mark.parametrize("value", [None, 7, "x", [], {}, True, [None], {"a": None}])
def test_any_field_may_be_null_or_nonsense(value):
    plain = document(read(docker_save(image())))
    for key in ("created", "author", "variant", "os.version", "os.features", "config", "container_config"):
        report = read(docker_save(image(document={key: value})))
        assert report.complete, key
        assert document(report)["totals"]["content_bytes"] == plain["totals"]["content_bytes"]
    for key in CONFIG_KEYS:
        assert read(docker_save(image(config={key: value}))).complete, key
    for key in ("architecture", "os", "history"):
        read(docker_save(image(document={key: value})))
    for key in ("rootfs",):
        report = read(docker_save(image(document={key: value})))
        assert len(live(report)) == 4


@pytest.mark.case("E06")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("value", [b"null", b"[]", b"[{}]", b'"config"', b"7", b"true"])
def test_a_config_that_is_no_object(value, way):
    members = docker(image(), "jib")  # whose name for it tells no digest
    report = read(archive(members | {"config.json": value}), way)
    assert not report.complete
    assert message(report, "E06") == "the config is not an object"
    assert len(live(report)) == 4


@pytest.mark.case("B09")
@pytest.mark.parametrize("kind", ["cacheconfig", "layers+base", 7, "Layers"])
def test_a_rootfs_of_another_type(kind):
    report = read(docker_save(image(rootfs={"type": kind, "diff_ids": []})))
    assert not report.complete
    assert "rootfs" in message(report, "B09")
    assert len(live(report)) == 4


@pytest.mark.case("B10")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("count", [0, 1, 3, 5, 9])
def test_another_number_of_diff_ids(count, way):
    diff_ids = [digest(data) for data in [*LAYERS, *LAYERS, *LAYERS][:count]]
    report = read(docker_save(image(rootfs={"type": "layers", "diff_ids": diff_ids}), "kaniko"), way, verify=True)
    assert "B10" in ids(report, "warning")
    assert len(live(report)) == 4
    assert [row.diff_id for row in report.image.layers] == (diff_ids + [None] * 4)[:4]


@pytest.mark.case("B11")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("style", ["legacy", "docker25", "containerd", "podman", "kaniko", "oci"])
def test_a_config_that_was_changed(style, way):
    plain = image()
    members = oci(plain) if style == "oci" else docker(plain, style)
    changed = plain.config.replace(b"amd64", b"arm64")
    members = {name: changed if data == plain.config else data for name, data in members.items()}
    report = read(archive(members), way)
    assert "B11" in ids(report, "warning")
    assert report.complete
    assert report.image.config_digest == digest(changed)


@pytest.mark.case("B11")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("style", ["legacy", "docker25", "containerd", "podman", "kaniko", "bazel", "oci", "nix"])
def test_a_layer_that_was_changed(style, way):
    plain = image()
    members = oci(plain) if style == "oci" else docker(plain, style)
    other = layer({"f2": b"evil"})
    for codec in (bytes, gz):
        members = {name: codec(other) if data == codec(LAYERS[2]) else data for name, data in members.items()}
    untold = read(archive(members), way)
    assert [row.verified for row in untold.image.layers] == [None] * 4
    report = read(archive(members), way, verify=True)
    assert [row.verified for row in report.image.layers] == [True, True, False, True]
    assert {note.layer for note in report.notes if note.id == "B11"} == {2}
    assert live(report)["f2"] == 4


@pytest.mark.case("B11")
@pytest.mark.parametrize("way", WAYS)
def test_everything_holds(way):
    for data in (
        docker_save(image(), "docker25"),
        oci_archive(image()),
        docker_save(image(), "kaniko"),
        oci_archive(image(), usual="zstd"),
    ):
        report = read(data, way, verify=True)
        assert [row.verified for row in report.image.layers] == [True] * 4
        assert not ids(report, "warning")


@pytest.mark.case("B12")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("codec", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("tail", [bytes(512 * 19), b"hidden" * 100, tar(files({"x": b"y"}))])
def test_diff_ids_cover_what_stands_after_the_end(tail, codec, way):
    data = LAYERS[0] + tail
    report = read(oci_archive(Image([data], codec=codec)), way, verify=True)
    assert report.image.layers[0].verified is True
    assert report.books.layers[0].tar_bytes == len(data)
    assert ("C53" in ids(report)) is bool(tail.strip(b"\0"))
    short = Image([LAYERS[0]], codec=codec)
    told = json.loads(short.config)
    lied = Image([data], codec=codec, document=dumps(told))
    assert read(oci_archive(lied), way, verify=True).image.layers[0].verified is False


@pytest.mark.case("B13")
@pytest.mark.parametrize("way", WAYS)
def test_a_config_of_many_megabytes(way):
    huge = image(comment="x" * (5 << 20))
    report = read(docker_save(huge, "kaniko"), way)
    assert report.complete
    assert report.image.config_digest == digest(huge.config)
    limited = read(docker_save(huge, "kaniko"), way, limits={"json_bytes": 1 << 20})
    assert not limited.complete
    assert "json_bytes" in " ".join(note.message for note in limited.notes)
    assert len(live(limited)) == 4
    assert sha(huge.config) in blob(huge.config)
