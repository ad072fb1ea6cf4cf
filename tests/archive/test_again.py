"""Is what a hard link names found as if it were stored under that name?"""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
from dataclasses import replace
from random import Random

import build
import pytest
from build import Dir, File, Hardlink, Image, Symlink, docker_save, tar, whiteout
from hypothesis import given, settings
from hypothesis import strategies as st
from layerscope.analysis.dive import count_as_dive
from layerscope.api import OURS
from layerscope.archive import scan
from layerscope.archive.again import find_looks, in_stream
from layerscope.archive.cache import Cache
from layerscope.archive.feed import Feed
from layerscope.archive.limits import Limits
from layerscope.archive.objects import name_objects
from layerscope.archive.scan import Settings, part_of, scan_place
from layerscope.archive.tar.reader import read_tar
from layerscope.cli.memory import Layers
from layerscope.model import Kind
from layerscope.packages.databases import PATTERNS
from layerscope.packages.patterns import Patterns
from layerscope.rootfs.stacker import stack
from layerscope.secrets.search import inspector

from archive.reading import WAYS, ids, live, load, message, read

OBJECTS = "sysroot/ostree/repo/objects"


def jar():
    """Return a small jar."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("META-INF/maven/org.example/lib/pom.properties", "groupId=org.example\nartifactId=lib\nversion=1.2\n")
    return out.getvalue()


PLAIN = {
    "bin": Symlink("usr/bin"),
    "etc/os-release": Symlink("../usr/lib/os-release"),
    "etc/motd": File("hello"),
    "etc/passwd": File("root:x:0:0::/root:/bin/sh\nevil::0:0::/:/bin/sh\n"),
    "usr/bin/sh": File(b"#!/bin/true" * 10, mode=0o4755),
    "usr/share/plugin.so": File(b"\x7fELF" + bytes(60)),
    "usr/lib/os-release": File('ID=debian\nVERSION_ID="12"\n'),
    "usr/lib/python3/dist-packages/six-1.16.dist-info/METADATA": File("Name: six\nVersion: 1.16\n"),
    "usr/lib/python3/dist-packages/six-1.16.dist-info/RECORD": File("six.py,,\n"),
    "usr/lib/python3/dist-packages/six.py": File("import sys\n" * 9),
    "usr/share/doc/sh/README": File("read me"),
    "usr/share/java/lib.jar": File(jar()),
    "var/lib/dpkg/info/dash.list": File("/.\n/bin\n/bin/sh\n/usr/share/doc/sh/README\n"),
    "var/lib/dpkg/status": File("Package: dash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 0.5\n"),
}


def as_objects(tree, *, apart=False):
    """Return a tree as OSTree writes it: objects, and links to them right behind each, or `apart` behind all of them."""
    objects, links = {}, {}
    for path, node in tree.items():
        name = hashlib.sha256(node.data + build.raw(node.link)).hexdigest()
        place = f"{OBJECTS}/{name[:2]}/{name[2:]}.file"
        objects[place] = node
        links.setdefault(place, {})[path] = Hardlink(place, mode=node.header.get("mode", 0o644))
    if apart:
        return objects | {path: link for named in links.values() for path, link in named.items()}
    return {path: node for place, node in objects.items() for path, node in {place: node, **links[place]}.items()}


def told(report):
    """Return what a report says of packages, owners and what was found in files."""
    packages = {
        (one.package.name, one.package.version, one.package.origin, one.package.paths, one.bytes, one.files,
         one.parent and one.parent.name)
        for one in report.ownership.packages
    }  # fmt: skip
    owners = {(one.owner, one.class_, one.bytes, one.files) for one in report.ownership.owners}
    exposures = {(one.id, one.path, one.detail) for one in report.exposures}
    return report.release, packages, owners, exposures


def saved(*trees, **more):
    return docker_save(Image([build.layer(tree) for tree in trees], **more))


STATUS, LIST = "var/lib/dpkg/status", "var/lib/dpkg/info/dash.list"
NOISE = File(Random(1).randbytes(1 << 20))  # what comes from a pipe and is longer cannot be had again


@pytest.mark.case("C26")
@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("codec", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("way", WAYS)
def test_objects_are_found_as_files_are(way, codec, apart):
    plain = read(saved(PLAIN))
    made = read(saved(as_objects(PLAIN, apart=apart), codec=codec), way)
    assert told(made) == told(plain)
    assert {one.package.name: one.bytes for one in made.ownership.packages} == {"dash": 117, "lib": 235, "six": 132}
    assert live(made) == live(plain)
    assert not [note for note in made.notes if note.level != "info"]


@pytest.mark.parametrize("codec", ["none", "gzip"])
@pytest.mark.parametrize("way", WAYS)
def test_an_object_is_found_by_its_second_name_too(codec, way):
    """As rpm's database is, a copy of which stands in another folder."""
    tree = {"usr/lib/base-db/status": PLAIN[STATUS], LIST: PLAIN[LIST], STATUS: PLAIN[STATUS], "bin/sh": PLAIN["usr/bin/sh"]}
    made = read(saved(as_objects(tree, apart=True), codec=codec), way)
    assert [(one.package.name, one.package.origin, one.bytes) for one in made.ownership.packages] == [
        ("dash", STATUS.encode(), 110)
    ]


