"""Are databases found that do not lie where they are looked for, and is what they tell the same?"""

from __future__ import annotations

from random import Random

import build
import pytest
from archive.reading import WAYS, ids, message, read
from build import Dir, File, Image, Symlink, docker_save, tar, whiteout
from layerscope.model import Kind
from layerscope.packages.contents import Contents
from layerscope.packages.homes import HOMES
from layerscope.packages.moves import find_moves, moves_by_links
from layerscope.rootfs.stacker import stack

from packages.images import layer
from packages.installations import PACMAN_DESC

NOISE = {"noise": File(Random(1).randbytes(1 << 20))}
DPKG = {
    "status": "Package: dash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 0.5\n",
    "info/dash.list": "/.\n/bin/sh\n/usr/share/doc/dash\n",
    "info/dash.md5sums": "827ccb0eea8a706c4c34a16891f84e7b  bin/sh\n",
}
PACMAN = {
    "local/bash-5.2.026-2/desc": PACMAN_DESC,
    "local/bash-5.2.026-2/files": "%FILES%\nbin/\nbin/sh\nusr/share/doc/dash\n",
}
FILES = {"bin/sh": File("12345"), "usr/share/doc/dash": File("1234567")}
KINDS = {"var/lib/dpkg/": (DPKG, "status"), "var/lib/pacman/": (PACMAN, "local/bash-5.2.026-2/desc")}


def lying(folder, database):
    return {folder + name: File(text) for name, text in database.items()}


def told(report):
    """Return what is told of packages and owners, without where the database is."""
    packages = [
        (one.package.name, one.package.version, one.package.paths, one.bytes, one.files, one.layer, one.removed_in)
        for one in report.ownership.packages
    ]
    return packages, {(one.owner, one.class_, one.bytes) for one in report.ownership.owners}


def origins(report):
    return [one.package.origin.decode() for one in report.ownership.packages]


@pytest.mark.parametrize(("home", "usual"), HOMES.items())
@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_a_database_is_found_where_distributions_put_it(home, usual, linked, way):
    database, first = KINDS[usual]
    link = {usual[:-1]: Symlink("/" + home)} if linked else {}
    plain = read(docker_save(Image([build.layer(FILES | NOISE | lying(usual, database))])))
    moved = read(docker_save(Image([build.layer(FILES | NOISE | lying(home, database) | link)], codec="gzip")), way)
    assert told(moved) == told(plain)
    assert told(plain)[0][0][3] == 12
    assert origins(moved) == [home + first]
    assert not ids(moved, "warning")


LINKS = {
    "the folder": ("opt/db/", {"var/lib/dpkg": Symlink("../../opt/db")}),
    "the folder around it": ("srv/lib/dpkg/", {"var/lib": Symlink("/srv/lib/")}),
    "a chain": ("opt/db/", {"var": Symlink("a"), "a/lib": Symlink("../b"), "b/dpkg": Symlink("/c/../opt/db")}),
    "the root": ("lib/dpkg/", {"var": Symlink("/")}),
}


@pytest.mark.parametrize(("place", "links"), LINKS.values(), ids=LINKS.keys())
@pytest.mark.parametrize("codec", ["none", "gzip"])
@pytest.mark.parametrize("way", WAYS)
def test_a_database_is_found_behind_symlinks(place, links, codec, way):
    made = read(docker_save(Image([build.layer(FILES | links | lying(place, DPKG))], codec=codec)), way)
    assert [(one.package.name, one.bytes) for one in made.ownership.packages] == [("dash", 12)]
    assert origins(made) == [place + "status"]


@pytest.mark.parametrize("way", WAYS)
def test_symlinks_and_what_they_lead_to_may_stand_in_different_layers(way):
    layers = [build.layer(FILES | NOISE | lying("opt/db/", DPKG)), build.layer({"var/lib/dpkg": Symlink("/opt/db")})]
    made = read(docker_save(Image(layers, codec="gzip")), way)
    if way == "pipe":
        assert not made.ownership.packages
        assert message(made, "C26") == (
            "3 files were not looked into by a name that a link gives: standard input passes only once: write it to a file first"
        )
    else:
        assert told(made)[0] == [("dash", "0.5", (b"bin/sh", b"usr/share/doc/dash"), 12, 2, 0, None)]


def test_files_are_found_behind_symlinks_of_their_own():
    """As NixOS has them."""
    tree = {
        "etc/os-release": Symlink("/etc/static/os-release"),
        "etc/static": Symlink("/nix/store/a-etc/etc"),
        "nix/store/a-etc/etc/os-release": Symlink("/nix/store/b-release"),
        "nix/store/b-release": File("ID=nixos\nVERSION_ID=24.05\n"),
    }
    made = read(docker_save(Image([build.layer(tree)])))
    assert (made.release.id, made.release.version_id) == ("nixos", "24.05")


