"""What does the reader say of an entry? One table for each kind of trap."""

from __future__ import annotations

import base64

import build
import pytest
from build import entry, pax, tar
from layerscope.archive.feed import Feed
from layerscope.archive.limits import Limits
from layerscope.archive.tar.reader import read_tar
from layerscope.model import Kind, LayerIndex, Level

from tar.readers import in_place
from tar.traps import FEW, SIZE, TRAPS


def read(*entries: bytes, **options) -> LayerIndex:
    return read_tar(Feed.over(data := tar(*entries), 0, len(data)), limits=Limits(), **options)


def ids(index: LayerIndex, level: Level | None = None) -> set[str]:
    return {note.id for note in index.notes if level in {None, note.level}}


def rows(index: LayerIndex) -> list[tuple[bytes, str]]:
    return [(path, Kind(kind).name) for path, kind in zip(index.paths, index.kinds, strict=True)]


# Names of traps (or what they begin with) -> id and level of the note that each of them must leave.
TOLD = {
    "C07 bare marks": ("C07", "warning"),
    "C09 marks": ("C09", "warning"),
    "C20 climbs out": ("C20", "warning"),
    "C21 root as": ("C21", "warning"),
    "C22 no name": ("C22", "warning"),
    "C23 0:0": ("C23", "warning"),
    "C24 overlay": ("C24", "warning"),
    "C25 device with a size": ("C25", "warning"),
    "C37 NUL in path": ("C37", "error"),
    "C37 NUL in linkpath": ("C37", "error"),
    "C41 uid: letters": ("C60", "error"),
    "C61 mtime='nan'": ("C61", "error"),
    "C43 old, no data": ("C43", None),
    "C43 old, out": ("C43", "error"),
    "C43 old, less": ("C43", "error"),
    "C43 old, more": ("C43", "error"),
    "C43 1.0, overlap": ("C43", "error"),
    "C44": ("C44", "warning"),
    "C46": ("C47", "info"),
    "C49 global": ("C49", "info"),
    "C49 bad global": ("C61", "error"),
    "C50 type 'V'": ("C50", "info"),
    "C50 type 'Q'": ("C50", "info"),
    "C52": ("C52", "error"),
    "C53 two": ("C53", "warning"),
    "C53 garbage": ("C53", "warning"),
    "C54 checksum one off": ("C54", "error"),
    "C56": ("C56", "warning"),
    "C57 PAX, then long": ("C57", "warning"),
    "C57 long, then PAX": ("C57", "warning"),
    "C58 size over PAX": ("C56", "warning"),
    "C58 size for": ("C58", "warning"),
    "C59 long name over old type": ("C59", "warning"),
    "C60 size: nul in front": ("C60", "warning"),
    "C60 size: letters": ("C60", "error"),
    "C61 negative": (("C61", "C58"), None),
    "C61 huge": ("C61", "error"),
    "C61 record: zero length": ("E12", "error"),
    "C61 empty": ("C61", "warning"),
    "C62 folder of old type with": (("C62", "E11"), None),
    "C62 slash by PAX": ("C62", "warning"),
    "C62 file": ("C62", "warning"),
    "C63 gnu with prefix": ("C63", "warning"),
    "C64": ("C64", "warning"),
    "C65 JSON": ("C65", "error"),
    "C65 HTML": ("C65", "error"),
    "C65 zip": ("C65", "error"),
    "E13 more": ("E13", "error"),
    "E14 old, extensions without end": ("E14", "error"),
}
SILENT = [
    "C62 folder of old type",
    "C62 slash by PAX, old type, no size",
    "C62 slash by PAX, old type, negative size",
    "C64 dangling global",
    "C43 old, PAX name",
    "C43 old, empty",
]
QUIET = [
    "C51 no end",
    "C51 one zero block",
    "C53 zeros only",
    "C65 nothing",
    "C65 zeros",
    "C63 ustar prefix",
    "C63 star",
    "C63 v7",
]


