"""What does a container see? One row for each case of the catalogue that speaks of layers on layers."""

from __future__ import annotations

import sys
from collections import Counter

import build
import pytest
from build import Device, Dir, File, Hardlink, Symlink, entry, opaque, pax, tar, whiteout
from hypothesis import given, settings
from hypothesis import strategies as st
from layerscope.archive.feed import Feed
from layerscope.archive.limits import Limits
from layerscope.archive.tar.reader import read_tar
from layerscope.model import Fate
from layerscope.rootfs.stacker import Stacker, stack

from stacking.compare import assert_equals_oracle, index, shown, stacked

BASE = build.layer({"etc": Dir(), "etc/a": b"1", "etc/b": b"22", "bin": Symlink("usr/bin"), "usr/bin/sh": b"333"})
LOWER = {"etc": "directory", "etc/a": "file 0:1", "etc/b": "file 0:2", "bin": "symlink", "usr/bin/sh": "file 0:4"}


def without(*paths: str, **more: str) -> dict[str, str]:
    return {path: what for path, what in LOWER.items() if path not in paths} | {
        path.replace("__", "/"): what for path, what in more.items()
    }


def bare(*names: str) -> bytes:
    return tar(*map(entry, names))


# Case -> layers, and the tree that they make. "file 1:0" is the content of row 0 of layer 1.
TABLE: dict[str, tuple[list[bytes], dict[str, str]]] = {
    "C01 a file": ([BASE, tar(whiteout("etc/a"))], without("etc/a")),
    "C01 a folder": ([BASE, tar(whiteout("etc"))], without("etc", "etc/a", "etc/b")),
    "C01 a folder that no entry lists": ([BASE, tar(whiteout("usr"))], without("usr/bin/sh")),
    "C02 mark, then entry": ([BASE, tar(whiteout("etc/a"), entry("etc/a", b"n"))], without(etc__a="file 1:1")),
    "C02 entry, then mark": ([BASE, tar(entry("etc/a", b"n"), whiteout("etc/a"))], without(etc__a="file 1:0")),
    "C03": ([BASE, tar(whiteout("no/such"), whiteout("none"))], LOWER),
    "C04 first": ([BASE, tar(opaque("etc"), entry("etc/n", b"n"))], without("etc/a", "etc/b", etc__n="file 1:1")),
    "C04 last": ([BASE, tar(entry("etc/n", b"n"), opaque("etc"))], without("etc/a", "etc/b", etc__n="file 1:0")),
    "C04 own file of a hidden name": ([BASE, tar(entry("etc/a", b"n"), opaque("etc"))], without("etc/b", etc__a="file 1:0")),
    "C05 keeps the folder": ([BASE, tar(opaque("etc"))], without("etc/a", "etc/b")),
    "C05 the root": ([BASE, tar(opaque(""), entry("n"))], {"n": "file 1:1"}),
    "C05 absent below": ([BASE, tar(opaque("var"))], LOWER),
    "C06": ([BASE, bare("etc/.wh..wh..opqX")], LOWER),
    "C06 hits its letters": ([tar(entry("etc/.wh..opqX"), entry("etc/a")), bare("etc/.wh..wh..opqX")], {"etc/a": "file 0:1"}),
    "C07": ([BASE, bare("etc/.wh.", "etc/.wh..", "etc/.wh...", ".wh.", ".wh..", ".wh...")], LOWER),
    "C08": ([tar(whiteout("etc/a"), opaque("etc"), entry("etc/a", b"1"))], {"etc/a": "file 0:2"}),
    "C09 a folder": ([BASE, tar(whiteout("etc/a", type=b"5"))], without("etc/a")),
    "C09 a symlink": ([BASE, tar(whiteout("etc/a", type=b"2", link="b"))], without("etc/a")),
    "C09 a hard link": ([BASE, tar(whiteout("etc/a", type=b"1", link="etc/b"))], without("etc/a")),
    "C09 data": ([BASE, tar(whiteout("etc/a", data=b"12345"))], without("etc/a")),
    "C10": (
        [tar(entry(".wh..wh.aufs"), entry(".wh..wh.plnk/", type=b"5"), entry(".wh..wh.plnk/9", b"x"), entry("h", type=b"1", link=".wh..wh.plnk/9"))],
        {"h": "file 0:2"},
    ),
    "C10 not at the root": ([BASE, bare("etc/.wh..wh.a")], LOWER),
    "C11 parent is gone": ([BASE, tar(whiteout("etc")), tar(whiteout("etc/a"))], without("etc", "etc/a", "etc/b")),
    "C11 parent is a file": ([tar(entry("etc")), tar(whiteout("etc/a"))], {}),
    "C11 child before its parent": ([tar(entry("d/f"), entry("d/", type=b"5"))], {"d": "directory", "d/f": "file 0:0"}),
    "C12": ([BASE, tar(entry("bin/foo", b"x"))], without("bin", bin__foo="file 1:0")),
    "C13": (
        [BASE, tar(entry("l", type=b"2", link="etc"), entry("l/n", b"x"), entry("l/a", b"y"))],
        without(l="symlink", etc__n="file 1:1", etc__a="file 1:2"),
    ),
    "C13 absolute, up, dangling": (
        [tar(entry("d/l", type=b"2", link="../e/./x/.."), entry("d/l/n"), entry("m", type=b"2", link="/d"), entry("m/k"))],
        {"d/l": "symlink", "e/n": "file 0:1", "m": "symlink", "d/k": "file 0:3"},
    ),
    "C13 out of the root": ([tar(entry("l", type=b"2", link="../../x"), entry("l/n"))], {"l": "symlink", "x/n": "file 0:1"}),
    "C13 circle": ([tar(entry("l", type=b"2", link="m"), entry("m", type=b"2", link="l"), entry("l/n"))], {"l/n": "file 0:2", "m": "symlink"}),
    "C14 whiteout": (
        [tar(entry("t/f", b"x"), entry("l", type=b"2", link="t")), tar(whiteout("l"))],
        {"t/f": "file 0:0"},
    ),
    "C14 opaque": (
        [tar(entry("t/f", b"x"), entry("l", type=b"2", link="t")), tar(opaque("l"))],
        {"t/f": "file 0:0"},
    ),
    "C15 folder over file": ([BASE, tar(entry("etc/a/", type=b"5"))], without(etc__a="directory")),
    "C15 file over folder": ([BASE, tar(entry("etc", b"x"))], without("etc/a", "etc/b", etc="file 1:0")),
    "C15 symlink over folder": ([BASE, tar(entry("etc", type=b"2", link="x"))], without("etc/a", "etc/b", etc="symlink")),
    "C15 folder over symlink": ([BASE, tar(entry("bin/", type=b"5"))], without(bin="directory")),
    "C16": ([BASE, build.layer({"etc": Dir(mode=0o700), "etc/c": b"x"})], without(etc__c="file 1:1")),
    "C17": ([tar(entry("x/y/z", b"1"))], {"x/y/z": "file 0:0"}),
    "C18 file, file": ([tar(entry("a", b"1"), entry("a", b"2"))], {"a": "file 0:1"}),
    "C18 folder, file": ([tar(entry("a/", type=b"5"), entry("a/b"), entry("a", b"2"))], {"a": "file 0:2"}),
    "C18 file, folder": ([tar(entry("a", b"2"), entry("a/", type=b"5"), entry("a/b"))], {"a": "directory", "a/b": "file 0:2"}),
    "C19": ([tar(*(entry(name) for name in ("x", "./x", "/x", "x/", "a/../x", "a//../x")))], {"x": "file 0:5"}),
    "C20": ([tar(entry("../x", b"1"))], {"x": "file 0:0"}),
    "C21": ([BASE, tar(entry("./", type=b"2", link="/etc"), entry(".", b"x"))], LOWER),
    "C21 a folder": ([tar(entry("./", type=b"5", mode=0o700), entry("a"))], {"/": "directory", "a": "file 0:1"}),
    "C22": ([tar(entry("", b"x"), entry("b"))], {"b": "file 0:1"}),
    "C23": ([BASE, build.layer({"etc/a": Device(0, 0)})], without("etc/a")),
    "C23 another device": ([BASE, build.layer({"etc/a": Device(1, 0)})], without(etc__a="character")),
    "C24": (
        [BASE, tar(entry("etc/n"), pax({"SCHILY.xattr.trusted.overlay.opaque": "y"}) + entry("etc/", type=b"5"))],
        without("etc/a", "etc/b", etc__n="file 1:0"),
    ),
    "C24 of a file": ([BASE, tar(pax({"SCHILY.xattr.trusted.overlay.opaque": "y"}) + entry("etc/a"))], without(etc__a="file 1:0")),
    "C24 no": ([BASE, tar(pax({"SCHILY.xattr.trusted.overlay.opaque": "n"}) + entry("etc/", type=b"5"))], LOWER),
    "C25": ([build.layer({"b": Device(8, 0, b"4"), "c": Device(1, 3), "p": Device(0, 0, b"6")})], {"b": "block", "c": "character", "p": "fifo"}),
    "C26": ([tar(entry("a", b"123"), entry("h", type=b"1", link="a", size=3))], {"a": "file 0:0", "h": "file 0:0"}),
    "C27": (
        [tar(entry("h0", b"1"), *(entry(f"h{n + 1}", type=b"1", link=f"h{n}") for n in range(10)))],
        {f"h{n}": "file 0:0" for n in range(11)},
    ),
    "C28": ([tar(entry("h", type=b"1", link="a"), entry("a", b"1"))], {"h": "file 0:1", "a": "file 0:1"}),
    "C28 a chain": (
        [tar(*(entry(f"h{n}", type=b"1", link=f"h{n + 1}") for n in range(10)), entry("h10", b"1"))],
        {f"h{n}": "file 0:10" for n in range(11)},
    ),
    "C28 a chain of both directions": (
        [tar(entry("y", type=b"1", link="z"), entry("x", type=b"1", link="y"), entry("z", b"1"), entry("w", type=b"1", link="x"))],
        dict.fromkeys("wxyz", "file 0:2"),
    ),
    "C29": ([BASE, tar(entry("h", type=b"1", link="etc/a"))], without(h="file 0:1")),
    "C29 of a file that the layer deletes": ([BASE, tar(whiteout("etc/a"), entry("h", type=b"1", link="etc/a"))], without("etc/a", h="file 0:1")),
    "C30 replaced": ([tar(entry("a", b"1"), entry("h", type=b"1", link="a")), tar(entry("a", b"2"))], {"a": "file 1:0", "h": "file 0:0"}),
    "C30 deleted": ([tar(entry("a", b"1"), entry("h", type=b"1", link="a")), tar(whiteout("a"))], {"h": "file 0:0"}),
    "C30 replaced by a symlink to it": (
        [tar(entry("a", b"1"), entry("h", type=b"1", link="a")), tar(entry("a", type=b"2", link="h"))],
        {"a": "symlink", "h": "file 0:0"},
    ),
    "C31 itself": ([tar(entry("h", type=b"1", link="h"))], {"h": "nothing"}),
    "C31 circle": ([tar(entry("h", type=b"1", link="i"), entry("i", type=b"1", link="h"))], {"h": "nothing", "i": "nothing"}),
    "C31 folder": ([tar(entry("d/", type=b"5"), entry("h", type=b"1", link="d"))], {"d": "directory", "h": "nothing"}),
    "C31 folder that no entry lists": ([tar(entry("d/f"), entry("h", type=b"1", link="d"))], {"d/f": "file 0:0", "h": "nothing"}),
    "C31 symlink": ([tar(entry("s", type=b"2", link="x"), entry("h", type=b"1", link="s"))], {"s": "symlink", "h": "symlink"}),
    "C31 dangling": ([tar(entry("h", type=b"1", link="x/y"))], {"h": "nothing"}),
    "C32": (
        [tar(entry("d/a", b"1"), *(entry(f"d/h{n}", type=b"1", link=link) for n, link in enumerate(("d/a", "/d/a", "./d/a", "d/../d//a"))))],
        dict.fromkeys(("d/a", "d/h0", "d/h1", "d/h2", "d/h3"), "file 0:0"),
    ),
    "C32 through a symlink": (
        [tar(entry("d/a", b"1"), entry("l", type=b"2", link="d"), entry("h", type=b"1", link="l/a"))],
        {"d/a": "file 0:0", "l": "symlink", "h": "file 0:0"},
    ),
    "C33": ([tar(entry("a", b"1" * 9)), tar(entry("a", b"1" * 9), entry("h", type=b"1", link="a"))], {"a": "file 1:0", "h": "file 1:0"}),
    "C35": ([tar(*map(entry, ("x", " x", "x ", "X")))], {"x": "file 0:0", " x": "file 0:1", "x ": "file 0:2", "X": "file 0:3"}),
    "C36": ([tar(entry(b"caf\xe9"), entry(b"caf\xef\xbf\xbd"))], {"caf\\xe9": "file 0:0", "caf\ufffd": "file 0:1"}),
}  # fmt: skip


