"""Package managers of systems beside apk, dpkg and rpm."""

import json
import sqlite3

import pytest
import zstandard
from layerscope.model import Kind, Release
from layerscope.packages.database import View
from layerscope.packages.databases import CHISEL, CONDA, DPKG, HOMEBREW, NIX, OPKG, PACMAN, PORTAGE
from layerscope.packages.ownership import own

from packages.images import layer, stack
from packages.installations import HASH, OTHER, SYSTEMS


def seen(database, prefix, **more):
    files = {path.encode(): text.encode() for path, text in SYSTEMS.items() if path.startswith(prefix)}
    view = View({**files, **{path.encode(): content for path, content in more.items()}}, Release("arch", None, None))
    return {package.name: package for package in database.read(view)}, view.notes


def test_pacman():
    found, notes = seen(PACMAN, "var/lib/pacman")
    bash = found["bash"]
    assert (bash.version, bash.reason, bash.paths) == ("5.2.026-2", "dependency", (b"usr/bin/bash",))
    assert bash.requires == ("readline", "glibc")
    assert bash.purl == "pkg:alpm/arch/bash@5.2.026-2?arch=x86_64"
    assert found["readline"].reason == "asked"
    assert [note.path for note in notes] == [b"var/lib/pacman/local/cut-1/desc"]


def test_opkg():
    found, notes = seen(OPKG, "usr/lib/opkg")
    assert {name: package.reason for name, package in found.items()} == {"busybox": "asked", "libc": "dependency"}
    assert found["busybox"].paths == (b"bin/busybox", b"bin/sh")
    assert found["busybox"].requires == ("libc", "libgcc1")
    assert notes == []


def test_portage():
    found, notes = seen(PORTAGE, "var/")
    bash = found["app-shells/bash"]
    assert (bash.version, bash.reason, bash.license) == ("5.2_p21-r2", "asked", "GPL-3+")
    assert bash.paths == (b"bin/bash", b"bin/sh", b"etc/a b c")
    assert bash.requires == ("sys-libs/readline",)
    assert bash.purl == "pkg:ebuild/app-shells/bash@5.2_p21-r2"
    assert found["sys-libs/readline"].reason == "dependency"
    assert len(notes) == 1


def test_nix_by_the_names_of_folders():
    found, _ = seen(NIX, "nix/")
    assert {name: package.version for name, package in found.items()} == {
        "glibc": "2.39-52", "nss-cacert": "3.98", "profile": ""
    }  # fmt: skip
    assert found["glibc"].purl == f"pkg:nix/glibc@2.39-52?output=bin&outputhash={HASH}"


def test_nix_store_paths_own_what_lies_below_and_refer_to_others():
    connection = sqlite3.connect(":memory:")
    connection.executescript(f"""
        CREATE TABLE ValidPaths (id, path); CREATE TABLE Refs (referrer, reference);
        INSERT INTO ValidPaths VALUES (1, '/nix/store/{HASH}-hello-2.12'), (2, '/nix/store/{OTHER}-glibc-2.39');
        INSERT INTO Refs VALUES (1, 2), (2, 2);
    """)
    connection.commit()
    hello, glibc = f"nix/store/{HASH}-hello-2.12", f"nix/store/{OTHER}-glibc-2.39"
    base = layer(
        (hello, Kind.DIRECTORY), (f"{hello}/bin/hello", 10), (glibc, Kind.DIRECTORY), (f"{glibc}/lib/libc.so", 100),
        ("nix/var/nix/db/db.sqlite", connection.serialize()),
    )  # fmt: skip
    indexes = [base, layer((hello, Kind.WHITEOUT))]
    result = own(indexes, [None] * 2, stack(indexes))
    shares = {share.package.name: share for share in result.packages}
    assert (shares["hello"].bytes, shares["glibc"].bytes, shares["hello"].removed_in) == (10, 100, 1)
    result = own(indexes[:1], [None], stack(indexes[:1]))
    shares = {share.package.name: share for share in result.packages}
    assert shares["glibc"].required_by == ("hello",)
    assert shares["hello"].retained_bytes == 110


def test_conda():
    found, _ = seen(CONDA, "opt/conda")
    numpy = found["numpy"]
    assert numpy.paths[1:] == (b"opt/conda/lib/python3.11/site-packages/numpy/__init__.py", b"opt/conda/bin/f2py")
    assert (numpy.reason, numpy.evidence, numpy.requires) == ("asked", "conda: numpy", ("python", "libblas"))
    assert numpy.purl == "pkg:conda/numpy@1.26.4?build=py311_0&channel=https:%2F%2Fc%2Fmain&subdir=linux-64"
    assert found["python"].reason == "dependency"


def test_homebrew():
    found, _ = seen(HOMEBREW, "home/")
    assert found["jq"].requires == ("oniguruma",)
    assert (found["jq"].reason, found["oniguruma"].reason) == ("asked", "dependency")
    assert found["jq"].trees == (b"home/linuxbrew/.linuxbrew/Cellar/jq/1.7.1",)


WALL = [
    {"jsonwall": "1.0", "schema": "1.0"},
    {"kind": "package", "name": "base-files", "version": "13ubuntu10", "sha256": "0", "arch": "amd64"},
    {"kind": "slice", "name": "base-files_base"},
    {"kind": "path", "path": "/etc/os-release", "slices": ["base-files_base"]},
    {"kind": "path", "path": "/etc/", "slices": ["base-files_base"]},
    {"kind": "content", "slice": "base-files_base", "path": "/etc/os-release"},
]


def test_chisel():
    wall = zstandard.compress("\n".join(map(json.dumps, WALL)).encode())
    found, notes = seen(CHISEL, "none", **{"var/lib/chisel/manifest.wall": wall})
    assert found["base-files"].paths == (b"etc/os-release",)
    assert (found["base-files"].version, found["base-files"].evidence) == ("13ubuntu10", "chisel: base-files_base")
    assert notes == []


@pytest.mark.parametrize("content", [b"", b"text", zstandard.compress(b"[1"), zstandard.compress(bytes(70 << 20))])
def test_chisel_manifests_that_are_none(content):
    found, notes = seen(CHISEL, "none", **{"var/lib/chisel/manifest.wall": content})
    assert found == {}
    assert len(notes) <= 2


def test_apt_history_tells_the_command():
    history = (
        "Start-Date: 2024-01-01  00:00:00\nCommandline: apt-get install -y curl\n"
        "Install: curl:amd64 (8-1), libcurl4:amd64 (8-1, automatic)\nEnd-Date: 2024\n"
    )
    status = "\n\n".join(
        f"Package: {name}\nStatus: install ok installed\nVersion: 8-1\nArchitecture: amd64"
        for name in ("curl", "libcurl4", "vim")
    )
    files = {b"var/lib/dpkg/status": status.encode(), b"var/log/apt/history.log": history.encode()}
    found = {package.name: package for package in DPKG.read(View(files))}
    assert (found["curl"].reason, found["curl"].evidence) == ("asked", "apt-get install -y curl")
    assert (found["libcurl4"].reason, found["libcurl4"].evidence) == ("dependency", "automatic: apt-get install -y curl")
    assert found["vim"].reason is None
