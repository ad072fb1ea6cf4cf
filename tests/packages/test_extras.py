"""What Python distributions need, with extras and markers; `packaging` itself is the other opinion."""

import io
import subprocess
import sys
import time
import zipfile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerscope.packages.database import View
from layerscope.packages.databases import INSPECTORS, PROGRAMS, PYTHON, tells
from layerscope.packages.extras import python_of, read_wish, resolve
from layerscope.packages.ownership import own
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from packages.images import layer, stack


def needs(version="3.11", asked=(), **distributions):
    """Distribution -> what it needs; each is given with its requirements."""
    wishes = {name: tuple(filter(None, map(read_wish, told))) for name, told in distributions.items()}
    return {name: " ".join(others) for name, others in resolve(wishes, asked, version).items() if others}


@pytest.mark.parametrize(
    "text", ["a", "A_b.C[x, Y]>=1,<2 ; python_version < '3'", "a @ https://x/a-1.zip ; extra == 'x'", "a(>=1)[", "a[]"]
)
def test_requirements_are_read_as_the_library_does(text):
    wish = read_wish(text)
    try:
        expected = Requirement(text)
    except ValueError:
        return
    assert (wish.name, set(wish.extras)) == (canonicalize_name(expected.name), {one.lower() for one in expected.extras})
    assert bool(wish.marker) == (expected.marker is not None)


@pytest.mark.parametrize(
    ("marker", "version", "met"),
    [
        ("python_version >= '3.8'", "3.11", True), ("python_version < '3.9'", "3.11", False), ("python_version < '3.11'", "3.9", True),
        ("python_version < '3.9'", None, True), ("python_version < '3.0'", None, False), ("sys_platform == 'win32'", "3.11", False),
        ("platform_machine == 'aarch64'", "3.11", True), ("platform_machine == 'ppc64'", "3.11", False),
        ("os_name != 'nt' and (python_version > '3.5' or extra == 'y')", "3.11", True), ("extra == 'x'", "3.11", False),
        ("python_version >", "3.11", True), ("no_such_thing == 'x'", "3.11", True), ("(" * 900 + "x", "3.11", True),
        ("platform_release >= '5.4-generic'", "3.11", True), ("python_version == '" + "9" * 2000 + "'", "3.11", True),
    ],
)  # fmt: skip
def test_markers(marker, version, met):
    assert (needs(version, ["b"], a=[f"b ; {marker}"], b=[]) == {"a": "b"}) == met


def test_extras_that_somebody_names():
    told = needs(
        app=["uvicorn[standard]>=1"],
        uvicorn=["h11", "httptools; extra == 'standard'", "uvloop ; sys_platform != 'win32' and extra == 'standard'", "deep[more] ; extra == 'standard'",
                 "colorama ; sys_platform == 'win32' and extra == 'standard'", "wsproto; extra == 'other'"],
        h11=[], httptools=[], uvloop=[], colorama=[], wsproto=["h11"], deep=["deeper ; extra == 'more'"], deeper=[],
        lone=["h11"],
    )  # fmt: skip
    # Nothing else accounts for wsproto: whoever has it took the extra that asks for it.
    assert told["uvicorn"] == "h11 httptools uvloop deep wsproto"
    assert told["deep"] == "deeper"


def test_extras_that_nobody_names():
    packages = {
        "requests": ["idna", "pysocks ; extra == 'socks'", "chardet ; extra == 'old'", "gone ; extra == 'old'"],
        "idna": [],
        "pysocks": [],
        "chardet": [],
    }
    assert needs(**packages) == {"requests": "idna pysocks"}
    # Somebody asked for it: there is nothing to explain.
    assert needs(asked=["pysocks"], **packages) == {"requests": "idna"}
    assert needs(other=["pysocks"], **packages) == {"requests": "idna", "other": "pysocks"}


def test_circles_and_one_that_needs_itself():
    assert needs(a=["a[x]", "b[y] ; extra == 'x'"], b=["a ; extra == 'y'"]) == {"a": "b", "b": "a"}


@given(
    st.dictionaries(st.sampled_from("abc"), st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["", "x", "y"]), st.sampled_from(["", "x", "y"])), max_size=4)),
    st.sets(st.sampled_from("abc")),
)  # fmt: skip
def test_what_is_named_is_what_the_library_says(told, asked):
    texts = {
        name: [
            f"{one}{f'[{wanted}]' if wanted else ''}{f' ; extra == {under!r}' if under else ''}" for one, wanted, under in rows
        ]
        for name, rows in told.items()
    }
    extras = {name: {""} for name in texts}
    for _ in range(9):
        for name, rows in texts.items():
            for requirement in map(Requirement, rows):
                holds = any(
                    requirement.marker is None or requirement.marker.evaluate({"extra": extra}) for extra in extras[name]
                )
                if holds and requirement.name in extras:
                    extras[requirement.name] |= requirement.extras
    expected = {
        name: {one.name for one in map(Requirement, rows) if one.name != name
               and ((one.marker is None) or (one.name in texts and any(one.marker.evaluate({"extra": extra}) for extra in extras[name])))}
        for name, rows in texts.items()
    }  # fmt: skip
    found = {name: set(others.split()) for name, others in needs(asked=asked, **texts).items()}
    for name, others in expected.items():
        # More is needed only where an extra explains what nothing else does.
        assert others <= found.get(name, set())


