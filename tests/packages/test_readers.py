import json
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layerscope.model import Release
from layerscope.packages.database import View
from layerscope.packages.databases import APK, DATABASES, DPKG, NPM, PYTHON
from layerscope.packages.patterns import Patterns
from layerscope.packages.release import read_release
from layerscope.packages.requirements import edges

from packages.images import corpus
from packages.installations import LANGUAGES, SYSTEMS


def view(files: dict[str, object]) -> View:
    return View({path.encode(): text if isinstance(text, bytes) else str(text).encode() for path, text in files.items()})


def read(database, files):
    return list(database.read(view(files)))


def by_name(database, files):
    return {package.name: package for package in read(database, files)}


# apk

INSTALLED = """\
C:Q1abc=
P:busybox
V:1.36.1-r2
A:x86_64
L:GPL-2.0-only
o:busybox
D:so:libc.musl-x86_64.so.1 !conflict
p:cmd:sh=1.36.1-r2 /bin/sh
F:
R:top
F:bin
M:0:0:755
R:busybox
a:0:0:755
Z:Q1xyz=
R:sh

P:musl
V:1.2.5-r0
p:so:libc.musl-x86_64.so.1=1
F:lib
R:ld-musl-x86_64.so.1

P:curl
V:8
D:/bin/sh so:missing>=2
"""


def test_apk_reads_files_dependencies_and_reasons():
    found = by_name(APK, {"lib/apk/db/installed": INSTALLED, "etc/apk/world": "curl>7 cmd:sh\n"})
    assert found["busybox"].paths == (b"top", b"bin/busybox", b"bin/sh")
    assert found["busybox"].requires == ("musl",)
    assert found["curl"].requires == ("busybox", "so:missing")
    assert {name: package.reason for name, package in found.items()} == {
        "busybox": "asked", "musl": "dependency", "curl": "asked"
    }  # fmt: skip
    assert found["busybox"].license == "GPL-2.0-only"
    assert found["curl"].arch is None
    assert found["musl"].origin == b"lib/apk/db/installed"


def test_apk_installs_some_packages_because_others_are_there():
    text = """\
P:curl
V:8
o:curl

P:docs
V:1
p:manuals=1

P:curl-doc
V:8
o:curl
i:manuals curl=8

P:bash
V:5
o:bash

P:completion
V:1
o:other
i:docs bash

P:not-for-this
V:1
i:absent bash
"""
    found = by_name(APK, {"lib/apk/db/installed": text, "etc/apk/world": "curl docs bash"})
    assert {name: package.recommends for name, package in found.items() if package.recommends} == {
        "curl": ("curl-doc",), "bash": ("completion",)
    }  # fmt: skip
    assert {package.requires for package in found.values()} == {()}


def test_apk_without_a_world_tells_no_reason():
    assert {package.reason for package in read(APK, {"usr/lib/apk/db/installed": INSTALLED})} == {None}


@pytest.mark.parametrize(
    ("name", "packages", "notes"),
    [
        ("apko__usr_lib_apk_db_installed", 14, 0),
        ("syft__apk_multiple-1_installed", 4, 0),
        ("syft__apk_multiple-2_installed", 14, 0),
        ("syft__apk_corrupt_installed", 1, 1),
        ("snyk__alpine_2_6_6_apk_installed", 13, 0),
    ],
)
def test_apk_databases_of_the_corpus(name, packages, notes):
    seen = view({"lib/apk/db/installed": corpus(f"pkgdb/{name}").read_bytes()})
    assert len(list(APK.read(seen))) == packages
    assert len(seen.notes) == notes
    assert all(note.path == b"lib/apk/db/installed" for note in seen.notes)


# dpkg

STATUS = """\
Package: base-files
Essential: yes
Status: install ok installed
Architecture: amd64
Version: 12

Package: curl
Status: install ok installed
Architecture: amd64
Version: 1:8-1
Depends: libcurl4 (= 8), mta | base-files:any,
\tlibz1 [amd64] <!nocheck>
Recommends: ca-certificates
Source: curl-src (8)

Package: libcurl4
Status: install ok triggers-awaited
Architecture: amd64
Version: 8

Package: ca-certificates
status: install ok installed
Architecture: all
Version: 2023
Depends: openssl

Package: openssl
Status: hold ok installed
Architecture: amd64
Version: 3

Package: zlib1g
Status: install ok installed
Architecture: amd64
Version: 1.2
Provides: libz1 (= 1.2)

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1
"""
EXTENDED = "\n\n".join(
    f"Package: {name}\nArchitecture: amd64\nAuto-Installed: 1" for name in ("libcurl4", "ca-certificates", "openssl", "zlib1g")
)