@pytest.mark.case(
    "C01", "C02", "C03", "C04", "C05", "C06", "C07", "C08", "C09", "C10", "C11", "C12", "C13", "C14", "C15", "C16", "C17", "C18"
)
@pytest.mark.case(
    "C19", "C20", "C21", "C22", "C23", "C24", "C25", "C26", "C27", "C28", "C29", "C30", "C31", "C32", "C33", "C35", "C36"
)
@pytest.mark.parametrize("name", TABLE)
def test_what_a_container_sees(name: str):
    layers, tree = TABLE[name]
    assert shown(layers) == tree
    if name[:3] not in {"C19", "C22"}:  # Python's tarfile reads these otherwise
        assert_equals_oracle(layers)


NOTES = {
    "C03": "C03",
    "C08": "C08",
    "C12": "C12",
    "C13 circle": "E17",
    "C18 file, file": "C18",
    "C18 folder, file": "C18",
    "C18 file, folder": "C18",
    "C28": "C28",
    "C28 a chain": "C28",
    "C29": "C29",
    "C31 itself": "C31",
    "C31 circle": "C31",
    "C31 folder": "C31",
    "C31 dangling": "C31",
}


@pytest.mark.case("C03", "C08", "C12", "C18", "C28", "C29", "C31", "E17")
@pytest.mark.parametrize("name", NOTES)
def test_what_is_odd_is_told(name: str):
    assert NOTES[name] in {note.id for note in stacked(TABLE[name][0])[1].notes}