def test_many_requirements_take_no_longer_than_they_are():
    start = time.process_time()
    many = [f"x ; python_version < '3.{number}' and extra == 'e{number}'" for number in range(30_000)]
    needs(None, a=many, x=[f"a[e{number}] ; extra == 'q{number}'" for number in range(30_000)])
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    ("site", "version"),
    [
        (b"usr/lib/python3.11/site-packages", "3.11"),
        (b"python3.9", "3.9"),
        (b"usr/lib/python3/dist-packages", None),
        (b"opt/xpython3.9/x", None),
    ],
)
def test_the_version_stands_in_the_path(site, version):
    assert python_of(site) == version


SITE = "usr/lib/python3.11/site-packages/"


def read(files):
    return {one.name: one for one in PYTHON.read(View({path.encode(): text.encode() for path, text in files.items()}))}


def test_an_environment_is_one_of_its_own():
    def told(name, *more):
        return "\n".join(("Metadata-Version: 2.1", f"Name: {name}", "Version: 1", *more, ""))

    old = "opt/old/lib/python3.7/site-packages/"
    found = read({
        f"{SITE}A-1.dist-info/METADATA": told("A", "Requires-Dist: importlib-metadata ; python_version < '3.8'", "Requires-Dist: B"),
        f"{SITE}b-1.dist-info/METADATA": told("B"), f"{SITE}importlib_metadata-1.dist-info/METADATA": told("importlib_metadata"),
        f"{old}old-1.dist-info/METADATA": told("old", "Requires-Dist: importlib-metadata ; python_version < '3.8'"),
        f"{old}importlib_metadata-1.dist-info/METADATA": told("importlib_metadata"),
    })  # fmt: skip
    assert (found["A"].requires, found["old"].requires) == (("B",), ("importlib_metadata",))


def test_requirements_of_eggs():
    head = "Name: {}\nVersion: 1\n"
    texts = "six>=1\n# no\n\n[:python_version < '3']\nfutures\n\n[tls]\npyopenssl\n\n[tls:python_version > '3']\nidna\n"
    found = read({
        f"{SITE}a.egg-info/PKG-INFO": head.format("a"), f"{SITE}a.egg-info/requires.txt": texts,
        f"{SITE}z-1.egg/EGG-INFO/PKG-INFO": head.format("z"), f"{SITE}z-1.egg/EGG-INFO/requires.txt": "a[tls]\n",
        **{f"{SITE}{name}.egg-info": head.format(name) for name in ("six", "futures", "pyopenssl", "idna")},
    })  # fmt: skip
    assert found["a"].requires == ("six", "pyopenssl", "idna")
    assert (found["z"].requires, found["z"].location) == (("a",), SITE[:-1].encode())
    assert found["z"].trees == (f"{SITE}z-1.egg".encode(),)


def egg(text, name="EGG-INFO/PKG-INFO"):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return stream.getvalue()


def inspect(path, content):
    if not PROGRAMS(path, 0o644, len(content)) or not tells(content[:4096]):
        return {}
    return {one.name: told for one in INSPECTORS if (told := one.find(path, content)) is not None}


def test_an_egg_that_is_an_archive_owns_itself():
    path, content = f"{SITE}zip-1-py3.11.egg", egg("Name: zip\nVersion: 1\nLicense: MIT\n")
    index = replace(layer((path, len(content))), inspected={0: tuple(inspect(path.encode(), content).items())})
    (share,) = own([index], [None], stack([index])).packages
    assert (share.package.purl, share.bytes, share.package.license) == ("pkg:pypi/zip@1", len(content), "MIT")


@pytest.mark.parametrize("content", [egg("Name: x\nVersion: 1\n", "other"), egg("")[:-9], b"PK", egg("x" * (5 << 20))])
def test_an_egg_that_tells_nothing_is_none(content):
    assert inspect(b"a.egg", content) == {}


def test_the_library_is_imported_only_where_a_marker_asks():
    code = (
        "import sys; from layerscope.packages.extras import read_wish, resolve\n"
        "resolve({'a': (read_wish('b ; python_version < \"3\"'), read_wish('a ; extra == \"x\"'))}, (), '3.11')\n"
        "print('packaging' in sys.modules)\n"
        "resolve({'a': (read_wish('a ; python_version < \"3\"'),)}, (), '3.11'); print('packaging' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["False", "True"]
