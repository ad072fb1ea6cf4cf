"""Is it told when the table of contents, which lazy pulling trusts, says something else than the tar?"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable

import build
import pytest
import zstandard
from audit.conftest import TODAY, found
from build import Image, gz, oci_archive, sha, zst
from layerscope import api
from layerscope.audit import audit

from archive.reading import load, read

CAPABILITY = b"\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
TREE = {
    "bin": build.Dir(mode=0o755),
    "bin/app": build.File(b"program" * 99, mode=0o4755, uid=3, gid=4, pax={"SCHILY.xattr.security.capability": CAPABILITY}),
    "bin/also": build.Hardlink("bin/app"),
    "bin/link": build.Symlink("../bin/app"),
    "dev/null": build.Device(1, 3),
    "dev/gone": build.Device(0, 0),
    "empty": build.File(b""),
    "odd-\udcff": build.File(b"x"),
    ".wh.old": build.File(b""),
    "lib/.wh..wh..opq": build.File(b""),
}
TABLE = [
    {"name": "bin/", "type": "dir", "mode": 0o755},
    {
        "name": "bin/app", "type": "reg", "mode": 0o4755, "uid": 3, "gid": 4, "size": 693, "digest": f"sha256:{sha(b'program' * 99)}",
        "xattrs": {"security.capability": base64.b64encode(CAPABILITY).decode()},
    },
    {"name": "bin/app", "type": "chunk", "offset": 9, "chunkOffset": 9},
    {"name": "bin/also", "type": "hardlink", "linkName": "bin/app", "mode": 0o4755},
    {"name": "bin/link", "type": "symlink", "linkName": "../bin/app", "mode": 0o644},
    {"name": "dev/null", "type": "char", "mode": 0o644, "devMajor": 1, "devMinor": 3},
    {"name": "dev/gone", "type": "char", "mode": 0o644},
    {"name": "empty", "type": "reg", "mode": 0o644, "digest": f"sha256:{sha(b'')}"},
    {"name": "odd-\ufffd", "type": "reg", "mode": 0o644, "size": 1, "digest": f"sha256:{sha(b'x')}"},
    {"name": ".wh.old", "type": "reg", "mode": 0o644},
    {"name": "lib/.wh..wh..opq", "type": "reg", "mode": 0o644},
]  # fmt: skip


def named(name: str) -> int:
    return next(at for at, entry in enumerate(TABLE) if entry["name"] == name)


def changed(name: str, **fields: object) -> list[dict[str, object]]:
    at = named(name)
    return [*TABLE[:at], TABLE[at] | fields, *TABLE[at + 1 :]]


LIES: dict[str, tuple[list[dict[str, object]], bytes, str]] = {
    "a file that the tar has not": ([*TABLE, {"name": "etc/cron", "type": "reg"}], b"etc/cron", "only the table has it"),
    "a file that the table has not": ([one for one in TABLE if one["name"] != "bin/link"], b"bin/link", "only the tar has it"),
    "content": (changed("bin/app", digest=f"sha256:{sha(b'other')}"), b"bin/app", "another digest"),
    "size": (changed("bin/app", size=1), b"bin/app", "another size"),
    "mode": (changed("bin/app", mode=0o755), b"bin/app", "another mode"),
    "owner": (changed("bin/app", uid=0), b"bin/app", "another owner"),
    "capability": (changed("bin/app", xattrs={}), b"bin/app", "another attributes"),
    "where a symlink leads": (changed("bin/link", linkName="/bin/sh"), b"bin/link", "another link"),
    "where a hard link leads": (changed("bin/also", linkName="empty"), b"bin/also", "another link"),
    "type": (changed("dev/null", type="fifo"), b"dev/null", "another type"),
    "last of two": ([*TABLE, TABLE[1] | {"size": 5}], b"bin/app", "another size"),
}


def text(table: object) -> bytes:
    return json.dumps({"version": 1, "entries": table}).encode()


def footer(offset: int) -> bytes:
    """Return the empty gzip member that ends an eStargz blob (stargz-snapshotter, docs/estargz.md, "Footer")."""
    extra = b"%016xSTARGZ" % offset
    head = b"\x1f\x8b\x08\x04" + bytes(5) + b"\xff" + struct.pack("<H2sH", 4 + len(extra), b"SG", len(extra)) + extra
    return head + b"\x01\0\0\xff\xff" + bytes(8)


def stargz(document: bytes) -> bytes:
    entries = build.files(TREE)
    table = build.tar(build.entry("stargz.index.json", document))
    members = gz(entries)
    return members + gz(table) + footer(len(members))


def behind_the_end(document: bytes) -> bytes:
    """Lay the table behind the end blocks, as a builder does that keeps the tar as it was."""
    layer = gz(build.layer(TREE))
    return layer + gz(build.tar(build.entry("stargz.index.json", document))) + footer(len(layer))


def chunked(document: bytes, *, footer: int = 64, shift: int = 0, size: int | None = None) -> bytes:
    data = zst(build.layer(TREE))
    table = zstandard.ZstdCompressor().compress(document)
    place = len(data) + 8
    numbers = struct.pack("<4Q", place + shift, len(table), len(document) if size is None else size, 1)
    end = (numbers + bytes(footer - 40)) + b"GNUlInUx"
    frames = [table, b"tar-split", end] if footer == 64 else [table, end]
    return data + b"".join(struct.pack("<II", 0x184D2A50, len(frame)) + frame for frame in frames)


FORMS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "estargz": ("C46", stargz),
    "estargz behind the end": ("C46", behind_the_end),
    "zstd:chunked": ("C48", chunked),
    "zstd:chunked of old": ("C48", lambda document: chunked(document, footer=40)),
}


def archive(blob: bytes) -> bytes:
    return oci_archive(Image([build.layer(TREE)], codec=[lambda _: blob]))


def told(blob: bytes, way: str = "place", **options: object) -> list[tuple[str, str, bytes | None, str]]:
    report = read(archive(blob), way, **options)
    return [(note.id, note.level, note.path, note.message) for note in report.image.notes if note.id in ("C46", "C48")]


@pytest.mark.case("C46", "C47", "C48")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("way", ["place", "pipe"])
def test_a_table_that_agrees_is_not_spoken_of(form, way):
    assert told(FORMS[form][1](text(TABLE)), way) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("way", ["place", "pipe"])
def test_objects_are_compared_by_the_names_that_the_tar_has(form, way, monkeypatch):
    """And are named as the system does, and looked into, afterwards."""
    name, release = f"sysroot/ostree/repo/objects/ab/{'0' * 62}.file", b"ID=fedora\n"
    monkeypatch.setitem(globals(), "TREE", {name: build.File(release), "usr/lib/os-release": build.Hardlink(name)})
    table = [
        {"name": name, "type": "reg", "mode": 0o644, "size": len(release), "digest": f"sha256:{sha(release)}"},
        {"name": "usr/lib/os-release", "type": "hardlink", "linkName": name, "mode": 0o644},
    ]
    blob = FORMS[form][1](text(table))
    assert told(blob, way) == []
    assert read(archive(blob), way).release.id == "fedora"


@pytest.mark.case("C46", "C48", "E34")
@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("way", ["place", "pipe"])
def test_a_table_that_lies_is_told(form, lie, way):
    case, made = FORMS[form]
    table, path, what = LIES[lie]
    ((id_, level, where, message),) = told(made(text(table)), way)
    assert (id_, level, where) == (case, "warning", path)
    assert message.endswith(f"and the tar differ: {what}")


def test_several_differences_are_counted():
    ((_, _, _, message),) = told(stargz(text([])))
    assert "only the tar has it, and 6 more" in message  # marks need not stand in a table


@pytest.mark.parametrize(
    ("blob", "why"),
    [
        (stargz(b"{"), "not valid JSON"),
        (chunked(b"[" * 200 + b"]" * 200), "nested too deep"),
        (chunked(text(TABLE), shift=1), "not at byte"),
        (chunked(text(TABLE), size=1 << 62), "--limit json_bytes"),
        (chunked(text(TABLE), size=9), "longer than the 9 bytes"),
    ],
)
def test_a_table_that_cannot_be_read_is_told(blob, why):
    ((_, level, _, message),) = told(blob)
    assert level == "warning"
    assert why in message


@pytest.mark.parametrize(
    ("form", "limits"), [("estargz", {"kept_file_bytes": 700}), ("estargz behind the end", {"json_bytes": 600})]
)
def test_a_table_that_is_too_long_does_not_end_the_report(form, limits):
    data = archive(FORMS[form][1](text(TABLE)))
    image = load(data, limits={"json_bytes": 700} | limits)
    assert {note.level for note in image.notes} <= {"info", "warning"}
    assert [len(layer.index) for layer in image.layers if layer.index] == [len(TREE) + (form == "estargz")]


@pytest.mark.parametrize(
    "table", [[], {}, [1], [{"name": 1}], [{"name": "\ud800", "type": []}], [{"name": "a", "mode": "x", "xattrs": 3}]]
)
@pytest.mark.parametrize("form", FORMS)
def test_a_table_of_anything_is_survived(form, table):
    assert [level for _, level, _, _ in told(FORMS[form][1](text(table)))] == ["warning"]


def test_nothing_is_kept_for_the_table_alone():
    image = load(archive(stargz(text(TABLE))))
    assert not image.layers[0].index.kept


def test_audit_says_that_readers_disagree():
    report = api.analyze(load(archive(stargz(text(LIES["content"][0])))))
    assert [one.path for one in found(audit(report, today=TODAY), "reader-disagreement")] == [b"bin/app"]