def test_dpkg_reads_states_dependencies_and_reasons():
    found = by_name(DPKG, {"var/lib/dpkg/status": STATUS, "var/lib/apt/extended_states": EXTENDED})
    assert {name: package.reason for name, package in found.items()} == {
        "base-files": "base", "curl": "asked", "libcurl4": "dependency", "zlib1g": "dependency",
        "ca-certificates": "recommended", "openssl": "recommended",
    }  # fmt: skip
    assert found["curl"].requires == ("libcurl4", "base-files", "zlib1g")
    assert found["curl"].source == "curl-src"
    assert found["curl"].purl == "pkg:deb/curl@1:8-1?arch=amd64"


def test_what_apt_calls_automatic_is_no_base_unless_it_is_required():
    def paragraph(name, *more):
        return "\n".join((f"Package: {name}", "Status: install ok installed", "Architecture: all", "Version: 1", *more))

    text = "\n\n".join(
        [
            paragraph("git", "Recommends: less"), paragraph("less", "Priority: important"),
            paragraph("gettext", "Priority: required"), paragraph("mawk", "Priority: important"), paragraph("dash", "Essential: yes"),
        ]
    )  # fmt: skip
    itself = "\n\n".join(f"Package: {name}\nAuto-Installed: 1" for name in ("less", "gettext", "dash"))
    found = by_name(DPKG, {"var/lib/dpkg/status": text, "var/lib/apt/extended_states": itself})
    assert {name: package.reason for name, package in found.items()} == {
        "git": "asked", "less": "recommended", "gettext": "base", "mawk": "base", "dash": "base"
    }  # fmt: skip
    assert found["git"].recommends == ("less",)


def test_dpkg_finds_file_lists_by_name_or_architecture():
    found = by_name(
        DPKG,
        {
            "var/lib/dpkg/status": STATUS,
            "var/lib/dpkg/info/curl.list": "/.\n/usr\n/usr/bin/curl\n",
            "var/lib/dpkg/info/libcurl4:amd64.list": "/.\n/lib/libcurl.so.4\n",
            "var/lib/dpkg/info/openssl.md5sums": "0" * 32 + "  usr/bin/openssl\n",
        },
    )
    assert found["curl"].paths == (b"usr/bin/curl",)
    assert found["libcurl4"].paths == (b"lib/libcurl.so.4",)
    assert found["openssl"].paths == (b"usr/bin/openssl",)


def test_dpkg_follows_diversions():
    found = by_name(
        DPKG,
        {
            "var/lib/dpkg/status": STATUS,
            "var/lib/dpkg/info/curl.list": "/bin/sh\n",
            "var/lib/dpkg/info/openssl.list": "/bin/sh\n",
            "var/lib/dpkg/diversions": "/bin/sh\n/bin/sh.distrib\nopenssl\n",
        },
    )
    assert found["openssl"].paths == (b"bin/sh",)
    assert found["curl"].paths == (b"bin/sh.distrib",)


