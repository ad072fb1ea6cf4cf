"""What `strip` would take off, told from section tables: exactly, never of what is none, never more than is there."""

from __future__ import annotations

import shutil
import struct
import subprocess

import pytest
from build import File, Hardlink, tar, whiteout
from hypothesis import given, settings
from hypothesis import strategies as st
from layerscope.analysis.symbols import PROGRAMS, find, is_binary, read_finding
from layerscope.archive.elf import MAX_SECTIONS, read_elf
from packages.test_programs import elf

from analysis.make import claims, image, report
from analysis.test_whatif import told

PROGRAM = {b".text": b"t" * 900, b".debug_info": b"d" * 300, b".symtab": b"s" * 40, b".strtab": b"n" * 7, b".comment": b"c"}
DEBUG = 300 + 40 + 7
KIND, PHNUM = 16, 56


def found(content):
    told = find(b"", content)
    return None if told is None else read_finding(told)


def patched(content, form, at, *values):
    data = bytearray(content)
    struct.pack_into(form, data, at, *values)
    return bytes(data)


def member(content):
    return b"a.o/".ljust(48) + str(len(content)).ljust(10).encode() + b"`\n" + content + b"\n" * (len(content) & 1)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("wide", [True, False])
def test_debug_sections_and_symbols_of_programs(order, wide):
    assert found(elf(PROGRAM, order, wide)) == (DEBUG, "unneeded")
    assert found(elf({b".text": b"t" * 900, b".comment": b"c", b".debug": b"d"}, order, wide)) is None


def test_an_object_needs_its_symbols():
    relocatable = patched(elf(PROGRAM), "<H", KIND, 1)
    assert found(relocatable) == (300, "debug")
    assert found(b"!<arch>\n" + member(relocatable) + member(b"text") + member(relocatable)) == (600, "debug")
    assert found(b"!<arch>\n" + member(b"text")) is None


def test_relocations_that_stay_need_their_symbols():
    assert found(elf(PROGRAM | {b".rela.debug_info": b"r" * 24})) == (DEBUG + 24, "unneeded")
    assert found(elf(PROGRAM | {b".rela.text": b"r" * 24})) == (300, "unneeded")


def test_what_hangs_behind_a_program_would_be_lost():
    assert found(elf(PROGRAM) + bytes(16)) == (DEBUG, "unneeded")
    assert found(elf(PROGRAM) + b"payload of a self-extracting program") is None


def test_what_is_loaded_stays():
    content = elf(PROGRAM)
    loaded = content + struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, len(content), 0, 0)
    loaded = patched(loaded, "<Q", 32, len(content))
    assert found(patched(loaded, "<HH", PHNUM - 2, 56, 1)) is None


def test_sections_that_lie_over_one_another_count_once():
    content = elf(PROGRAM)
    table = struct.unpack_from("<Q", content, 40)[0]
    text = struct.unpack_from("<QQ", content, table + 64 + 24)
    for number in (2, 3):  # debug sections and symbols that claim to be all of the text
        content = patched(content, "<QQ", table + 64 * number + 24, *text)
    assert found(content) == (7, "unneeded")
    content = patched(content, "<QQ", table + 64 * 4 + 24, 0, 1 << 63)
    assert found(content) is None


def test_tables_that_lie_outside_or_are_too_long():
    content = elf(PROGRAM)
    assert read_elf(content[:-1]) is None
    assert read_elf(patched(content, "<Q", 40, (1 << 64) - 64)) is None
    assert read_elf(patched(content, "<H", 62, 60_000)) is None
    assert read_elf(patched(content, "<H", 60, 0)) is None
    assert read_elf(patched(content, "<Q", 32, 1 << 63)[:56] + struct.pack("<H", 9) + content[58:]) is None
    assert MAX_SECTIONS >= 0xFFFF


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 900), st.binary(min_size=1, max_size=40), st.booleans())
def test_nothing_raises_and_nobody_claims_more_than_is_there(noise, at, patch, archived):
    content = bytearray(elf(PROGRAM) + noise)
    content[at : at + len(patch)] = patch
    given = b"!<arch>\n" + member(bytes(content)) if archived else bytes(content)
    size, _ = found(given) or (0, "")
    assert 0 <= size < len(given)


def test_which_files_are_looked_into():
    assert is_binary(elf(PROGRAM))
    assert not is_binary(b"#!/bin/sh")
    wanted = (b"bin/a", 0o755), (b"lib/a.so", 0o644), (b"lib/a.so.1", 0o644), (b"lib/a.a", 0o644), (b"lib/a.ko", 0o644)
    assert all(PROGRAMS(path, mode, 9) for path, mode in wanted)
    assert not PROGRAMS(b"lib/a.sock", 0o644, 9)


UNSTRIPPED = File(elf(PROGRAM), mode=0o755)
STRIPPED = File(elf({b".text": b"t" * 900}), mode=0o755)


