"""What lies inside programs and jars."""

import io
import json
import shutil
import struct
import subprocess
import tarfile
import zipfile
import zlib
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from layerscope.model import Kind, Level
from layerscope.packages import java
from layerscope.packages.database import View
from layerscope.packages.databases import BUSYBOX, DATABASES, GOLANG, INSPECTORS, PACKED, PROGRAMS, RUST, tells
from layerscope.packages.executables import section
from layerscope.packages.golang import MAGIC
from layerscope.packages.ownership import own
from layerscope.packages.zips import Allowance, Member, members, unpack

from packages.images import corpus, layer, stack


def inspect(path, content):
    """What all who look into programs find in one."""
    if not tells(content[:8192]):
        return ()
    return tuple((one.name, told) for one in INSPECTORS if (told := one.find(path, content)) is not None)


def jar(*files, method=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return stream.getvalue()


def pom(group, name, version):
    return (f"META-INF/maven/{group}/{name}/pom.properties", f"groupId={group}\nartifactId={name}\nversion={version}\n")


def look(path, content, problems=None):
    found = java.read_jars(path, content, [] if problems is None else problems)
    return [(one.group, one.name, one.version, one.place) for one in found]


def elf(sections, order="<", wide=True):
    """Write an ELF file of nothing but sections; the last is that of the names."""
    titles = b"\0" + b"".join(name + b"\0" for name in sections) + b".shstrtab\0"
    start = 64
    body, rows = b"", [(0, 0, 0)]
    for name, content in [*sections.items(), (b".shstrtab", titles)]:
        rows.append((titles.index(name), start + len(body), len(content)))
        body += content
    form = order + ("IIQQQQIIQQ" if wide else "IIIIIIIIII")
    table = b"".join(struct.pack(form, title, 1, 0, 0, at, size, 0, 0, 0, 0) for title, at, size in rows)
    size = struct.calcsize(form)
    ident = b"\x7fELF" + bytes([1 + wide, 1 if order == "<" else 2]) + bytes(10)
    if wide:
        head = struct.pack(
            order + "HHIQQQIHHHHHH", 2, 62, 1, 0, 0, start + len(body), 0, 64, 0, 0, size, len(rows), len(rows) - 1
        )
    else:
        head = struct.pack(
            order + "HHIIIIIHHHHHH", 2, 3, 1, 0, 0, start + len(body), 0, 52, 0, 0, size, len(rows), len(rows) - 1
        )
    return (ident + head).ljust(start, b"\0") + body + table


def varint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


MODULES = (
    "path\texample.org/shop/cmd/shop\nmod\texample.org/shop\t(devel)\t\ndep\tgolang.org/x/text\tv0.14.0\th1:x=\n"
    "dep\texample.org/old\tv1.0.0\n=>\texample.org/new\tv1.1.0\th1:y=\nbuild\tGOOS=linux\n"
)


def blob(modules=MODULES, version=b"go1.22.1 X:nocoverageredesign"):
    told = b"0123456789abcdef" + modules.encode() + b"fedcba9876543210"
    return (MAGIC + b"\x08\x02").ljust(32, b"\0") + varint(len(version)) + version + varint(len(told)) + told


def packages(database, path, content):
    told = dict(inspect(path, content))
    return {package.name: package for package in database.read(View({path: told[database.name]}))} if told else {}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("wide", [True, False])
def test_sections_of_elf_files(order, wide):
    content = elf({b".text": b"x", b".dep-v0": b"list", b".dep": b"no"}, order, wide)
    assert section(content, b".dep-v0") == b"list"
    assert section(content, b".de") is None
    assert section(content[:-1], b".dep-v0") is None


@pytest.mark.parametrize(
    "content",
    [elf({b".go.buildinfo": blob()}), b"MZ" + bytes(30) + blob(), b"\xcf\xfa\xed\xfe".ljust(16) + b"\0" * 16 + blob()],
)
def test_go_modules(content):
    found = packages(GOLANG, b"app/shop", content)
    assert {name: package.version for name, package in found.items()} == {
        "example.org/shop": "(devel)", "golang.org/x/text": "v0.14.0", "example.org/new": "v1.1.0", "stdlib": "go1.22.1"
    }  # fmt: skip
    assert found["example.org/shop"].paths == (b"app/shop",)
    assert found["example.org/shop"].requires == ("golang.org/x/text", "example.org/new", "stdlib")
    assert found["golang.org/x/text"].purl == "pkg:golang/golang.org/x/text@v0.14.0"


def test_a_go_program_without_modules_is_still_one():
    found = packages(GOLANG, b"usr/bin/tool", elf({b".go.buildinfo": blob("path\tcommand-line-arguments\n")}))
    assert {name: package.version for name, package in found.items()} == {
        "command-line-arguments": "(devel)",
        "stdlib": "go1.22.1",
    }


def pointing(modules=MODULES, version=b"go1.14.2", order="<", wide=True):
    """Write a program of before Go 1.18: the blob points to two headers of strings, and they to the texts."""
    base, size = 0x400000, 8 if wide else 4
    number = "Q" if wide else "I"
    told = b"0123456789abcdef" + modules.encode() + b"fedcba9876543210"
    shift = 128
    at = shift + 32  # the two headers, then the texts
    texts = at + 4 * size
    pointers = struct.pack(f"{order}2{number}", base + at, base + at + 2 * size)
    blob_ = (MAGIC + bytes([size, order == ">"]) + pointers).ljust(32, b"\0")
    headers = struct.pack(f"{order}4{number}", base + texts, len(version), base + texts + len(version), len(told))
    body = blob_ + headers + version + told
    titles = b"\0.go.buildinfo\0.shstrtab\0"
    segment = (
        struct.pack(order + "IIQQQQQQ", 1, 6, 0, base, base, shift + len(body), shift + len(body), 4096)
        if wide else struct.pack(order + "8I", 1, 0, base, base, shift + len(body), shift + len(body), 6, 4096)
    )  # fmt: skip
    form = order + ("IIQQQQIIQQ" if wide else "IIIIIIIIII")
    rows = [(0, 0, 0, 0, 0), (1, 1, base + shift, shift, len(blob_)), (15, 3, 0, shift + len(body), len(titles))]
    table = b"".join(
        struct.pack(form, title, kind, 2, address, start, length, 0, 0, 1, 0) for title, kind, address, start, length in rows
    )
    place = shift + len(body) + len(titles)
    ident = b"\x7fELF" + bytes([1 + wide, 1 if order == "<" else 2, 1]) + bytes(9)
    machine = (62 if wide else 3) if order == "<" else (21 if wide else 8)
    head = struct.pack(
        order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"), 2, machine, 1, base, 64, place, 0, 64 if wide else 52,
        len(segment), 1, len(table) // 3, 3, 2,
    )  # fmt: skip
    return (ident + head).ljust(64, b"\0") + segment.ljust(64, b"\0") + body + titles + table


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("wide", [True, False])
def test_go_modules_of_old_programs(order, wide, tmp_path):
    content = pointing(order=order, wide=wide)
    found = packages(GOLANG, b"app/shop", content)
    assert {name: package.version for name, package in found.items()} == {
        "example.org/shop": "(devel)", "golang.org/x/text": "v0.14.0", "example.org/new": "v1.1.0", "stdlib": "go1.14.2"
    }  # fmt: skip
    go = shutil.which("go")
    if go:
        (tmp_path / "shop").write_bytes(content)
        (tmp_path / "shop").chmod(0o755)
        told = subprocess.run([go, "version", "-m", tmp_path / "shop"], capture_output=True, text=True, check=True).stdout
        assert told.splitlines()[0].endswith(": go1.14.2")
        assert "dep\tgolang.org/x/text\tv0.14.0" in told


@pytest.mark.parametrize("at", range(120, 240, 4))
def test_pointers_of_old_programs_that_lead_astray(at):
    content = pointing()
    for news in (b"\xff" * 8, b"\0" * 8, struct.pack("<Q", 1 << 60)):
        inspect(b"app/shop", content[:at] + news + content[at + 8 :])


@pytest.mark.parametrize(
    "content",
    [b"\x7fELF\2\1\1".ljust(180, b"\0") + b"UPX!\xc4\x0b\r\f" + bytes(400), b"MZ" + bytes(500) + b"UPX0\0\0\0\0" + bytes(200)],
)
def test_packed_programs_are_told(content):
    found = dict(inspect(b"app/shop", content))
    seen = View({b"app/shop": found["packed"]}, layer=2)
    assert list(PACKED.read(seen)) == list(PACKED.read(seen)) == []
    (note,) = seen.notes
    assert (note.id, note.level, note.path, note.layer) == ("P02", Level.INFO, b"app/shop", 2)
    assert "packed by UPX" in note.message
    assert "packed" not in dict(inspect(b"app/shop", content.replace(b"UPX", b"upx")))
    assert "packed" not in dict(inspect(b"app/shop", elf({b".rodata": bytes(2000) + b"UPX!"})))


def test_rust_crates():
    told = {"packages": [
        {"name": "shop", "version": "0.1.0", "root": True, "dependencies": [1, 2, 9, 0]}, {"name": "serde", "version": "1.0.1"},
        {"name": "cc", "version": "1", "kind": "build"}, {"name": "cut"},
    ]}  # fmt: skip
    found = packages(RUST, b"app/shop", elf({b".dep-v0": zlib.compress(json.dumps(told).encode())}))
    assert found.keys() == {"shop", "serde"}
    assert found["shop"].requires == ("serde",)
    assert (found["shop"].paths, found["serde"].purl) == ((b"app/shop",), "pkg:cargo/serde@1.0.1")
    bomb = elf({b".dep-v0": zlib.compress(bytes(20 << 20))})
    assert inspect(b"app/shop", bomb) == ()


def test_busybox():
    content = elf({b".rodata": b"BusyBox v1.36.1 (2024-01-01 00:00:00 UTC)"})
    assert packages(BUSYBOX, b"bin/[", content)["busybox"].version == "1.36.1"
    assert inspect(b"bin/vi", content) == ()


def test_a_jar_tells_its_name_in_three_ways():
    properties = jar(pom("org.a", "alpha", "1.0"), pom("org.b", "beta", "2.0"))
    assert look(b"lib/alpha.jar", properties) == [("org.a", "alpha", "1.0", ""), ("org.b", "beta", "2.0", "#beta")]
    lines = (
        "Manifest-Version: 1.0\r\nBundle-SymbolicName: org.osgi.co\r\n re;singleton:=true\r\nImplementation-Version: 3.1\r\n"
        "\r\nName: x\r\nImplementation-Version: 9\r\n"
    )
    manifest = jar(("META-INF/MANIFEST.MF", lines))
    assert look(b"core.jar", manifest) == [("org.osgi.core", "core", "3.1", "")]
    assert look(b"guava-33.0.0-jre.jar", jar(("A.class", b""))) == [("", "guava", "33.0.0-jre", "")]
    assert look(b"plain.jar", jar(("A.class", b""))) == [("", "plain", "", "")]


def test_spring_boot_and_nested_jars():
    inner = jar(pom("org.c", "gamma", "3"))
    middle = jar(pom("org.b", "beta", "2"), ("lib/gamma-3.jar", inner), method=zipfile.ZIP_STORED)
    outer = jar(pom("org.a", "shop", "1"), ("BOOT-INF/lib/beta-2.jar", middle), method=zipfile.ZIP_STORED)
    assert look(b"app/shop-1.jar", b"#!/bin/sh\n" + outer) == [
        ("org.a", "shop", "1", ""), ("org.b", "beta", "2", "BOOT-INF/lib/beta-2.jar"),
        ("org.c", "gamma", "3", "BOOT-INF/lib/beta-2.jar!lib/gamma-3.jar"),
    ]  # fmt: skip
    problems = []
    look(b"x.jar", jar(("y.jar", outer)), problems)
    assert problems == ["y.jar!BOOT-INF/lib/beta-2.jar: lib/gamma-3.jar: jars are nested too deeply"]


def test_bombs_are_refused_and_told():
    problems = []
    look(b"x.jar", jar(("META-INF/MANIFEST.MF", bytes(30 << 20))), problems)
    assert problems == ["META-INF/MANIFEST.MF: a member is too large"]
    bomb = jar(("a.jar", bytes(3 << 20)))
    lie = bytearray(bomb)
    at = lie.rfind(b"PK\1\2")
    lie[at + 24 : at + 28] = struct.pack("<I", 10)
    (member,) = members(bytes(lie))
    with pytest.raises(ValueError, match="larger than it claims"):
        unpack(bytes(lie), member, Allowance(), 100_000)
    with pytest.raises(ValueError, match="too large"):
        unpack(bomb, members(bomb)[0], Allowance(1000))
    with pytest.raises(ValueError, match="not where it should be"):
        unpack(bomb, Member(b"a", 0, 1, 1, 1 << 40), Allowance())


READERS = {database.name: database for database in DATABASES}
NAMES = [b"a-1.jar", b"bin/a", b"bin/busybox", b"lib/a-1.egg"]


@example(2, b"UPX!", b"a-1.jar", 3)
@given(st.integers(0, 2000), st.binary(max_size=6), st.sampled_from(NAMES), st.integers(0, 3))
@settings(max_examples=300)
def test_damaged_files_never_raise(at, news, path, which):
    content = (
        jar(pom("org.a", "shop", "1"), ("lib/beta-2.jar", jar(pom("org.b", "beta", "2")))),
        elf({b".go.buildinfo": blob()}), elf({b".dep-v0": zlib.compress(b'{"packages": []}')}), b"MZ" + bytes(30) + blob(),
    )[which]  # fmt: skip
    at %= len(content)
    for name, told in inspect(path, content[:at] + news + content[at + len(news) :]):
        for package in READERS[name].read(View({path: told})):
            f"{package!r}".encode()


def test_worth_looking_into():
    assert PROGRAMS(b"usr/bin/x", 0o755, 9)
    assert PROGRAMS(b"app/x.jar", 0o644, 9)
    assert not PROGRAMS(b"usr/share/x", 0o644, 9)


def test_what_was_found_inside_owns_the_file():
    content = elf({b".go.buildinfo": blob()})
    index = layer(("app/shop", len(content)), ("app/link", Kind.HARDLINK, "app/shop"))
    index = replace(index, inspected={0: inspect(b"app/shop", content)})
    indexes = [index, layer(("app/shop", Kind.WHITEOUT), ("app/link", Kind.WHITEOUT))]
    result = own(indexes, [None] * 2, stack(indexes))
    shares = {share.package.name: share for share in result.packages}
    assert shares["example.org/shop"].bytes == len(content)
    assert shares["golang.org/x/text"].bytes == 0
    assert {share.removed_in for share in result.packages} == {1}


def test_jars_of_the_corpus():
    with tarfile.open(corpus("images/snyk__docker-save_3-level-jar.tar")) as outer:
        layers = [member for member in outer if member.name.endswith("layer.tar")]
        found = {}
        for member in layers:
            with tarfile.open(fileobj=outer.extractfile(member)) as tar:
                for file in tar:
                    if file.name.endswith(".jar"):
                        found[file.name] = look(file.name.encode(), tar.extractfile(file).read())
    assert found


def test_what_a_distribution_brought_is_its_own():
    content = elf({b".rodata": b"BusyBox v1.36.1 (2024"})
    index = layer(
        ("lib/apk/db/installed", "P:busybox\nV:1.36.1-r2\nF:bin\nR:busybox\n"), ("usr/bin/busybox", len(content)),
        ("opt/busybox", len(content)), ("bin", Kind.SYMLINK, "usr/bin"),
    )  # fmt: skip
    found = dict(inspect(b"bin/busybox", content))["busybox"]
    index = replace(index, inspected={1: (("busybox", found),), 2: (("busybox", found),)})
    result = own([index], [None], stack([index]))
    assert [(share.package.type, share.bytes) for share in result.packages] == [
        ("apk", len(content)),
        ("generic", len(content)),
    ]