@pytest.mark.case("C07", "C09", "C20", "C21", "C22", "C23", "C24", "C25", "C37", "C44", "C46", "C49", "C50", "C52", "C53")
@pytest.mark.case("C54", "C56", "C57", "C58", "C59", "C60", "C61", "C62", "C63", "C64", "C65", "E11", "E12", "E13", "E14")
@pytest.mark.parametrize("name", TOLD)
def test_each_oddity_leaves_its_note(name: str):
    wanted, level = TOLD[name]
    traps = [trap for trap in TRAPS if trap.startswith(name) and trap not in SILENT]
    assert traps
    for trap in traps:
        found = [note for note in in_place(TRAPS[trap], whiteouts=True).notes if note.id in wanted]
        assert found, (trap, in_place(TRAPS[trap], whiteouts=True).notes)
        assert level in {None, found[0].level}
        assert found[0].offset is not None


@pytest.mark.case("C51", "C63", "C65")
@pytest.mark.parametrize("name", QUIET)
def test_what_is_usual_leaves_no_note(name: str):
    assert in_place(TRAPS[name], whiteouts=True).notes == ()


@pytest.mark.case("C19", "C20")
def test_spellings_of_a_name_are_one_path():
    index = read(*(entry(name) for name in ("x", "./x", "/x", "x/", "a/../x", "a//../x", "../x", "a/./../../x")))
    assert set(index.paths) == {b"x"}
    assert ids(index) == {"C20", "C62"}


@pytest.mark.case("C35", "C36")
def test_names_that_look_alike_stay_apart():
    names = [b"x", b" x", b"x ", b"X", b"caf\xe9", b"caf\xef\xbf\xbd", "e\u0301".encode(), "\u00e9".encode()]
    assert read(*(entry(name) for name in names)).paths == names


@pytest.mark.case("C01", "C04", "C06", "C07", "C09", "C10")
def test_names_of_marks():
    table = {
        "etc/.wh.hosts": (b"etc/hosts", "WHITEOUT"),
        ".wh.a": (b"a", "WHITEOUT"),
        "etc/.wh..wh..opq": (b"etc", "OPAQUE"),
        ".wh..wh..opq": (b"", "OPAQUE"),
        "etc/.wh..wh..opqX": (b"etc/.wh..opqX", "WHITEOUT"),
        "etc/.wh..wh.plnk": (b"etc/.wh.plnk", "WHITEOUT"),
        "etc/.wh.": (b"etc/.wh.", "OTHER"),
        "etc/.wh..": (b"etc/.wh..", "OTHER"),
        "etc/.wh...": (b"etc/.wh...", "OTHER"),
        "etc/.wh....": (b"etc/...", "WHITEOUT"),
        ".wh..wh.plnk/9.1": (b".wh..wh.plnk/9.1", "FILE"),
        ".wh..wh.aufs": (b".wh..wh.aufs", "FILE"),
        ".wh..wh..opqX": (b".wh..wh..opqX", "FILE"),
        "etc/x.wh.y": (b"etc/x.wh.y", "FILE"),
        ".wh.dir/file": (b".wh.dir/file", "FILE"),
    }
    assert rows(read(*map(entry, table))) == list(table.values())
    for type_ in (b"5", b"2", b"1", b"3", b"6", b"V"):
        index = read(entry("etc/.wh.a", type=type_, link="b"))
        assert rows(index) == ([(b"etc/a", "WHITEOUT")] if type_ != b"V" else [(b"etc/.wh.a", "OTHER")])
        assert ids(index) == {"C09" if type_ != b"V" else "C50"}
    data = read(entry("etc/.wh.a", b"123"))
    assert (data.sizes[0], data.declared, ids(data)) == (0, {0: 3}, {"C09"})
    assert rows(read(entry("etc/.wh.a"), whiteouts=False)) == [(b"etc/.wh.a", "FILE")]


@pytest.mark.case("C23", "C25")
def test_devices():
    index = read(
        entry("null", type=b"3", devmajor=1, devminor=3),
        entry("sda", type=b"4", devmajor=8),
        entry("b", type=b"4"),
        entry("pipe", type=b"6"),
        entry("gone", type=b"3"),
        entry("v7", type=b"3", devmajor=1, magic="v7"),
        entry("cut", type=b"3", devmajor=4096, devminor=1 << 20),
        entry("big", b"", type=b"3", devmajor=1, size=512),
    )
    kinds = [Kind(kind).name for kind in index.kinds]
    assert kinds == ["CHARACTER", "BLOCK", "BLOCK", "FIFO", "WHITEOUT", "WHITEOUT", "WHITEOUT", "CHARACTER"]
    assert sum(index.sizes) == 0
    assert index.declared == {7: 512}