@pytest.mark.parametrize("way", WAYS)
def test_objects_are_found_in_a_root_file_system(way):
    made = read(build.layer(as_objects(PLAIN)), way)
    if way == "pipe":
        assert ids(made, "warning") == {"C26"}
    else:
        assert told(made) == told(read(build.layer(PLAIN)))


def test_objects_are_found_in_a_folder(tmp_path):
    image = Image([build.layer(as_objects(PLAIN))])
    assert told(read(build.dir_layout(tmp_path, image))) == told(read(saved(PLAIN)))


@pytest.mark.parametrize("way", WAYS)
def test_what_a_later_layer_does_to_a_name_it_does_to_the_file(way):
    later = {STATUS: File("Package: b\nStatus: install ok installed\nVersion: 2\n"), "usr/bin/.wh.sh": File()}
    plain, made = read(saved(PLAIN, later)), read(saved(as_objects(PLAIN), later), way)
    assert told(made)[:2] == told(plain)[:2]
    dash = next(one for one in made.ownership.packages if one.package.name == "dash")
    assert (dash.removed_in, dash.bytes, dash.files) == (1, 117, 2)
    assert dash.live_bytes == 117  # the object is still there, though nobody sees it


@pytest.mark.parametrize("codec", ["none", "gzip"])
def test_what_came_from_a_pipe_and_is_gone_is_told(codec):
    tree = as_objects(PLAIN | {"noise": NOISE})
    made = read(saved(tree, codec=codec), "pipe")
    assert ids(made, "warning") == {"C26"}
    assert message(made, "C26") == (
        "9 files were not looked into by a name that a link gives: standard input passes only once: write it to a file first"
    )
    assert made.image.complete
    assert not any(one.package.system for one in made.ownership.packages)
    for way in ("place", "gzip"):
        found = read(saved(tree, codec=codec), way)
        assert told(found) == told(read(saved(PLAIN | {"noise": NOISE})))
        assert not ids(found, "warning")


def test_what_is_damaged_the_second_time_is_told(monkeypatch):
    """As where the file is written to meanwhile."""
    monkeypatch.setattr(scan, "in_stream", lambda tar, index, rows: in_stream(part_of(tar, 0, 2000), index, rows))
    made = read(saved(as_objects(PLAIN), codec="gzip"))
    assert message(made, "C26").endswith("files were not looked into by a name that a link gives: "
                                         "the data end before the file does")  # fmt: skip


LINKS = {
    "to a name that means nothing": {"opt/a": File(), "b": Hardlink("opt/a"), STATUS: Hardlink("opt/a")},
    "in a chain": {"opt/a": File(), "b": Hardlink("opt/a"), "c": Hardlink("b"), STATUS: Hardlink("c")},
    "to what is listed again later": {"opt/a": File(), STATUS: Hardlink("opt/a"), "./opt/a": File("x")},
}


@pytest.mark.case("C26", "C27")
@pytest.mark.parametrize("tree", LINKS.values(), ids=LINKS.keys())
@pytest.mark.parametrize("codec", ["none", "gzip"])
@pytest.mark.parametrize("way", WAYS)
def test_a_database_is_found_by_any_of_its_names(tree, codec, way):
    database = PLAIN[STATUS]
    tree = {path: database if node == File() else node for path, node in tree.items()}
    made = read(saved(tree | {LIST: PLAIN[LIST], "bin/sh": File("12345")}, codec=codec), way)
    assert [(one.package.name, one.package.origin, one.bytes) for one in made.ownership.packages] == [
        ("dash", STATUS.encode(), 5)
    ]