@pytest.mark.parametrize("way", WAYS)
def test_a_root_file_system_is_read_alike(way):
    made = read(build.layer(FILES | {"var/lib/dpkg": Symlink("/opt/db")} | lying("opt/db/", DPKG)), way)
    if way == "pipe":
        assert ids(made, "warning") == {"C26"}
    else:
        assert [(one.package.name, one.bytes) for one in made.ownership.packages] == [("dash", 12)]


def moved_away(folder):
    """Return layers: a database, in a later one it is moved, in the last it tells of another version."""
    news = DPKG | {"status": DPKG["status"].replace("0.5", "0.6")}
    away = [whiteout("var/lib/dpkg")] if folder == "usr/lib/sysimage/dpkg/" else []  # and the link comes at the first boot
    link = {} if away else {"var/lib/dpkg": Symlink("/" + folder)}
    return [
        build.layer(FILES | lying("var/lib/dpkg/", DPKG)),
        tar(*away, build.files(lying(folder, DPKG) | link)),
        build.layer({folder + "status": File(news["status"])}),
    ]


@pytest.mark.parametrize("folder", ["opt/db/", "usr/lib/sysimage/dpkg/"])
def test_a_database_that_moves_stays_the_same(folder):
    made = read(docker_save(Image(moved_away(folder))))
    assert [(one.package.version, one.layer, one.removed_in) for one in made.ownership.packages] == [
        ("0.5", 0, 2), ("0.6", 2, None),
    ]  # fmt: skip


def spans(indexes):
    contents = Contents(indexes, stack(indexes))
    return [span[:3] for span in contents.matching(("var/lib/dpkg/status",))], contents.moved


def test_a_real_file_counts_more_while_it_is_there():
    usual, home = "var/lib/dpkg/status", "usr/lib/sysimage/dpkg/status"
    gone = layer((usual, Kind.WHITEOUT))
    assert spans([layer((home, "a"), (usual, "b"))]) == ([(0, -1, usual.encode())], {})
    found, moved = spans([layer((home, "a")), layer((usual, "b")), gone, layer((home, Kind.WHITEOUT))])
    assert sorted(found) == [(0, 1, usual.encode()), (1, 2, usual.encode()), (2, 3, usual.encode())]
    assert moved == {usual.encode(): home.encode()}
    other = "usr/share/dpkg/database/status"
    assert sorted(spans([layer((home, "a"), (other, "b")), layer((home, Kind.WHITEOUT))])[0]) == [
        (0, 1, usual.encode()), (1, -1, usual.encode()),
    ]  # fmt: skip


ORDINARY = {
    "lib": Symlink("usr/lib"),
    "etc/os-release": Symlink("../usr/lib/os-release"),
    "var/lib/rpm": Symlink("../../usr/lib/sysimage/rpm"),
    "usr/lib/opkg": Symlink("/var/lib/opkg"),
    "var/run": Symlink("/run"),
    "var/lib/a": Symlink("/opt/a"),
}


def test_what_is_looked_for_at_both_places_has_not_moved():
    indexes = [layer(*((path, Kind.SYMLINK, node.link) for path, node in ORDINARY.items()), ("usr/lib/os-release", "ID=a"))]
    assert moves_by_links(indexes) is None
    assert find_moves(indexes).usual(b"usr/lib/sysimage/rpm/rpmdb.sqlite") is None


@pytest.mark.parametrize(
    "links",
    [
        {"var/lib/dpkg": "dpkg"},
        {"var/lib/dpkg": "/var/lib/a", "var/lib/a": "dpkg"},
        {"var": "/var/var"},
        {"var/lib/dpkg": "/" + "a/" * 2040},
        {"var/lib/dpkg/info": "../../.."},
        {"etc": "/nowhere"},
    ],
)
def test_links_that_lead_nowhere_do_no_harm(links):
    tree = FILES | {path: Symlink(to) for path, to in links.items()} | {"x.list": File("/bin/sh\n")}
    assert not read(docker_save(Image([build.layer(tree)]))).ownership.packages


def test_digests_of_a_moved_database_are_checked():
    tree = FILES | {"var/lib/dpkg": Symlink("/opt/db"), "opt": Dir()} | lying("opt/db/", DPKG)
    for content, verified, deviations in (("12345", 1, 0), ("54321", 0, 1)):
        made = read(docker_save(Image([build.layer(tree | {"bin/sh": File(content)})])), sums=True)
        assert (made.verification.verified, len(made.verification.deviations)) == (verified, deviations)


def test_notes_name_the_real_file():
    tree = lying("usr/lib/sysimage/dpkg/", {"status": "Package: a\nStatus: install ok installed\n"})
    made = read(docker_save(Image([build.layer(tree)])))
    assert [note.path for note in made.notes if note.id == "P01"] == [b"usr/lib/sysimage/dpkg/status"]