@pytest.mark.case("C39", "C41", "C42")
def test_numbers_of_an_entry():
    index = read(
        entry("a", mode=0o104755, uid=1 << 40, gid=-2, mtime=-5),
        pax({"uid": (1 << 63) - 1, "gid": 1 << 31, "mtime": "-1.5"}) + entry("b"),
        pax({"mtime": "100000000000000.123456789999"}) + entry("c"),
    )
    assert index.modes[0] == 0o4755
    assert [*index.uids[:2], *index.gids[:2]] == [1 << 40, (1 << 63) - 1, -2, 1 << 31]
    assert index.mtimes == [-5 * 10**9, -1_500_000_000, 10**14 * 10**9 + 123456789]


@pytest.mark.case("C40", "C24")
def test_extended_attributes_are_octets():
    capability = b"\1\0\0\2\0\4\0\0" + bytes(12)
    index = read(
        pax({"SCHILY.xattr.security.capability": capability}) + entry("a"),
        pax({"LIBARCHIVE.xattr.user.%66oo": base64.b64encode(b"\0\xff").rstrip(b"=")}) + entry("b"),
        pax({"SCHILY.xattr.trusted.overlay.opaque": "y"}) + entry("d", type=b"5"),
    )
    assert index.xattrs == {
        0: ((b"security.capability", capability),),
        1: ((b"user.foo", b"\0\xff"),),
        2: ((b"trusted.overlay.opaque", b"y"),),
    }
    assert ids(index) == {"C24"}


@pytest.mark.case("C38")
def test_paths_that_no_runtime_can_make_are_kept_and_told():
    names = ["d/" * 50_000 + "f", "x" * 300, "y/" * 2050 + "f"]
    index = read(*(pax({"path": name}) + entry("short", b"1") for name in names))
    assert index.paths == [name.encode() for name in names]
    assert [note.id for note in index.notes] == ["C38"] * 3


@pytest.mark.case("C43", "C45")
def test_sparse_files_have_their_logical_size_and_stay_in_step():
    for version in ("old", "0.0", "0.1", "1.0"):
        file = build.sparse_gnu("s", FEW, SIZE) if version == "old" else build.sparse_pax("s", FEW, SIZE, version)
        index = read(file, entry("after"), keep=lambda path: path == b"s")
        assert rows(index) == [(b"s", "FILE"), (b"after", "FILE")]
        assert index.sizes[0] == SIZE
        content = bytearray(SIZE)
        for offset, data in FEW:
            content[offset : offset + len(data)] = data
        assert index.kept[0] == bytes(content)
    data = pax({"size": 9 << 30}) + entry("big")
    assert "C55" in ids(read(data), Level.ERROR)


@pytest.mark.case("C55")
def test_a_cut_file_counts_only_where_it_is_asked_for():
    data = tar(entry("a", b"1"), entry("b", b"x" * 2000))[:2048]
    for partial, sizes in ((False, [1]), (True, [1, 512])):
        index = read_tar(Feed.over(data, 0, len(data)), limits=Limits(), partial=partial)
        assert list(index.sizes) == sizes
        assert ids(index, Level.ERROR) == {"C55"}


@pytest.mark.case("C55", "C51")
def test_padding_may_be_missing():
    data = tar(entry("a", b"x" * 10), end=0)[: 512 + 10]
    assert in_place(data).notes == ()
    assert in_place(data).sizes[0] == 10


@pytest.mark.case("E10")
def test_more_entries_than_the_limit_end_the_layer_where_it_says():
    data = tar(*(entry(str(number)) for number in range(9)))
    index = read_tar(Feed.over(data, 0, len(data)), limits=Limits().raised({"entries": 5}))
    assert len(index) == 5
    assert [(note.level, note.offset) for note in index.notes] == [(Level.ERROR, 5 * 512)]


def test_spans_of_all_entries_and_the_end_make_the_tar():
    data = tar(
        pax({"path": "long"}), entry("a", b"x" * 700), build.gnu_long("b" * 200), entry("b"), build.sparse_pax("s", FEW, SIZE)
    )
    assert sum(in_place(data).spans) + 1024 == len(data)
