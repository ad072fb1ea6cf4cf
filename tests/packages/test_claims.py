from hypothesis import given, settings
from hypothesis import strategies as st
from layerscope.model import Kind, Package
from layerscope.packages.aliases import Aliases
from layerscope.packages.claims import NOBODY, Claims

from packages.images import layer

PARTS = ("a", "b", "l", "__pycache__")
NAMES = ("m.py", "m.c-1.pyc", "x")
folders = st.lists(st.sampled_from(PARTS), max_size=3).map("/".join)
files = st.tuples(folders, st.sampled_from(NAMES)).map(lambda parts: "/".join(filter(None, parts)).encode())
trees = folders.filter(bool).map(str.encode)


@st.composite
def package(draw, number, system):
    return Package(
        "deb" if system else "pypi",
        str(number),
        "1",
        None,
        "",
        origin=draw(files),
        paths=tuple(draw(st.lists(files, max_size=3))),
        trees=() if system else tuple(draw(st.lists(trees, max_size=1))),
        system=system,
    )


def listed(path, laid, aliases, system):
    """Return who has a path by its name: of the version laid last that lists it the first package, links come second."""
    for version in reversed(laid):
        mine = [(owner, package.paths) for owner, package in version if package.system is system]
        direct = [owner for owner, paths in mine if path in paths]
        through = [owner for owner, paths in mine for one in paths if lies(one, aliases) == path]
        if direct or through:
            return (direct + through)[0]
    return None


def lies(path, aliases):
    folder, _, name = path.rpartition(b"/")
    real = aliases.folder(folder)
    return real + b"/" + name if real else name


def plainly(path, laid, aliases):
    """Return who has a path, as the words say it."""
    folder = path.rpartition(b"/")[0]
    cached, above, name = b"/" + path, *path.rpartition(b"/__pycache__/")[::2]
    sources = [above + b"/" + name.partition(b".")[0] + b".py"] if b"/__pycache__/" in path and cached.endswith(b".pyc") else []
    for one in (path, *sources):
        for system in (True, False):
            owner = listed(one, laid, aliases, system)
            if owner is not None:
                return owner
    while True:
        for version in reversed(laid):
            for owner, package in version:
                if folder in package.trees:
                    return owner
        if not folder:
            return NOBODY
        folder = folder.rpartition(b"/")[0]


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_a_path_is_whose_a_plain_reading_says(data):
    links = data.draw(st.dictionaries(folders.filter(bool), folders.filter(bool), max_size=2))
    aliases = Aliases([layer(*((place, Kind.SYMLINK, to) for place, to in links.items()))])
    # Two forms of each package, so that versions have many in common.
    known = {
        (number, system): data.draw(st.lists(package(number, system), min_size=2, max_size=2))
        for system in (True, False)
        for number in range(3)
    }
    numbers = {forms[0].key: number for number, forms in enumerate(known.values())}
    claims, laid = Claims(numbers, aliases), []
    for system in data.draw(st.lists(st.booleans(), min_size=1, max_size=5)):
        there = data.draw(st.lists(st.sampled_from(range(3)), unique=True))
        version = [data.draw(st.sampled_from(known[number, system])) for number in there]
        holders = [None if system else listed(package.origin, laid, aliases, True) for package in version]
        laid.append(
            [
                (numbers[package.key] if holder is None else holder, package)
                for package, holder in zip(version, holders, strict=True)
            ]
        )
        claims.lay("deb" if system else "pypi", version)
        paths = data.draw(st.lists(files, max_size=6))
        around = [path.rpartition(b"/")[0] for path in paths]
        owners = claims.owners(paths, around, dict.fromkeys(around).keys())
        assert list(owners) == [plainly(path, laid, aliases) for path in paths]


def test_a_package_that_stays_has_what_another_begins_to_list():
    stays, comes = (Package("deb", name, "1", None, "", b"", paths=(b"x",), system=True) for name in "ab")
    for version, owner in (([stays, comes], 0), ([comes, stays], 1)):
        claims = Claims({stays.key: 0, comes.key: 1}, Aliases([]))
        claims.lay("dpkg", [stays])
        claims.lay("dpkg", version)
        assert list(claims.owners([b"x"], [b""], {b"": None}.keys())) == [owner]