def test_the_cause_claims_a_part_of_each_file():
    made = report({}, {"app": UNSTRIPPED, "other": STRIPPED}, history=["ADD file:%s in /" % ("0" * 64), "COPY --from=0 /app /"])
    (cause,) = made.causes
    assert (cause.id, cause.bytes, cause.path_count, cause.paths[0].bytes) == ("unstripped-binaries", DEBUG, 1, DEBUG)
    whole, rest = len(UNSTRIPPED.data), len(UNSTRIPPED.data) - DEBUG
    assert cause.tar_bytes == -(-whole // 512) * 512 - -(-rest // 512) * 512
    assert cause.fix == ("strip it before layer 1 copies it, in the stage that builds it: strip --strip-unneeded /app")
    assert claims(report({"app": STRIPPED})) == {}


def test_what_a_distribution_ships_is_left_alone():
    installed = b"P:x\nV:1\nA:x86_64\nF:usr/bin\nR:theirs\n\n"
    tree = {"usr/bin/theirs": UNSTRIPPED, "usr/bin/ours": UNSTRIPPED, "lib/apk/db/installed": installed}
    (cause,) = (cause for cause in report(tree).causes if cause.id == "unstripped-binaries")
    assert [share.path for share in cause.paths] == [b"usr/bin/ours"]


def test_fixes_of_many_files():
    names = ("opt/v/lib/a.so", "opt/v/lib/x/b.so.1", "opt/v/lib/x/c.so", "opt/v/lib/d.so")
    base = {"history": ["ADD file:%s in /" % ("0" * 64), "RUN pip install x"]}
    parts = [elf(PROGRAM | {b".text": bytes([n]) * 900}) for n in range(4)]
    (cause,) = report({}, dict(zip(names, parts, strict=True)), **base).causes
    assert cause.title == "4 programs and libraries not stripped"
    assert cause.fix.endswith("&& find /opt/v/lib -type f -name '*.so*' -exec strip --strip-unneeded {} +")
    programs = [File(part, mode=0o755) for part in parts]
    (cause,) = report({}, dict(zip("abcd", programs, strict=True)), **base).causes
    assert cause.fix == "end the RUN of layer 1 with: && strip --strip-unneeded /a ..."
    (cause,) = report({"a": programs[0]}, {}, **base).causes
    assert "comes with the base image" in cause.fix


def test_what_else_is_claimed_is_not_claimed_again():
    assert claims(report({"tmp/app": UNSTRIPPED})) == {"temporary-files": len(UNSTRIPPED.data)}
    hidden = report({"app": UNSTRIPPED}, tar(whiteout("app")))
    assert claims(hidden) == {"deleted-later": len(UNSTRIPPED.data)}
    assert claims(report({"a": UNSTRIPPED, "b": Hardlink("a")})) == {"unstripped-binaries": DEBUG}
    twice = report({"a": UNSTRIPPED, "b": UNSTRIPPED})
    assert claims(twice) == {"unstripped-binaries": 2 * DEBUG, "duplicate-content": len(UNSTRIPPED.data) - DEBUG}


def test_what_would_be_without_it():
    made = image({"app": UNSTRIPPED, "other": b"x" * 70})
    shorter = image({"app": File(UNSTRIPPED.data[DEBUG:], mode=0o755), "other": b"x" * 70})
    found, sizes = told(made, causes=("unstripped-binaries",))
    assert found.losses[0].bytes == DEBUG
    assert sizes == told(shorter)[1]


SOURCE = "static int g(int a) { return a * 3; }\nint f(int a) { return g(a) + 1; }\nint main(void) { return f(2); }\n"


@pytest.mark.skipif(not (shutil.which("gcc") and shutil.which("strip")), reason="gcc and binutils are not there")
@pytest.mark.parametrize(
    ("flags", "option"),
    [
        (["-g", "-o", "app"], "--strip-unneeded"),
        (["-o", "app"], "--strip-unneeded"),
        (["-g", "-gz", "-o", "app"], "--strip-unneeded"),
        (["-g", "-shared", "-fPIC", "-o", "app"], "--strip-unneeded"),
        (["-g", "-c", "-o", "app"], "--strip-debug"),
    ],
)
def test_strip_takes_off_what_was_told(tmp_path, flags, option):
    (tmp_path / "app.c").write_text(SOURCE)
    subprocess.run(["gcc", *flags, "app.c"], cwd=tmp_path, check=True)
    content = (tmp_path / "app").read_bytes()
    freed, told_option = found(content)
    assert f"--strip-{told_option}" == option
    subprocess.run(["strip", option, "app"], cwd=tmp_path, check=True)
    real = len(content) - (tmp_path / "app").stat().st_size
    # strip also writes the names and the table of sections anew: a row for each section that is gone, and padding.
    sections = len(list(read_elf(content).sections()))
    assert freed - 64 <= real <= freed + 64 * sections + 512


def test_what_the_base_image_has_is_stripped_and_squashed():
    made = report({"bin/app": UNSTRIPPED}, {"c": b"y"}, history=["ADD file:%s in /" % ("0" * 64), "RUN x"])
    (cause,) = made.causes
    assert cause.fix == "comes with the base image (layer 0): choose a slimmer base, or strip them and squash"