# Layers -> fate and ending layer of each regular file, in layer and tar order.
L, R, D = Fate.LIVE, Fate.REPLACED, Fate.DELETED
FATES = {
    "C01": ([tar(entry("a"), entry("b")), tar(whiteout("a"))], [(D, 1), (L, -1)]),
    "C02": ([tar(entry("a")), tar(entry("a"), whiteout("a"))], [(R, 1), (L, -1)]),
    "C04": ([tar(entry("d/a"), entry("d/b")), tar(opaque("d"), entry("d/a"))], [(R, 1), (D, 1), (L, -1)]),
    "C10": ([tar(entry(".wh..wh.plnk/9", b"x"), entry(".wh..wh.aufs"))], [(D, 0), (D, 0)]),
    "C15": ([tar(entry("d/a"), entry("f")), tar(entry("d"), entry("f/", type=b"5"))], [(D, 1), (D, 1), (L, -1)]),
    "C18": ([tar(entry("a", b"1"), entry("a", b"2"))], [(R, 0), (L, -1)]),
    "C18 gone later": ([tar(entry("a", b"1"), entry("a", b"2")), tar(whiteout("a"))], [(R, 0), (D, 1)]),
    "C28": ([tar(entry("h", type=b"1", link="i"), entry("i", type=b"1", link="a"), entry("a")), tar(whiteout("a"), whiteout("i"))], [(L, -1)]),
    "C29": ([tar(entry("a")), tar(entry("h", type=b"1", link="a")), tar(whiteout("a"))], [(L, -1)]),
    "C29, both gone": ([tar(entry("a")), tar(entry("h", type=b"1", link="a")), tar(whiteout("a")), tar(entry("h"))], [(R, 3), (L, -1)]),
    "C30": ([tar(entry("a"), entry("h", type=b"1", link="a")), tar(entry("a")), tar(whiteout("h"))], [(D, 2), (L, -1)]),
    "C30, one layer": ([tar(entry("a"), entry("h", type=b"1", link="a")), tar(whiteout("h"), entry("a"))], [(R, 1), (L, -1)]),
}  # fmt: skip


