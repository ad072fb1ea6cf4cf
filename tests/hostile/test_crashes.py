"""What was found by fuzzing and by bombs, each made small: it crashed, hung, or cost far more than it is long."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tracemalloc
from itertools import islice

import build
import pytest
from fuzzing.targets import TARGETS, load
from layerscope.errors import LayerscopeError
from layerscope.packages.database import MAX_NOTES, MAX_PROBLEMS, MAX_RECORDS, View
from layerscope.packages.databases import DATABASES

from hostile.tools import MIB, ROOT

READERS = {database.name: database for database in DATABASES}
GEM = b"Gem::Specification.new do |s|\n  s.name = 'a'\n  s.version = '1'\n"
SPECIFICATION = b"usr/lib/ruby/gems/3.3.0/specifications/a-1.gemspec"
LONG = 150_000


def read(name, files):
    """Return what a database reads, and its notes."""
    view = View(files)
    return list(READERS[name].read(view)), view.notes


def deps(**told):
    document = {"targets": {"a": {}}, "libraries": {"one/1": told, "two/2": {"type": "package"}}}
    return {b"app/a.deps.json": json.dumps(document).encode()}


@pytest.mark.parametrize("told", [{}, [], {"a": 1}, 7, True, "reference"])
def test_a_library_of_a_strange_type_is_left_out(told):
    found, _ = read("dotnet", deps(type=told))
    assert [package.name for package in found] == ["two"]


def test_a_module_without_a_name_is_no_package():
    mark = {"go": "go1.22", "path": "", "main": ["", "v1"], "modules": [["", "v1"], ["a", "v2"], [{}, []]]}
    found, _ = read("golang", {b"app/shop": json.dumps(mark).encode()})
    assert [package.name for package in found] == ["command-line-arguments", "a", "stdlib"]


HISTORY = b"Commandline: apt-get install a\nInstall: "
SLOW = {
    "blank lines before a gem's field": ("gems", {SPECIFICATION: GEM + b"\n" * LONG}),
    "blanks before a gem's version": ("gems", {SPECIFICATION: GEM + b"  s.version = Gem::Version.new" + b" " * LONG}),
    "blanks before a gem's dependency": ("gems", {SPECIFICATION: GEM + b"  s.add_dependency" + b" " * LONG}),
    "lists of a gem's files that never end": ("gems", {SPECIFICATION: GEM + b"  s.files = [\n" * (LONG // 6)}),
    "a list of files without line ends": ("portage", {b"var/db/pkg/a/b-1/CONTENTS": b"obj / abc " * (LONG // 10)}),
    "links without line ends": ("portage", {b"var/db/pkg/a/b-1/CONTENTS": b"sym /a -> b " * (LONG // 12)}),
    "names without an architecture": ("dpkg", {b"var/log/apt/history.log": HISTORY + b"a" * LONG}),
}


@pytest.mark.parametrize("name", SLOW)
def test_what_is_long_takes_no_longer_than_it_is(name):
    database, files = SLOW[name]
    began = time.monotonic()
    read(database, files)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("filler", [b"\n", b" ", b"version=a" + b" " * 1000 + b"b\n"])
def test_a_long_pom_takes_no_longer_than_it_is(filler):
    from packages.test_programs import jar, look

    text = b"groupId=g\nartifactId=a\nversion=1\n" + filler * (LONG // len(filler))
    began = time.monotonic()
    assert look(b"a.jar", jar(("META-INF/maven/g/a/pom.properties", text)))[0][1] == "a"
    assert time.monotonic() - began < 2


def test_what_the_readers_of_lines_find_is_what_is_listed():
    lines = b"dir /usr\nobj /usr/a b c d41d8cd9 1700000000\nsym /usr/l -> a -> b 1700000000\nobj short\nsym /x\nfif /y\n"
    (package,), _ = read("portage", {b"var/db/pkg/a/b-1/CONTENTS": lines})
    assert package.paths == (b"usr/a b c", b"usr/l")
    gem = b'# x\nGem::Specification.new do |s|\n  s.name = "a".freeze\n  s.version = Gem::Version.new("1.2")\n'
    gem += b'  s.licenses = ["MIT".freeze]\n  s.files = ["lib/a.rb".freeze,\n "lib/b.rb"]\n  s.add_dependency(%q<b>, ["> 0"])\nend\n'
    default = SPECIFICATION.replace(b"a-1", b"default/a-1")
    (package,), _ = read("gems", {default: gem})
    assert (package.name, package.version, package.license, package.requires) == ("a", "1.2", "MIT", ("b",))
    assert package.paths[-2:] == (b"usr/lib/ruby/3.3.0/a.rb", b"usr/lib/ruby/3.3.0/b.rb")


@pytest.mark.parametrize("name", ["dpkg", "opkg", "apk"])
def test_records_that_are_none_cost_little_and_are_told_once_or_a_few_times(name):
    path = {"dpkg": b"var/lib/dpkg/status.d/%d", "opkg": b"usr/lib/opkg/status", "apk": b"lib/apk/db/installed"}[name]
    content = b"".join(b"X: %d\n\n" % number for number in range(MAX_RECORDS + 9))
    files = {path % number if b"%" in path else path: content + b"%d" % number for number in range(2)}
    tracemalloc.start()
    found, noted = read(name, files)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert not found
    assert 0 < len(noted) <= 2 * (MAX_PROBLEMS + 1)
    assert any("more was left out" in note.message for note in noted)
    assert peak < 60 * MIB


def test_notes_of_a_database_end_somewhere():
    files = {b"var/db/pkg/a/noversion%d/CONTENTS" % number: b"" for number in range(2 * MAX_NOTES)}
    _, noted = read("portage", files)
    assert len(noted) == MAX_NOTES + 1
    assert "more was left out" in noted[-1].message


def test_a_manifest_of_chisel_that_unpacks_to_gigabytes_is_not_held():
    content = build.zst(bytes(400 * MIB))
    tracemalloc.start()
    found, noted = read("chisel", {b"var/lib/chisel/manifest.wall": content})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert not found
    assert "larger than" in noted[0].message
    assert peak < 200 * MIB


def test_what_the_fuzzer_begins_with_is_read():
    for name, target in TARGETS.items():
        if name == "go":  # tests/tar compares with it
            continue
        for data in islice((data for data in target.seeds() if len(data) < 3000), 5):
            target.run(data)


def test_the_script_tells_which_exit_code_each_input_ends_in(tmp_path, fixtures_dir):
    (tmp_path / "empty").write_bytes(b"")
    command = [sys.executable, ROOT / "scripts" / "exits", tmp_path / "empty", fixtures_dir / "multi.docker.tar"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[1:] == ["given                       2  0: 1, 2: 8, 3: 9", "none ends in exit 70"]


def test_every_database_is_fuzzed():
    assert {database.name for database in DATABASES} <= set(TARGETS)


def test_the_seeds_are_images():
    found = [load("-", data) for data in TARGETS["archive"].seeds() if len(data) <= 60_000]
    assert sum(not isinstance(report, LayerscopeError) for report in found) >= 15
