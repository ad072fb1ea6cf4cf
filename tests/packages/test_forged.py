"""A large Debian image (`LAYERSCOPE_FORGE` names the folder), counted another way: tarfile, dpkg's lists, inodes once."""

import json
import os
import posixpath
import shutil
import subprocess
import tarfile
import time
from collections import Counter
from pathlib import Path

import pytest
from layerscope import api, report
from layerscope.packages.why import explain_package, find_package

FORGE = Path(os.environ.get("LAYERSCOPE_FORGE", "/nonexistent"))
IMAGE = FORGE / "node-debian.docker25.tar"
pytestmark = pytest.mark.skipif(not IMAGE.exists(), reason="LAYERSCOPE_FORGE names no folder with node-debian.docker25.tar")


class Tree:
    """The files that a container sees, by a plain walk: path -> (inode, size), and the contents of dpkg's database."""

    def __init__(self, path):
        self.files, self.links, self.kept, self.order = {}, {}, {}, {}
        with tarfile.open(path) as outer:
            for number, name in enumerate(json.load(outer.extractfile("manifest.json"))[0]["Layers"]):
                with tarfile.open(fileobj=outer.extractfile(name)) as layer:
                    self.add(layer, number)

    def add(self, layer, number):
        for row, member in enumerate(layer):
            path = posixpath.normpath("/" + member.name).lstrip("/")
            folder, _, base = path.rpartition("/")
            if base == ".wh..wh..opq":
                self.drop(folder, below=True)
            elif base.startswith(".wh."):
                self.drop(f"{folder}/{base[4:]}".lstrip("/"))
            elif member.isreg():
                self.put(path, ((number, row), member.size), (number, row))
                if path.startswith("var/lib/dpkg/"):
                    self.kept[path] = layer.extractfile(member).read()
            elif member.islnk():
                inode = self.files.get(posixpath.normpath("/" + member.linkname).lstrip("/"))
                if inode:
                    self.put(path, inode, (number, row))
            elif member.issym():
                self.drop(path)
                self.links[path] = member.linkname

    def put(self, path, inode, order):
        self.links.pop(path, None)
        self.files[path] = inode
        self.order[path] = order

    def drop(self, path, below=False):
        for table in (self.files, self.links):
            for other in [one for one in table if one.startswith(f"{path}/") or (one == path and not below)]:
                del table[other]

    def real(self, path):
        folder, _, base = path.rpartition("/")
        place = ""
        for part in folder.split("/"):
            place = f"{place}/{part}".lstrip("/")
            while place in self.links:
                target = self.links[place]
                place = posixpath.normpath(posixpath.join("/", posixpath.dirname(place), target)).lstrip("/")
        return f"{place}/{base}".lstrip("/")


@pytest.fixture(scope="module")
def image():
    return api.load(str(IMAGE))


def test_bytes_of_every_package_are_those_of_a_plain_count(image, tmp_path):
    owned = api.own(image)
    tree = Tree(IMAGE)
    owners = {}
    names = []
    for chunk in tree.kept["var/lib/dpkg/status"].decode("utf-8", "replace").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in chunk.split("\n") if ": " in line and not line.startswith(" "))
        if fields.get("Status", "").endswith(" installed"):
            names.append((fields["Package"], fields["Architecture"], fields["Version"]))
    for name, arch, _ in reversed(names):
        lists = (f"var/lib/dpkg/info/{name}.list", f"var/lib/dpkg/info/{name}:{arch}.list")
        content = next((tree.kept[one] for one in lists if one in tree.kept), b"")
        for line in content.decode("utf-8", "surrogateescape").split("\n"):
            path = line.lstrip("/")
            owners.setdefault(tree.real(path), name)
            if path in tree.files:
                owners[path] = name
    expected, seen = Counter(), set()
    for path in sorted(tree.files, key=tree.order.__getitem__):
        inode, size = tree.files[path]
        if path in owners and inode not in seen:
            seen.add(inode)
            expected[owners[path]] += size
    listed = Counter()
    stack = report.stack_image(image)
    for position, layer in enumerate(image.layers):
        index = image.index_of(position)
        for row in range(len(index) if layer.same_as is None else 0):
            package = owned.owner_of(stack.starts[position] + row)
            if (
                package is not None
                and package.type == "deb"
                and index.sizes[row]
                and not stack.fates[stack.starts[position] + row]
            ):
                inode = (position, row)
                if inode in seen:
                    listed[package.name] += index.sizes[row]
    wrong = {name: (expected[name], listed[name]) for name in {*expected, *listed} if expected[name] != listed[name]}
    assert wrong == {}
    assert {(one.package.name, one.package.arch, one.package.version) for one in owned.packages
            if one.package.type == "deb" and one.removed_in is None} == set(names)  # fmt: skip
    if shutil.which("dpkg-query"):
        (tmp_path / "info").mkdir()
        (tmp_path / "updates").mkdir()
        (tmp_path / "status").write_bytes(tree.kept["var/lib/dpkg/status"])
        words = [
            "dpkg-query",
            f"--admindir={tmp_path}",
            "-W",
            "-f",
            r"${db:Status-Abbrev}${Package} ${Architecture} ${Version}\n",
        ]
        told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        assert {tuple(line.split()[1:]) for line in told.split("\n") if line.startswith("ii")} == set(names)


def test_what_leaves_with_a_package_weighs_what_it_retains(image):
    owned = api.own(image)
    heavy = sorted(owned.packages, key=lambda one: -(one.retained_bytes or 0))[:8]
    names = {one.package.name for one in heavy} | {"build-essential"}
    for name in names:
        number = find_package(owned, name)
        chain = explain_package(owned, number)
        assert sum(one.bytes for one in chain.leaving) == owned.packages[number].retained_bytes


def test_the_package_stage_costs_less_than_the_scan():
    start = time.process_time()
    image = api.load(str(IMAGE))
    scan = time.process_time() - start
    stack = report.stack_image(image)
    start = time.process_time()
    report.own_image(image, stack)
    assert time.process_time() - start < scan