def test_dpkg_reads_distroless_folders():
    found = read(
        DPKG,
        {
            "var/lib/dpkg/status.d/base": "Package: base-files\nVersion: 12\nArchitecture: amd64\n",
            "var/lib/dpkg/status.d/base.md5sums": "0" * 32 + "  ./etc/debian_version\n",
            "var/lib/dpkg/status.d/bGliYzY=": "Package: libc6\nVersion: 2\nArchitecture: amd64\n",
            "var/lib/dpkg/info/libc6.md5sums": "0" * 32 + "  lib/libc.so.6\n",
        },
    )
    assert sorted((package.name, package.paths, package.origin) for package in found) == [
        ("base-files", (b"etc/debian_version",), b"var/lib/dpkg/status.d/base"),
        ("libc6", (b"lib/libc.so.6",), b"var/lib/dpkg/status.d/bGliYzY="),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "fossa-cli__dpkg_status", "scancode-toolkit__ubuntu_dpkg_status", "snyk__ubuntu_10_04_dpkg_status",
        "syft__dpkg_coreutils-relationships", "syft__dpkg_deinstall", "syft__dpkg_single", "syft__dpkg_libpam-runtime",
    ],
)  # fmt: skip
def test_dpkg_agrees_with_dpkg_query(name, tmp_path):
    program = shutil.which("dpkg-query")
    if program is None:
        pytest.skip("there is no dpkg-query here")
    content = corpus(f"pkgdb/{name}").read_bytes()
    (tmp_path / "status").write_bytes(content)
    (tmp_path / "updates").mkdir()
    (tmp_path / "info").mkdir()
    form = "${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\n"
    told = subprocess.run([program, "--admindir", str(tmp_path), "-W", "-f", form], capture_output=True, text=True, check=False)
    rows = [line.split("\t") for line in told.stdout.splitlines()]
    expected = sorted(row[1:] for row in rows if row[0] not in {"not-installed", "config-files"})
    if told.returncode:
        pytest.skip("this dpkg-query does not read it")
    found = read(DPKG, {"var/lib/dpkg/status": content})
    assert sorted([package.name, package.version, package.arch or ""] for package in found) == expected


# python

SITE = "usr/lib/python3.11/site-packages/"


