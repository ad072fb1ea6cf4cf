"""Bombs: every limit is named where it is met, and memory stays bounded (E08 to E16)."""

from __future__ import annotations

import dataclasses
import gzip
import io
import os
import struct
import time

import build
import pytest
import zstandard
from build import Image
from layerscope import api
from layerscope.archive.limits import Limits
from layerscope.errors import LayerscopeError

from hostile.tools import MIB, WAYS, errors, live, load, measure, notes, read

FILES = {f"f{number}": b"%d" % number for number in range(30)}
LAYER = build.layer(FILES)


def saved(*layers, style="docker25", **options):
    return build.docker_save(Image(layers, **options), style=style)


def nested(depth):
    """Return an OCI archive whose image lies below `depth` indexes."""
    parts = build.oci(Image([LAYER]))
    index = parts["index.json"]
    for _ in range(depth):
        parts[build.blob(index)] = index
        index = build.dumps({"schemaVersion": 2, "manifests": [build.descriptor("index.v1+json", index)]})
    return build.archive(parts | {"index.json": index})


def deep_json():
    config = build.config([LAYER], History=0)[:-1] + b',"x":' + b"[" * 50 + b"]" * 50 + b"}"
    return saved(LAYER, document=config)


SPARSE = build.tar(build.sparse_pax("s", [(4096 * number, b"x" * 512) for number in range(40)], 1 << 30), *[build.files(FILES)])
LONG = build.tar(*(build.pax({"path": f"{number}/" + "n" * 3000}) + build.entry("x") for number in range(10)))
DEEP = build.tar(build.pax({"path": "d/" * 3000 + "f"}) + build.entry("x"), build.files(FILES))
KEPT = build.layer({"lib/apk/db/installed": b"P:a\nV:1\n\n" * 500, **FILES})
MANY = build.archive(build.docker([Image([LAYER], tags=[f"a:{number}"], more={"User": str(number)}) for number in range(9)]))
SOME = build.layer({"data": (bytes(1000) + bytes(range(240))) * (70 * MIB // 1240)})
ZEROS = build.layer({"zeros": bytes(8 * MIB)})


# limit: value, archive, ways, is there a partial report?
MET = {
    "entries": (20, lambda: saved(LAYER), WAYS, True),
    "layers": (3, lambda: saved(LAYER, LAYER, LAYER, LAYER), WAYS, False),
    "manifests": (4, lambda: MANY, WAYS, False),
    "json_bytes": (150, lambda: saved(LAYER), WAYS, False),
    "json_depth": (40, deep_json, WAYS, True),
    "nesting": (3, lambda: nested(6), WAYS, False),
    "special_bytes": (2000, lambda: saved(LONG), WAYS, True),
    "extension_bytes": (20_000, lambda: saved(LONG), WAYS, True),
    "folder_bytes": (100_000, lambda: saved(DEEP), WAYS, True),
    "sparse_fragments": (10, lambda: saved(SPARSE), WAYS, True),
    "layer_bytes": (9_000, lambda: saved(LAYER, codec="gzip"), WAYS, True),
    "archive_bytes": (10_000, lambda: saved(LAYER), WAYS, False),
    "ratio": (50, lambda: saved(SOME, codec="gzip"), WAYS, True),
    "window_bytes": (2 * MIB, lambda: saved(ZEROS, codec=lambda data: build.zst(data, level=19)), WAYS, True),
    "kept_file_bytes": (1000, lambda: saved(KEPT), WAYS, True),
    "kept_bytes": (1000, lambda: saved(KEPT), WAYS, True),
    "document_bytes": (600, lambda: saved(LAYER), ("pipe",), False),
}


def test_every_limit_has_a_test():
    apart = {"file_bytes", "seconds"}  # no report reads a file as large (tests/cli/test_cat.py); a test of time (test_bombs.py)
    assert set(MET) | apart == {field.name for field in dataclasses.fields(Limits)}


@pytest.mark.case("E08", "E09", "E10", "E13", "E14", "E18")
@pytest.mark.parametrize(("limit", "way"), [(limit, way) for limit, told in MET.items() for way in told[2]])
def test_a_limit_that_is_met_is_named(limit, way):
    value, make, _, partial = MET[limit]
    data = make()
    complete = load(data, way, image="a:1" if limit == "manifests" else None)
    assert complete.complete, [note for note in complete.notes if note.level == "error"]
    try:
        report = read(data, way, limits={limit: value})
    except LayerscopeError as error:
        told = str(error)
        if partial or f"--limit {limit}=VALUE" not in told:
            raise
    else:
        assert any(f"--limit {limit}=VALUE" in message for message in notes(report, level="error")), report.notes
        assert not report.complete


@pytest.mark.case("E10")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("limit", ["entries", "extension_bytes", "kept_bytes", "sparse_fragments"])
def test_a_limit_holds_for_all_layers_together(limit, way):
    layers = [
        build.tar(
            build.pax({"path": f"{number}" + "n" * 2000}) + build.entry("x"),
            build.files({"lib/apk/db/installed": b"P:a\nV:%d\n\n" % number * 100}),
            build.sparse_pax(f"s{number}", [(4096 * piece, b"x" * 512) for piece in range(20)], 1 << 20),
        )
        for number in range(4)
    ]
    data = saved(*layers, style="nix")
    assert read(data, way).complete
    once = {"entries": 9, "extension_bytes": 7000, "kept_bytes": 2000, "sparse_fragments": 50}[limit]
    report = read(data, way, limits={limit: once})
    assert {note.layer for note in report.notes if f"--limit {limit}=" in note.message} < {1, 2, 3}
    assert not report.complete


@pytest.mark.case("E09")
def test_a_folder_of_many_files(tmp_path):
    folder = build.oci_layout(tmp_path / "layout", Image([LAYER]))
    for number in range(100):
        (folder / f"{number}").touch()
    with pytest.raises(LayerscopeError, match="--limit entries=VALUE"):
        read(folder, limits={"entries": 50})


def test_unknown_limits_and_values():
    for limits in ({"entry": 1}, {"entries": 0}, {"entries": -1}):
        with pytest.raises(LayerscopeError):
            load(saved(LAYER), limits=limits)


def write(path, data):
    path.write_bytes(data)
    return path


def packed(repeat, times, level=9):
    """Return gzip data of one piece, many times."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=level, mtime=0) as stream:
        block = repeat * max(1, MIB // len(repeat))
        for _ in range(times * len(repeat) // len(block)):
            stream.write(block)
    return out.getvalue()


def stored(blob):
    """Return a docker archive of one layer that is stored as these bytes."""
    document = build.config([b""])
    manifest = [{"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["layer.tar"]}]
    return build.archive({"c.json": document, "layer.tar": blob, "manifest.json": build.dumps(manifest)})


@pytest.mark.case("E08")
@pytest.mark.parametrize("name", ["manifest.json", "index.json", "c.json"])
def test_a_document_of_gigabytes_is_not_read(tmp_path, name):
    place = tmp_path / "x.tar"
    size = 4 << 30
    head = build.entry(name, size=size)
    with place.open("wb") as stream:
        stream.write(head)
        stream.seek(size, os.SEEK_CUR)
        stream.write(stored(LAYER)[build.BLOCK * 4 :] if name == "c.json" else bytes(1024))
    code, _, said, peak = measure("report", place)
    assert code == 3
    assert "--limit json_bytes=VALUE" in said or name == "c.json"
    assert peak < 120 * MIB


@pytest.mark.case("E10")
def test_many_entries_are_stopped_in_bounded_memory(tmp_path):
    blob = packed(build.entry("f"), 120_000)
    code, out, _, peak = measure(
        "report", write(tmp_path / "x.tar", stored(blob)), "--limit", "entries=40000", "--format", "json"
    )
    assert code == 3
    assert "--limit entries=VALUE" in out
    assert peak < 200 * MIB


@pytest.mark.case("E13")
def test_long_names_are_stopped_in_bounded_memory(tmp_path):
    one = build.pax({"path": "n" * 1_000_000}) + build.entry("x")
    blob = packed(one, 120)
    place = write(tmp_path / "x.tar", stored(blob))
    code, out, _, peak = measure("report", place, "--limit", "extension_bytes=20MB", "--format", "json")
    assert code == 3
    assert "--limit extension_bytes=VALUE" in out
    assert peak < 250 * MIB


@pytest.mark.case("E14")
def test_maps_of_many_pieces_are_stopped_in_bounded_memory(tmp_path):
    table = b"%d\n" % 100_000 + b"0\n0\n" * 100_000
    one = build.pax({"GNU.sparse.major": 1, "GNU.sparse.minor": 0, "GNU.sparse.name": "s", "GNU.sparse.realsize": 1 << 60})
    one += build.entry("s", build.padded(table))
    place = write(tmp_path / "x.tar", stored(build.gz(build.tar(*[one] * 30))))
    code, out, _, peak = measure("report", place, "--format", "json")
    assert code == 3
    assert "--limit sparse_fragments=VALUE" in out
    assert peak < 400 * MIB


@pytest.mark.case("E14")
@pytest.mark.parametrize("way", WAYS)
def test_sizes_of_exbibytes_cost_nothing(way):
    size = (1 << 63) - 1
    report = read(saved(build.tar(build.sparse_pax("s", [(0, b"x" * 512)], size), build.files(FILES))), way)
    assert report.books.content_bytes > size
    assert b"f1" in live(report)


BOMBS = {
    "gzip": lambda: packed(bytes(MIB), 120),
    "gzip of gzip": lambda: build.gz(packed(bytes(MIB), 120)),
    "zstd": lambda: zstandard.ZstdCompressor(level=3).compress(build.entry("f", size=120 * MIB) + bytes(120 * MIB)),
    "empty members": lambda: build.gz(b"") * 30_000,
    "empty frames": lambda: build.zst(b"") * 30_000,
    "name without end": lambda: b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * (30 * MIB),
    "skippable frames": lambda: struct.pack("<II", 0x184D2A50, 0) * 100_000,
    "a huge skippable frame": lambda: struct.pack("<II", 0x184D2A50, 0xFFFFFFFF) + bytes(100),
    "window of 2 GiB": lambda: b"\x28\xb5\x2f\xfd\x00\xa8" + bytes(100),
    "content of 2**64": lambda: b"\x28\xb5\x2f\xfd\xe0" + b"\xff" * 8 + bytes(100),
    "xz": lambda: build.xz(bytes(40 * MIB)),
    "bzip2": lambda: __import__("bz2").compress(bytes(40 * MIB)),
}


@pytest.mark.case("E10")
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_end_soon_in_bounded_memory(tmp_path, name):
    place = write(tmp_path / "x.tar", stored(BOMBS[name]()))
    began = time.monotonic()
    code, _, said, peak = measure("report", place, "--limit", "ratio=100")
    assert code in (0, 3)
    assert "Traceback" not in said
    assert peak < 250 * MIB
    assert time.monotonic() - began < 30
    outer = write(tmp_path / "y.tar.gz", BOMBS[name]())
    code, _, said, peak = measure("report", outer, "--limit", "ratio=100", "--limit", "archive_bytes=30MB")
    assert code == 3
    assert "Traceback" not in said
    assert peak < 250 * MIB


NUMBERS = {
    "negative, after a good one": (build.entry("good", b"x") + build.entry("bad", size=-512), "E11"),
    "negative, first": (build.entry("bad", size=-512) + build.entry("good", b"x"), "E11"),
    "negative octal": (build.entry("good") + build.entry("bad", size=b"-0000000001"), "C60"),
    "2**62": (build.entry("good") + build.entry("bad", size=1 << 62), "C55"),
    "2**64": (build.entry("good") + build.entry("bad", size=b"\x80\0\0\x01" + bytes(8)), "C45"),
    "all ones": (build.entry("good") + build.entry("bad", size=b"\xff" * 12), "E11"),
    "PAX, negative": (build.pax({"size": -512}) + build.entry("bad"), "C61"),
    "PAX, 2**63": (build.pax({"size": 1 << 63}) + build.entry("bad"), "C61"),
    "PAX, 5,000 digits": (build.pax({"size": 10**4000}) + build.entry("bad"), "C61"),
    "PAX length 0": (build.entry("x", b"0 path=a\n" + bytes(3), type=b"x") + build.entry("bad"), "E12"),
    "PAX length 00": (build.entry("x", b"00 path=a\n", type=b"x") + build.entry("bad"), "E12"),
    "PAX length negative": (build.entry("x", b"-9 path=a\n", type=b"x") + build.entry("bad"), "C61"),
    "PAX length beyond": (build.entry("x", b"999999999 path=a\n", type=b"x") + build.entry("bad"), "C61"),
    "2 MiB long name": (build.gnu_long("n" * 2 * MIB) + build.entry("bad"), "E13"),
    "2 MiB PAX": (build.pax({"comment": "n" * 2 * MIB}) + build.entry("bad"), "E13"),
    "size of a header": (build.entry("good") + build.entry("bad", type=b"x", size=1 << 40), "E13"),
    "smaller PAX size": (build.entry("good") + build.pax({"size": 512}) + build.entry("a", b"x" * 1024), "C54"),
}


@pytest.mark.case("E11", "E12", "E13", "E15")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_that_lie_end_the_layer_or_are_told(name, way):
    data, case = NUMBERS[name]
    report = read(saved(build.tar(data)), way)
    assert errors(report) == [case], report.notes
    assert live(report) <= {b"good", b"a"}


@pytest.mark.case("E13")
def test_a_million_records_are_linear():
    body = b"".join(build.record(f"k{number}", "v") for number in range(60_000))
    began = time.monotonic()
    report = read(saved(build.tar(build.entry("x", body, type=b"x") + build.entry("f", b"x"))))
    assert live(report) == {b"f"}
    assert time.monotonic() - began < 10


@pytest.mark.case("E16")
def test_a_storm_of_whiteouts_is_linear(tmp_path):
    base = build.tar(*(build.entry(f"d/{number}", b"x") for number in range(10_000)))
    marks = build.tar(*(build.opaque("d") for _ in range(5_000)), *(build.whiteout(f"d/{number}") for number in range(10_000)))
    folders = build.tar(*(build.opaque(f"d/{number}") for number in range(5_000)))
    began = time.monotonic()
    report = read(saved(base, marks, folders, marks))
    assert report.books.deleted_bytes == 10_000
    assert not live(report)
    assert time.monotonic() - began < 30


def test_nothing_of_a_kept_file_is_lost_silently():
    report = read(saved(KEPT), limits={"kept_file_bytes": 10})
    assert errors(report) == ["E08"]
    assert not report.ownership.packages
    assert api.analyze(load(saved(KEPT))).ownership.packages