@pytest.mark.case("C29")
@pytest.mark.parametrize("codec", ["none", "gzip"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("chain", [False, True])
def test_a_database_is_found_that_lies_in_a_lower_layer(codec, way, chain):
    base = {"opt/a": PLAIN[STATUS], "opt/b": Hardlink("opt/a"), "bin/sh": File("12345")}
    base |= {"noise": NOISE} if way == "pipe" else {}
    top = tar(whiteout("opt/a"), build.files({STATUS: Hardlink("opt/b" if chain else "opt/a"), LIST: PLAIN[LIST]}))
    image = Image([build.layer(base), build.layer({"opt/c": File("c")}), top], codec=codec)
    made = read(docker_save(image), way)
    if way == "pipe":
        assert message(made, "C26").startswith("a file was not looked into by a name that a link gives: standard input")
    else:
        assert [(one.package.name, one.layer, one.bytes) for one in made.ownership.packages] == [("dash", 2, 5)]
        assert not ids(made, "warning")


def test_of_a_file_that_lies_in_two_layers_the_later_one_is_meant():
    base, again = {"opt/a": File("nothing")}, {"opt/a": PLAIN[STATUS]}
    links = {STATUS: Hardlink("opt/a")}
    assert [one.package.name for one in read(saved(base, again, links)).ownership.packages] == ["dash"]
    assert not read(saved(again, base, links)).ownership.packages


@pytest.mark.parametrize("codec", ["none", "gzip"])
def test_a_sparse_file_is_kept_with_its_holes(codec):
    data = PLAIN[STATUS].data
    layer = tar(
        build.sparse_pax("opt/a", [(100, data)], 100 + len(data)),
        build.entry(STATUS, type=b"1", link="opt/a"),
    )
    image = load(docker_save(Image([layer], codec=codec)))
    assert image.layers[0].index.kept == {0: bytes(100) + data}


@pytest.mark.parametrize("codec", ["none", "gzip"])
def test_limits_hold_for_what_is_kept_later(codec):
    data = saved(as_objects(PLAIN), codec=codec)
    size = len(PLAIN[STATUS].data)
    made = read(data, limits={"kept_file_bytes": size - 1})
    assert (
        message(made, "E08") == f"{size} bytes are too many to be looked into (--limit kept_file_bytes=VALUE raises the limit)"
    )
    assert not made.image.complete
    made = read(data, limits={"kept_bytes": 60})
    assert [note.path for note in made.notes if note.id == "E08"]
    assert sum(map(len, made.image.layers[0].index.kept.values())) <= 60
    assert read(data, limits={"kept_bytes": 1000}).image.complete


def test_ordinary_hard_links_are_not_looked_at():
    tree = {
        "bin/[": File(b"\x7fELF", mode=0o755), "bin/ar": Hardlink("bin/["), "bin/zcat": Hardlink("bin/["),
        "pkgs/a/package.json": File("{}"), "node_modules/a/package.json": Hardlink("pkgs/a/package.json"),
        "usr/lib/liba.so.1": File(b"\x7fELF"), "usr/lib/liba.so": Hardlink("usr/lib/liba.so.1"),
    }  # fmt: skip
    assert find_looks(load(saved(tree)).layers[0].index, Patterns(PATTERNS), OURS, placed=False) == {}


@pytest.mark.parametrize("way", WAYS)
def test_secrets_are_found_by_the_names_of_files(way):
    """A password is looked for in `.netrc` alone; what is below `tests/` weighs less."""
    key = f"key = 'AKIA{'QZ7XNPLW3RTB5VKD'}'\n"
    tree = {
        "root/.netrc": File("machine example.org login me password s3cr9tPhrase\n"),
        "srv/tests/a.py": File(f"# one\n{key}"),
        "srv/b.py": File(f"# two\n{key}"),
    }
    plain, made = (
        read(saved(one, codec="gzip"), way, inspectors=(inspector(),)) for one in (tree, as_objects(tree, apart=True))
    )
    assert {(one.id, one.path) for one in plain.exposures} >= {("netrc-password", b"root/.netrc")}
    assert {(one.id, one.path, one.level) for one in made.exposures} == {
        (one.id, one.path, one.level) for one in plain.exposures
    }
    assert len({one.level for one in plain.exposures if one.path in (b"srv/tests/a.py", b"srv/b.py")}) == 2


def test_what_was_found_later_is_known_again(tmp_path):
    layer = gzip.compress(build.layer(as_objects(PLAIN | {"noise": NOISE})), mtime=0)
    settings = Settings(Limits(), Patterns(PATTERNS), OURS, shelf=Layers(Cache(tmp_path)))
    first, again = (scan_place(layer, 0, len(layer), settings) for _ in range(2))
    assert (first.recalled, again.recalled) == (False, True)
    assert replace(again, recalled=False) == first
    assert len(first.index.kept) == 6


EACH = [f"repo/objects/aa/{number:062x}.file" for number in range(3)]
NAMES = ["a", "b", "a/x", "a/y", "b/x", "a/x/z", "b/x/z/w"]


CONTENTS = st.builds(File, st.sampled_from([b"", b"x", b"yy"]))
STORED = st.dictionaries(
    st.sampled_from(EACH), st.one_of(CONTENTS, CONTENTS, st.builds(Symlink, st.sampled_from(NAMES))), min_size=1
)
PUT = st.one_of(
    st.builds(Hardlink, st.sampled_from(EACH)),
    st.builds(Hardlink, st.sampled_from([*EACH, *NAMES])),
    st.builds(Symlink, st.sampled_from(NAMES)),
    st.just(Dir()),
    CONTENTS,
)
NAMED = st.dictionaries(st.sampled_from(NAMES), PUT, min_size=1, max_size=4)
ODD = st.dictionaries(st.sampled_from([*NAMES, *EACH]), PUT, max_size=1)
MARKED = st.lists(st.sampled_from([*EACH, *NAMES]), max_size=1)
LAYERS = st.lists(st.tuples(STORED, NAMED, ODD, MARKED), min_size=1, max_size=3)


def written(stored, named, odd, marked):
    return tar(*map(build.files, (stored, named, odd)), *map(whiteout, marked))


def seen(indexes):
    """Return what a container sees at each path, what became of each file, and what dive would say if nothing was deleted."""
    stacked = stack(indexes)
    kinds = [kind for index in indexes for kind in index.kinds]
    there = {path: stacked.inodes.get(row, row) for path, row in stacked.visible.items()}
    folders = {path for path, row in there.items() if row >= 0 and kinds[row] == Kind.DIRECTORY}
    files = [row for row, kind in enumerate(kinds) if kind == Kind.FILE]
    fates = [(stacked.fates[row], stacked.ended[row]) for row in files]
    dive = None if Kind.WHITEOUT in kinds else count_as_dive(indexes, stacked)
    return {path: row for path, row in there.items() if path not in folders}, folders, fates, dive


@settings(max_examples=500)
@given(LAYERS)
def test_another_name_changes_nothing_else(drawn):
    made = [written(*parts) for parts in drawn]
    plain, named = ([read_tar(Feed.over(data, 0, len(data)), limits=Limits()) for data in made] for _ in range(2))
    for index in named:
        name_objects(index)
    assert seen(named) == seen(plain)


def test_objects_and_their_first_links_change_names():
    tree = {EACH[0]: File("x"), "a": Hardlink(EACH[0]), "b": Hardlink(EACH[0]), EACH[1]: Symlink("a"), "c": Hardlink(EACH[1])}
    index = load(saved(tree)).layers[0].index
    assert index.renamed == {0: 1, 3: 4}
    assert [(path.decode(), Kind(kind)) for path, kind in zip(index.paths, index.kinds, strict=True)] == [
        ("a", Kind.FILE), (EACH[0], Kind.HARDLINK), ("b", Kind.HARDLINK), ("c", Kind.SYMLINK), (EACH[1], Kind.HARDLINK),
    ]  # fmt: skip
    assert index.links == {1: b"a", 2: EACH[0].encode(), 3: b"a", 4: b"c"}
    assert index.folders == [b"", b"repo/objects/aa", b"", b"", b"repo/objects/aa"]


@pytest.mark.parametrize(
    "tree",
    [
        {EACH[0]: File("x"), "a": File("y"), "./a": Hardlink(EACH[0])},  # listed before
        {EACH[0]: File("x"), "b": Hardlink("a"), "a": Hardlink(EACH[0])},  # linked to before
        {EACH[0]: File("x"), "a/x": Hardlink(EACH[0]), "a": Symlink("b")},  # below what is no folder
        {EACH[0]: File("x"), "a/x": File("y"), "a": Hardlink(EACH[0])},  # with something below it
        {EACH[0]: File("x"), EACH[1]: Hardlink(EACH[0]), "a": Hardlink(EACH[0])},  # not the first
        {EACH[0][:-1]: File("x"), "a": Hardlink(EACH[0][:-1])},  # no object
        {EACH[0]: Dir(), "a": Hardlink(EACH[0])},
    ],
)
def test_what_may_be_seen_otherwise_keeps_its_name(tree):
    index = load(saved(tree)).layers[0].index
    assert not index.renamed