@pytest.mark.case("C01", "C02", "C04", "C10", "C15", "C18", "C28", "C29", "C30")
@pytest.mark.parametrize("name", FATES)
def test_what_became_of_each_file(name: str):
    layers, fates = FATES[name]
    indexes, result = stacked(layers)
    found = [
        (result.fates[start + row], result.ended[start + row])
        for layer, start in zip(indexes, result.starts, strict=False)
        for row, kind in enumerate(layer.kinds)
        if kind == 0
    ]
    assert found == fates
    assert_equals_oracle(layers)


@pytest.mark.case("C16")
def test_a_folder_over_a_folder_brings_its_attributes():
    indexes, result = stacked([build.layer({"d": Dir(mode=0o755), "d/f": b"1"}), build.layer({"d": Dir(mode=0o700)})])
    row = result.visible[b"d"]
    assert indexes[1].modes[row - result.starts[1]] == 0o700
    assert b"d/f" in result.visible


@pytest.mark.case("C27", "C28")
def test_long_chains_take_no_stack_and_no_square_of_time():
    count = 20_000
    layer = tar(*(entry(f"h{n}", type=b"1", link=f"h{n + 1}") for n in range(count)), entry(f"h{count}", b"x"))
    ring = tar(*(entry(f"h{n}", type=b"1", link=f"h{(n + 1) % count}") for n in range(count)))
    assert set(shown([layer]).values()) == {f"file 0:{count}"}
    assert set(shown([ring]).values()) == {"nothing"}


