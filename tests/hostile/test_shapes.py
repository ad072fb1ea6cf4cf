"""Trees that were grown to exhaust whoever walks them (E17, E18), and archives that readers read differently (E34)."""

from __future__ import annotations

import sys
import time

import build
import pytest
from build import Image, Symlink

from hostile.tools import MIB, WAYS, errors, live, measure, notes, read


def saved(*layers):
    return build.docker_save(Image(layers), style="nix")


def web(width, depth):
    """Return links of which each leads to all of the next floor: width ** depth ways through."""
    tree = {}
    for floor in range(depth):
        for number in range(width):
            tree[f"f{floor}/l{number}"] = Symlink(f"../f{floor + 1}")
    return build.layer(tree | {f"f{depth}/end": b"x"})


CIRCLES = {
    "itself": {"a": Symlink("a"), "a/f": b"x"},
    "two": {"a": Symlink("b"), "b": Symlink("a"), "a/f": b"x", "b/g": b"x"},
    "its parent": {"d/a": Symlink(".."), "d/a/d/a/d/f": b"x"},
    "below itself": {"a": Symlink("a/b/c"), "a/f": b"x"},
    "the root": {"a": Symlink("/"), "a/a/a/a/f": b"x"},
    "a chain of 100": {f"l{n}": Symlink(f"l{n + 1}") for n in range(100)} | {"l0/f": b"x"},
    "climbing": {"a": Symlink("../../../../.."), "a/f": b"x"},
    "empty": {"a": Symlink(""), "a/f": b"x"},
    "a dot": {"a": Symlink("."), "a/f": b"x"},
    "1 MiB": {"a": Symlink("x/" * (MIB // 2 - 100)), "b": b"x"},
}


@pytest.mark.case("E17")
@pytest.mark.parametrize("name", CIRCLES)
@pytest.mark.parametrize("way", WAYS)
def test_circles_of_links_hide_no_file(name, way):
    tree = CIRCLES[name]
    began = time.monotonic()
    report = read(saved(build.layer(tree)), way)
    files = [path for path, node in tree.items() if isinstance(node, bytes)]
    assert report.books.content_bytes == len(files)
    assert report.complete
    assert time.monotonic() - began < 20


@pytest.mark.case("E17")
def test_a_web_of_links_is_not_walked():
    began = time.monotonic()
    report = read(saved(web(8, 40), build.layer({"f0/l0/l0/l0/l0/new": b"y"}), build.layer({"f0/l1/l2/x": b"z"})))
    assert report.complete
    assert report.books.content_bytes == 3
    assert time.monotonic() - began < 20


def deep(parts, name="d"):
    """Return one file below that many folders that nothing names."""
    return build.tar(build.pax({"path": f"{name}/" * parts + "f"}) + build.entry("x", b"x"), build.files({"else": b"y"}))


@pytest.mark.case("E18")
@pytest.mark.parametrize("way", WAYS)
def test_a_path_of_a_thousand_parts_is_read(way):
    report = read(saved(deep(1000), build.tar(build.whiteout("d")), build.layer({"d/d/d/g": b"z"})), way)
    assert report.complete
    assert live(report) == {b"else", b"d/d/d/g"}
    assert report.books.deleted_bytes == 1


@pytest.mark.case("E18")
@pytest.mark.parametrize("way", WAYS)
def test_a_path_of_50_000_parts_is_told_and_nothing_recurses(way, monkeypatch):
    monkeypatch.setattr(sys, "setrecursionlimit", lambda _: pytest.fail("no recursion is needed"))
    report = read(saved(deep(50_000), build.tar(build.whiteout("d")), deep(50_000, "e")), way)
    assert errors(report) == ["E18"]
    assert "--limit folder_bytes=VALUE" in notes(report, "E18")[0]
    assert live(report) == {b"else"}


@pytest.mark.case("E18")
@pytest.mark.parametrize("form", ["text", "json", "markdown", "csv"])
def test_many_deep_paths_cost_bounded_memory(tmp_path, form):
    layer = build.tar(*(build.pax({"path": f"{n}/" + "d/" * 1500 + "f"}) + build.entry("x", b"x") for n in range(400)))
    place = tmp_path / "x.tar"
    place.write_bytes(saved(layer))
    code, out, said, peak = measure("report", place, "--format", form, "--limit", "folder_bytes=60MB")
    assert code == 3
    assert out
    assert "Traceback" not in said
    assert peak < 400 * MIB


@pytest.mark.case("E18")
def test_folders_that_are_named_weigh_what_their_names_weigh():
    tree = {"/".join(["d"] * depth): build.Dir() for depth in range(1, 1500)}
    report = read(
        saved(build.layer({**tree, "d/" * 1499 + "f": b"x"}), build.tar(build.opaque("d"))), limits={"folder_bytes": 1000}
    )
    assert report.complete
    assert not live(report)


DIFFERENT = {
    "C52": build.entry("a", b"x") + bytes(512) + build.entry("hidden", b"y"),
    "C53": build.entry("a", b"x") + bytes(1024) + build.entry("hidden", b"y"),
    "C54": build.entry("a", b"x") + build.entry("b", b"x", checksum=7) + build.entry("hidden", b"y"),
    "C56": build.pax({"path": "one"}) + build.pax({"path": "two"}) + build.entry("a", b"x"),
    "C57": build.pax({"path": "one"}) + build.gnu_long("two") + build.entry("a", b"x"),
    "C60": build.entry("a", bytes(512), size=b"\x0000000001000"),
    "C62": build.entry("a/", build.entry("hidden"), type=b"\0"),
}


@pytest.mark.case("E34")
@pytest.mark.parametrize("case", DIFFERENT)
@pytest.mark.parametrize("way", WAYS)
def test_what_readers_read_differently_is_told_with_its_offset(case, way):
    report = read(saved(build.tar(DIFFERENT[case])), way)
    told = [note for note in report.notes if note.id == case]
    assert told, report.notes
    assert all(note.offset is not None and note.layer == 0 for note in told)