def metadata(name, *more):
    return "\n".join(("Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *more, "", "Name: not this"))


def test_python_reads_records_and_requests():
    found = by_name(
        PYTHON,
        {
            SITE + "Foo_Bar-1.0.dist-info/METADATA": metadata(
                "Foo_Bar", "License: MIT", "Requires-Dist: baz[x]>=2 ; python_version > '3'", "Requires-Dist: no; extra == 'a'"
            ),
            SITE + "Foo_Bar-1.0.dist-info/RECORD": 'foo/__init__.py,sha256=x,3\n"foo/a,b.py",,\n../../../bin/foo,,\n/etc/foo,,\n',
            SITE + "Foo_Bar-1.0.dist-info/REQUESTED": "",
            SITE + "baz-1.0.dist-info/METADATA": metadata("Baz", "License-Expression: BSD-3-Clause"),
            SITE + "baz-1.0.dist-info/RECORD": "baz.py,sha256=x,3\r\n",
        },
    )  # fmt: skip
    foo, baz = found["Foo_Bar"], found["Baz"]
    assert foo.paths == tuple(
        path.encode() for path in (SITE + "foo/__init__.py", SITE + "foo/a,b.py", "usr/bin/foo", "etc/foo")
    )
    assert foo.requires == ("Baz",)
    assert (foo.reason, baz.reason) == ("asked", "dependency")
    assert (foo.license, baz.license) == ("MIT", "BSD-3-Clause")
    assert foo.purl == "pkg:pypi/foo-bar@1.0"
    assert foo.location == SITE[:-1].encode()
    assert baz.paths == (SITE.encode() + b"baz.py",)


@pytest.mark.parametrize("line", ["License: =====", "License: " + "x" * 101, "License:", "Other: y"])
def test_python_tells_no_license_that_is_none(line):
    (found,) = by_name(PYTHON, {SITE + "a-1.0.dist-info/METADATA": metadata("a", line)}).values()
    assert found.license is None


def test_python_reads_eggs():
    found = by_name(
        PYTHON,
        {
            SITE + "a-1.0.egg-info/PKG-INFO": metadata("a"),
            SITE + "a-1.0.egg-info/installed-files.txt": "../a/__init__.py\nPKG-INFO\n",
            SITE + "b.egg-info/PKG-INFO": metadata("b"),
            SITE + "b.egg-info/top_level.txt": "b\n../..\n",
            SITE + "c-1.0-py3.11.egg-info": metadata("c"),
        },
    )
    assert found["a"].paths == (SITE.encode() + b"a/__init__.py", SITE.encode() + b"a-1.0.egg-info/PKG-INFO")
    assert found["b"].trees == (SITE.encode() + b"b.egg-info", SITE.encode() + b"b")
    assert found["c"].paths == (SITE.encode() + b"c-1.0-py3.11.egg-info",)


# npm


def manifest(name, **more):
    return json.dumps({"name": name, "version": "1.0.0", **more})


def test_npm_reads_packages_and_the_application():
    found = read(
        NPM,
        {
            "app/package.json": manifest("shop", dependencies={"a": "^1"}, devDependencies={"d": "1"}),
            "app/node_modules/a/package.json": manifest("a", license={"type": "ISC"}, dependencies={"b": "*"}),
            "app/node_modules/a/test/fixtures/package.json": manifest("fixture"),
            "app/node_modules/a/dist/package.json": '{"type": "module"}',
            "app/node_modules/a/node_modules/b/package.json": manifest("b"),
            "app/node_modules/@s/c/package.json": manifest("@s/c"),
            "app/node_modules/d/package.json": manifest("d"),
            "other/package.json": manifest("other"),
            "locked/package.json": manifest("locked"),
            "locked/yarn.lock": "",
            "package.json": manifest("root"),
            "package-lock.json": "{}",
        },
    )
    assert {(package.location.decode(), package.name, package.reason) for package in found} == {
        ("app", "shop", "root"), ("app/node_modules/a", "a", "asked"), ("app/node_modules/a/node_modules/b", "b", "dependency"),
        ("app/node_modules/@s/c", "@s/c", "dependency"), ("app/node_modules/d", "d", "dev"), ("locked", "locked", "root"),
        ("", "root", "root"),
    }  # fmt: skip
    by_place = {package.location: package for package in found}
    assert by_place[b""].trees == ()
    assert by_place[b""].origin == b"package.json"
    assert by_place[b"app"].trees == (b"app",)
    assert by_place[b"app/node_modules/@s/c"].purl == "pkg:npm/%40s/c@1.0.0"
    assert by_place[b"app/node_modules/a"].license == "ISC"
    assert by_place[b"app/node_modules/a"].requires == ("b",)


def test_npm_believes_the_hidden_lock_file_for_folders_that_are_there():
    lock = {"packages": {
        "node_modules/a": {"version": "2.0.0", "dev": True, "license": "MIT", "dependencies": {"x": "1"}},
        "node_modules/absent": {"version": "1.0.0"},
        "node_modules/alias": {"version": "3.0.0", "name": "real"},
        "node_modules/bad": {},
    }}  # fmt: skip
    seen = view(
        {
            "srv/node_modules/.package-lock.json": json.dumps(lock),
            "srv/node_modules/a/package.json": "not read",
            "srv/node_modules/alias/package.json": "not read",
            "srv/node_modules/bad/package.json": manifest("bad"),
        }
    )
    found = {package.name: package for package in NPM.read(seen)}
    assert {name: (package.version, package.reason) for name, package in found.items()} == {
        "a": ("2.0.0", "dev"), "real": ("3.0.0", None), "bad": ("1.0.0", None)
    }  # fmt: skip
    assert [note.path for note in seen.notes] == [b"srv/node_modules/.package-lock.json"]


def test_what_the_lock_file_does_not_mark_stays_without_development():
    lock = {"packages": {
        "node_modules/d": {"version": "1.0.0", "dev": True}, "node_modules/a": {"version": "1.0.0", "peerDependencies": {"types": "1"}},
        "node_modules/types": {"version": "1.0.0"},
    }}  # fmt: skip
    files = {
        "app/package.json": manifest("shop", dependencies={"a": "1"}, devDependencies={"types": "1", "d": "1"}),
        **{f"app/node_modules/{name}/package.json": manifest(name) for name in ("a", "d", "types")},
    }
    assert by_name(NPM, files)["types"].reason == "dev"
    found = by_name(NPM, {**files, "app/node_modules/.package-lock.json": json.dumps(lock)})
    assert {name: one.reason for name, one in found.items()} == {
        "shop": "root",
        "a": "asked",
        "d": "dev",
        "types": "dependency",
    }


def test_npm_requires_peers_unless_they_are_optional():
    peers = {"peerDependencies": {"b": "1", "c": "1", "d": "1"}, "peerDependenciesMeta": {"c": {"optional": True}, "d": {}}}
    assert by_name(NPM, {"app/node_modules/a/package.json": manifest("a", **peers)})["a"].requires == ("b", "d")
    odd = {"peerDependencies": {"b": "1"}, "peerDependenciesMeta": ["b"]}
    assert by_name(NPM, {"app/node_modules/a/package.json": manifest("a", **odd)})["a"].requires == ("b",)


def test_npm_knows_the_store_of_pnpm():
    found = by_name(
        NPM,
        {
            "app/package.json": manifest("shop", dependencies={"a": "1"}),
            "app/node_modules/.pnpm/a@1.0.0/node_modules/a/package.json": manifest("a"),
            "app/node_modules/.pnpm/b@1.0.0/node_modules/b/package.json": manifest("b"),
        },
    )
    assert {name: package.reason for name, package in found.items()} == {
        "shop": "root",
        "a": "asked",
        "b": "dependency",
    }


def test_npm_follows_the_links_of_pnpm_to_one_of_several_versions():
    store = "app/node_modules/.pnpm/"
    files = {
        "app/package.json": manifest(
            "shop", dependencies={"a": "1", "alias": "npm:real@1"}, devDependencies={"d": "1", "b": "2"}
        ),
        f"{store}a@1/node_modules/a/package.json": manifest("a", dependencies={"b": "1", "@s/c": "1", "gone": "1"}),
        f"{store}d@1/node_modules/d/package.json": manifest("d", dependencies={"b": "2"}),
        f"{store}@s+c@1/node_modules/@s/c/package.json": manifest("@s/c"),
        f"{store}real@1/node_modules/real/package.json": manifest("real"),
        f"{store}b@1/node_modules/b/package.json": manifest("b"),
        f"{store}b@2/node_modules/b/package.json": manifest("b"),
        "app/node_modules/a": ".pnpm/a@1/node_modules/a",
        "app/node_modules/alias": ".pnpm/real@1/node_modules/real",
        "app/node_modules/d": ".pnpm/d@1/node_modules/d",
        "app/node_modules/b": "/app/node_modules/.pnpm/b@2/node_modules/b",
        f"{store}a@1/node_modules/b": "../../b@1/node_modules/b",
        f"{store}a@1/node_modules/@s/c": "../../../@s+c@1/node_modules/@s/c",
        f"{store}a@1/node_modules/gone": "../../gone@1/node_modules/gone",
        f"{store}d@1/node_modules/b": "../../b@2/node_modules/b",
    }
    found = {package.location.decode(): package for package in read(NPM, files)}
    assert {place.removeprefix(store): package.reason for place, package in found.items()} == {
        "app": "root", "a@1/node_modules/a": "asked", "d@1/node_modules/d": "dev", "@s+c@1/node_modules/@s/c": "dependency",
        "real@1/node_modules/real": "asked", "b@1/node_modules/b": "dependency", "b@2/node_modules/b": "dev",
    }  # fmt: skip
    numbers = dict(enumerate(found.values()))
    places = list(found)
    needs = {places[one]: {places[other] for other in others} for one, others in edges(numbers, recommended=True).items()}
    assert {
        place.removeprefix(store): {one.removeprefix(store) for one in others} for place, others in needs.items() if others
    } == {
        "app": {"a@1/node_modules/a", "real@1/node_modules/real", "d@1/node_modules/d", "b@2/node_modules/b"},
        "a@1/node_modules/a": {"b@1/node_modules/b", "@s+c@1/node_modules/@s/c"},
        "d@1/node_modules/d": {"b@2/node_modules/b"},
    }


def test_npm_has_the_workspaces_that_links_lead_to():
    files = {
        "app/package.json": manifest("shop", workspaces=["packages/*"]),
        "app/package-lock.json": "{}",
        "app/packages/a/package.json": manifest("@my/a", dependencies={"x": "1"}),
        "app/packages/b/package.json": manifest("b"),
        "app/packages/nobody/package.json": manifest("nobody"),
        "app/node_modules/@my/a": "../../packages/a",
        "app/node_modules/b": "../packages/b/",
        "app/node_modules/out": "../../../../../etc",
        "app/node_modules/loop": "loop",
        "app/node_modules/x/package.json": manifest("x"),
    }
    found = by_name(NPM, files)
    assert {name: (one.reason, one.evidence) for name, one in found.items()} == {
        "shop": ("root", "/app/package.json stands beside node_modules or a lock file"),
        "@my/a": ("root", "/app/node_modules/@my/a leads to it"),
        "b": ("root", "/app/node_modules/b leads to it"),
        "x": ("dependency", None),
    }
    names = list(found)
    needs = edges(dict(enumerate(found.values())))
    assert [names[other] for other in needs[names.index("@my/a")]] == ["x"]


# all

ROOTS = {
    "lib/apk/db/installed": INSTALLED, "etc/apk/world": "curl", "var/lib/dpkg/status": STATUS,
    "var/lib/dpkg/info/curl.list": "/usr/bin/curl\n", "var/lib/dpkg/diversions": "/a\n/b\nc\n",
    "var/lib/dpkg/status.d/x": STATUS, "var/lib/apt/extended_states": EXTENDED,
    SITE + "a-1.dist-info/METADATA": metadata("a"), SITE + "a-1.dist-info/RECORD": '"a,b.py",,\n',
    SITE + "b.egg-info/PKG-INFO": metadata("b"), SITE + "b.egg-info/top_level.txt": "b\n",
    "app/package.json": manifest("x"), "app/node_modules/.package-lock.json": '{"packages": {"node_modules/a": {"version": "1"}}}',
    **SYSTEMS, **LANGUAGES,
    "app/node_modules/a/package.json": manifest("a"), "etc/os-release": 'ID="debian"\nVERSION_ID=12\n',
}  # fmt: skip


@st.composite
def damaged(draw):
    """Real databases with one file replaced by anything, or cut and spliced."""
    files = {path.encode(): text.encode() for path, text in ROOTS.items()}
    for path in draw(st.lists(st.sampled_from(sorted(files)), min_size=1, max_size=3)):
        content = files[path]
        start, end = sorted((draw(st.integers(0, len(content))), draw(st.integers(0, len(content)))))
        files[path] = draw(
            st.one_of(st.binary(max_size=60), st.just(content[:start] + draw(st.binary(max_size=4)) + content[end:]))
        )
    return files


@given(damaged())
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=200)
def test_readers_never_raise_and_always_tell_printable_packages(files):
    for database in DATABASES:
        asked = Patterns((*database.patterns, *database.places))
        seen = {path: content for path, content in files.items() if asked(path)}
        for package in database.read(View(seen)):
            assert package.name
            assert package.version or database.name in {"nix", "perl"}
            f"{package!r}".encode()
            hash(package.key)
    read_release(files)


@pytest.mark.parametrize(
    "content",
    ["[" * 200_000, '{"name": "\\ud800", "version": "1"}', '{"name": 1, "version": []}', "9" * 5000, "[]", "null", '{"packages": [1]}',
     '{"packages": {"node_modules/a": 7}}', "\ufeff{}"],
)  # fmt: skip
def test_hostile_json_is_a_note_or_nothing(content):
    for path in ("app/node_modules/a/package.json", "app/node_modules/.package-lock.json"):
        for package in read(NPM, {path: content}):
            f"{package!r}".encode()


def test_a_content_is_parsed_once_for_all_layers():
    seen = view({"a": "1"})
    calls = []

    def parse(content, problems):
        calls.append(content)
        problems.append("odd")

    again = View(seen.files, None, 3, seen.memo, seen.notes)
    assert seen.parsed(b"a", parse) is None
    assert again.parsed(b"a", parse) is None
    assert calls == [b"1"]
    assert [note.message for note in seen.notes] == ["package database: odd"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {b"etc/os-release": b"ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME='Debian 12'\n"},
            Release("debian", "12", "Debian 12"),
        ),
        ({b"usr/lib/os-release": b'ID=wolfi\nPRETTY_NAME="a \\"b\\""\n'}, Release("wolfi", None, 'a "b"')),
        ({b"etc/alpine-release": b"3.20.1\n"}, Release("alpine", "3.20.1", "Alpine Linux 3.20.1")),
        ({b"etc/debian_version": b"7.1\n"}, Release("debian", "7.1", "Debian GNU/Linux 7.1")),
        ({b"etc/os-release": b"\xff\x00"}, None),
        ({}, None),
    ],
)
def test_the_release_is_told_by_the_best_file(files, expected):
    assert read_release(files) == expected