class Counted(Stacker):
    """A stacker that counts what it touches."""

    touched = 0

    def _bury_below(self, path: bytes) -> None:
        before = len(self.gone)
        super()._bury_below(path)
        self.touched += 1 + len(self.gone) - before


def touches(marks: int, files: int) -> int:
    """Return how many steps opaque markers of one folder of files take, put twice."""
    base = index(tar(*(entry(f"d/f{number}") for number in range(files))))
    top = index(opaque("d") * marks)
    indexes = [base, top, base, top]
    stacker = Counted(indexes)
    for position, one in enumerate(indexes):
        stacker.add(position, one)
    assert Counter(stacker.finish().fates)[Fate.DELETED] >= min(files, marks)
    return stacker.touched


@pytest.mark.case("E16")
def test_whiteout_storms_take_linear_time():
    # 10,000 opaque markers in one folder of 100,000 files: each file is taken away once, each marker touches the folder once.
    assert touches(10_000, 100_000) <= 2 * (10_000 + 100_000)
    small, large = (touches(1000 * scale, 2000 * scale) for scale in (1, 4))
    assert large <= 4 * small + 10


@pytest.mark.case("E16")
def test_whiteout_storms_take_steps_in_proportion():
    """Count the lines that run, whatever they are: four times the input, four times the lines."""

    def lines(scale: int) -> int:
        base = [entry(f"d/f{number}", b"x") for number in range(300 * scale)]
        marks = [
            mark(f"d/f{number}" if mark is whiteout else "d") for number in range(100 * scale) for mark in (whiteout, opaque)
        ]
        indexes = [index(tar(*base)), index(tar(*marks, *base)), index(tar(*marks))]
        count = 0

        def trace(frame, event, arg):
            nonlocal count
            count += 1
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            stack(indexes)
        finally:
            sys.settrace(before)
        return count

    assert lines(4) <= 4.2 * lines(1)


@pytest.mark.case("C38", "E18")
def test_folders_nested_without_end():
    deep = [pax({"path": "d/" * 5000 + f"f{number}"}) + entry("x", b"1") for number in range(3)]
    indexes, result = stacked([tar(*deep), tar(whiteout("d"))])
    assert list(result.fates[:3]) == [Fate.DELETED] * 3
    bomb = tar(
        *(pax({"path": f"{number}/" + "d/" * 12_000 + "f"}) + entry("x", b"1") for number in range(6)), entry("after", b"1")
    )
    indexes, result = stacked([bomb])
    assert {note.id for note in result.notes} == {"E18"}
    assert not any(result.fates)
    assert sum(indexes[0].sizes) == 7


@pytest.mark.case("E17")
def test_webs_of_symlinks_end():
    web = [entry(f"l{number}", type=b"2", link=f"l{number + 1}/l{number + 1}") for number in range(30)]
    assert len(shown([tar(*web, entry("l30/", type=b"5"), entry("l0/f", b"x"))])) > 30


@settings(max_examples=50, derandomize=True, database=None)
@given(st.lists(st.sampled_from(sorted(TABLE)), min_size=2, max_size=4))
def test_cases_on_one_another(names: list[str]):
    layers = [layer for name in names if name[:3] not in {"C19", "C22"} for layer in TABLE[name][0]]
    assert_equals_oracle(layers)


@pytest.mark.case("C65")
def test_a_layer_of_no_bytes_is_an_empty_layer():
    assert shown([BASE, b""]) == LOWER
    broken = read_tar(Feed.over(b"<html>" * 99, 0, 594), limits=Limits())
    assert len(broken) == 0
    assert broken.notes[0].id == "C65"


def test_the_words_of_build_are_what_they_say():
    layer = build.layer({"a": File(b"1"), "h": Hardlink("a"), "s": Symlink("a"), "d": Dir(), "c": Device(1, 3)})
    assert set(shown([layer]).values()) == {"file 0:0", "symlink", "directory", "character"}
