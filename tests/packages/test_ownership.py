from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layerscope.model import Fate, Kind, Release
from layerscope.packages.classes import CLASSES, Classes
from layerscope.packages.contents import Contents
from layerscope.packages.databases import DATABASES, DPKG
from layerscope.packages.ownership import own
from layerscope.packages.timeline import presences, timelines
from layerscope.rootfs import stacker

from packages.images import layer, stack

STATUS = "var/lib/dpkg/status"


def status(**versions):
    """Build a dpkg status file."""
    return "\n\n".join(
        f"Package: {name}\nStatus: install ok installed\nArchitecture: all\nVersion: {version}"
        for name, version in versions.items()
    )


def listing(name, *paths):
    return (f"var/lib/dpkg/info/{name}.list", "".join(f"/{path}\n" for path in paths))


def owned(indexes, same_as=None, **options):
    return own(indexes, same_as or [None] * len(indexes), stack(indexes), **options)


def owners(result):
    return {share.owner or share.class_: share.bytes for share in result.owners}


def packages(result):
    return {(share.package.name, share.package.version): share for share in result.packages}


def test_a_file_belongs_to_the_package_that_lists_it():
    result = owned([layer((STATUS, status(a="1")), listing("a", "bin/a"), ("bin/a", 100), ("srv/b", 7))])
    share = packages(result)["a", "1"]
    assert (share.bytes, share.live_bytes, share.hidden_bytes, share.files) == (100, 100, 0, 1)
    assert (share.layer, share.removed_in, share.by_layer) == (0, None, {0: 100})
    assert owners(result)["application"] == 7
    assert result.owner_of(2).name == "a"
    assert result.owner_of(3) is None
    assert result.class_of(2) is None
    assert result.class_of(3) == "application"
    assert result.class_of(0) == "package database"


def test_the_database_as_of_the_layer_decides_else_the_next_later_one():
    result = owned(
        [
            layer(("bin/early", 1)),
            layer((STATUS, status(a="1")), listing("a", "bin/a", "bin/early"), ("bin/a", 10), ("bin/b", 5)),
            layer(
                (STATUS, status(a="2", b="1")), listing("a", "bin/c"), listing("b", "bin/a", "bin/b"),
                ("bin/a", 100), ("bin/c", 1000), ("bin/early", 7),
            ),
        ]
    )  # fmt: skip
    found = packages(result)
    assert found["a", "1"].by_layer == {0: 1, 1: 10}
    assert found["a", "1"].removed_in == 2
    assert found["a", "2"].by_layer == {2: 1000}
    assert found["b", "1"].by_layer == {1: 5, 2: 100}
    assert found["a", "1"].hidden_bytes == 11


def test_what_an_upgrade_left_in_place_is_the_new_versions():
    first = layer((STATUS, status(a="1", b="1")), listing("a", "x/a", "x/set", "x/old", "x/moved"), ("x/a", 1), ("x/set", 20),
                  ("x/old", 300), ("x/moved", 4000))  # fmt: skip
    second = layer((STATUS, status(a="2", b="2")), listing("a", "x/a", "x/set"), listing("b", "x/moved"), ("x/a", 50000))
    result = owned([first, second])
    found = packages(result)
    assert (found["a", "2"].by_layer, found["a", "2"].hidden_bytes) == ({0: 20, 1: 50000}, 0)
    assert found["b", "2"].by_layer == {0: 4000}
    # Nobody lists x/old any more, and the old x/a is hidden: both stay with the version that brought them.
    assert (found["a", "1"].by_layer, found["a", "1"].hidden_bytes) == ({0: 301}, 1)


def test_modules_of_python_that_an_upgrade_left_in_place_are_the_new_versions():
    def installed(version, *paths):
        record = "".join(f"{path},,\n" for path in (*paths, f"six-{version}.dist-info/METADATA"))
        folder = f"{SITE}six-{version}.dist-info/"
        return [(folder + "METADATA", f"Name: six\nVersion: {version}\n"), (folder + "RECORD", record)]

    first = layer(*installed("1", "six.py"), (SITE + "six.py", 1000), (SITE + "__pycache__/six.cpython-311.pyc", 5))
    second = layer((SITE + "six-1.dist-info", Kind.WHITEOUT), *installed("2", "six.py"))
    found = packages(owned([first, second]))
    assert found["six", "2"].by_layer[0] == 1005
    assert found["six", "1"].live_bytes == 0


def test_the_later_version_that_lists_a_path_need_not_be_the_next():
    first = layer(("x/a", 1), ("x/b", 2))
    second = layer((STATUS, status(a="1")), listing("a", "x/b"))
    third = layer((STATUS, status(a="1", b="1")), listing("b", "x/a", "x/b"))
    found = packages(owned([first, second, third]))
    assert found["a", "1"].by_layer == {0: 2}
    assert found["b", "1"].by_layer == {0: 1}


def test_a_removed_package_tells_where():
    result = owned(
        [
            layer((STATUS, status(a="1", b="1")), listing("a", "x/a"), ("x/a", 9)),
            layer((STATUS, status(b="1")), ("x/a", Kind.WHITEOUT), ("var/lib/dpkg/info/a.list", Kind.WHITEOUT)),
        ]
    )
    share = packages(result)["a", "1"]
    assert (share.removed_in, share.hidden_bytes, share.live_bytes) == (1, 9, 0)
    assert packages(result)["b", "1"].removed_in is None


def test_a_database_that_a_folder_takes_along_is_gone():
    indexes = [layer((STATUS, status(a="1"))), layer(("var/lib/dpkg", Kind.WHITEOUT)), layer((STATUS, status(a="1")))]
    (line,) = timelines(Contents(indexes, stack(indexes)), [DPKG])
    assert [(version.position, len(version.packages)) for version in line.versions] == [(0, 1), (1, 0), (2, 1)]
    (presence,) = presences(line).values()
    assert (presence.layer, presence.removed_in) == (0, None)


def test_a_copy_of_the_same_database_is_no_change():
    indexes = [layer((STATUS, status(a="1"))), layer((STATUS, status(a="1"))), layer(("etc/x", 1))]
    (line,) = timelines(Contents(indexes, stack(indexes)), [DPKG])
    assert [version.position for version in line.versions] == [0]


def test_a_database_under_a_hard_link_is_read():
    link = layer(("var/lib/dpkg/status.d/a", Kind.HARDLINK, STATUS))
    result = owned([layer((STATUS, status(a="1"))), link, layer((STATUS, Kind.WHITEOUT))])
    assert packages(result)["a", "1"].removed_in is None
    assert packages(result)["a", "1"].package.origin == b"var/lib/dpkg/status.d/a"


def test_merged_usr_paths_are_found():
    result = owned(
        [
            layer(
                ("bin", Kind.SYMLINK, "usr/bin"), ("lib", Kind.SYMLINK, "/usr/lib"), ("loop", Kind.SYMLINK, "loop/x"),
                (STATUS, status(a="1", b="1")), listing("a", "bin/a", "lib/x/../y/a.so", "lib/z/a.so", "loop/a"),
                listing("b", "bin/l", "usr/bin/b", "loop/b"),
                ("usr/bin/a", 1), ("usr/lib/z/a.so", 10), ("usr/bin/b", 100), ("usr/bin/l", Kind.SYMLINK, "a"),
            )
        ]
    )  # fmt: skip
    found = packages(result)
    assert (found["a", "1"].bytes, found["b", "1"].bytes) == (11, 100)
    assert result.owner_of(9).name == "b"


def test_hard_links_count_once_for_the_first_owned_name():
    index = layer(
        (STATUS, status(a="1", b="1")), listing("a", "usr/bin/a"), listing("b", "usr/bin/b", "usr/bin/d"),
        ("srv/x", 50), ("usr/bin/b", Kind.HARDLINK, "srv/x"), ("usr/bin/a", Kind.HARDLINK, "srv/x"),
        ("srv/y", 7), ("srv/z", Kind.HARDLINK, "srv/y"),
    )  # fmt: skip
    upper = layer(("usr/bin/d", Kind.HARDLINK, "srv/y"))
    result = owned([index, upper])
    found = packages(result)
    assert (found["b", "1"].bytes, found["a", "1"].bytes) == (57, 0)
    assert "application" not in owners(result)
    assert result.owner_of(len(index)).name == "b"
    assert result.owner_of(5).name == "b"


def test_a_repeated_layer_counts_once_and_lives_if_any_row_does():
    base = layer((STATUS, status(a="1")), listing("a", "x/a"), ("x/a", 5), ("srv/b", 7))
    middle = layer(("x/a", Kind.WHITEOUT), ("srv/b", Kind.WHITEOUT))
    end = layer(("srv/b", Kind.WHITEOUT))
    result = owned([base, middle, base, end], [None, None, 0, None])
    share = packages(result)["a", "1"]
    assert (share.bytes, share.live_bytes, share.by_layer) == (5, 5, {0: 5})
    row = next(share for share in result.owners if share.class_ == "application")
    assert (row.bytes, row.hidden_bytes, row.files) == (7, 7, 1)
    second = len(base) + len(middle)
    assert result.owner_of(second + 2).name == "a"
    assert result.class_of(second + 3) == "application"


SITE = "usr/lib/python3/dist-packages/"
META = "Name: six\nVersion: 1\n"


def test_a_language_package_inside_a_system_package_is_its_child():
    result = owned(
        [
            layer(
                (STATUS, status(python3_six="1")), listing("python3_six", SITE + "six-1.egg-info", SITE + "six.py"),
                (SITE + "six-1.egg-info", META), (SITE + "six.py", 10), (SITE + "__pycache__/six.cpython-311.pyc", 100),
                (SITE + "__pycache__/own.cpython-311.pyc", 1000),
            )
        ]
    )  # fmt: skip
    found = packages(result)
    assert found["six", "1"].parent is found["python3_six", "1"].package
    assert found["six", "1"].bytes == 0
    assert found["python3_six", "1"].bytes == 110 + len(META)
    assert owners(result)["bytecode"] == 1000
    assert owners(result)["pypi"] == 0


def test_bytecode_belongs_to_its_module():
    site = "opt/venv/lib/python3.12/site-packages/"
    result = owned(
        [
            layer(
                (site + "six-1.dist-info/METADATA", META), (site + "six-1.dist-info/RECORD", "six.py,,\n../../../bin/six,,\n"),
                (site + "six.py", 1), (site + "__pycache__/six.cpython-312.opt-1.pyc", 10), ("opt/venv/bin/six", 100),
                (site + "other.py", 1000),
            )
        ]
    )  # fmt: skip
    assert packages(result)["six", "1"].by_layer == {0: 111 + len(META) + len("six.py,,\n../../../bin/six,,\n")}


def test_npm_packages_claim_folders_and_deeper_claims_win():
    def manifest(name):
        return f'{{"name": "{name}", "version": "1"}}'

    result = owned(
        [
            layer(
                ("app/package.json", manifest("shop")), ("app/src/x.js", 1),
                ("app/node_modules/a/package.json", manifest("a")), ("app/node_modules/a/lib/deep/x.js", 10),
                ("app/node_modules/a/node_modules/b/package.json", manifest("b")),
                ("app/node_modules/a/node_modules/b/x.js", 100), ("app/node_modules/.bin/x", 1000), ("appx/y", 5),
            )
        ]
    )  # fmt: skip
    sizes = {name: share.bytes - len(manifest(name)) for (name, _), share in packages(result).items()}
    assert sizes == {"shop": 1001, "a": 10, "b": 100}


def test_npm_goes_by_the_links_as_of_the_layer():
    def manifest(name, version, more=""):
        return f'{{"name": "{name}", "version": "{version}"{more}}}'

    store = "app/node_modules/.pnpm"
    link = f"{store}/a@1/node_modules/b"
    base = layer(
        ("app/package.json", manifest("shop", "1", ', "dependencies": {"a": "1"}')),
        ("app/node_modules/a", Kind.SYMLINK, ".pnpm/a@1/node_modules/a"),
        (f"{store}/a@1/node_modules/a/package.json", manifest("a", "1", ', "dependencies": {"b": "*"}')),
        (f"{store}/b@1/node_modules/b/package.json", manifest("b", "1")),
        (f"{store}/b@2/node_modules/b/package.json", manifest("b", "2")),
        (link, Kind.SYMLINK, "../../b@1/node_modules/b"),
    )
    wanted = {}
    for name, more in (("first", []), ("then", [layer((link, Kind.SYMLINK, "../../b@2/node_modules/b"))])):
        found = packages(owned([base, *more]))
        wanted[name] = [found["b", version].required_by for version in "12"]
    assert wanted == {"first": [("a",), ()], "then": [(), ("a",)]}


def test_missing_layers_and_no_databases_do_no_harm():
    result = owned([None, layer(("usr/x", 3)), None])
    assert owners(result) == {"other": 3}
    assert result.packages == ()


def test_the_release_names_the_distribution_in_every_url():
    indexes = [layer((STATUS, status(a="1"))), layer(("etc/os-release", "ID=debian\nVERSION_ID=12\n"))]
    assert owned(indexes).packages[0].package.purl == "pkg:deb/debian/a@1?arch=all&distro=debian-12"
    release = Release("ubuntu", None, None)
    assert owned(indexes, release=release).packages[0].package.purl == "pkg:deb/ubuntu/a@1?arch=all&distro=ubuntu"


def test_requirements_name_who_wants_a_package():
    text = status(a="1", b="1") + "\nDepends: a"
    assert packages(owned([layer((STATUS, text))]))["a", "1"].required_by == ("b",)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("var/lib/dpkg/status-old", "package database"),
        ("lib/apk/db/installed", "package database"),
        ("var/lib/apt/lists/x_Packages", "cache"),
        ("root/.cache/pip/x.pyc", "cache"),
        ("app/.git/objects/x", "version-control"),
        ("var/log/dpkg.log", "log"),
        ("tmp/x.pyc", "temporary"),
        ("usr/lib/python3/a.pyc", "bytecode"),
        ("usr/lib/debug/x/y", "debug symbols"),
        ("usr/share/doc/a/b.gz", "documentation"),
        ("app/README", "documentation"),
        ("usr/share/locale/de/LC_MESSAGES/a.mo", "locale"),
        ("usr/lib/x/libz.a", "static library"),
        ("etc/passwd", "configuration"),
        ("app/main.py", "application"),
        ("usr/local/bin/tool", "application"),
        ("usr/bin/tool", "other"),
        ("a", "other"),
        ("work/dir/x", "application"),
        ("workdir/x", "other"),
        ("here/x/y", "application"),
    ],
)
def test_classes(path, expected):
    assert CLASSES[Classes(b"here").rank(path.encode())] == expected


# A slow, plain reading of the rules, over small images of every shape.

NAMES = ("a", "b")
PATHS = ("x/a", "x/b", "y/a", "srv/c")


@st.composite
def layers(draw):
    rows = {}
    for path in draw(st.lists(st.sampled_from(PATHS), unique=True, max_size=4)):
        kind = draw(st.sampled_from(["file", "file", "file", "whiteout", "link"]))
        if kind == "file":
            rows[path] = (path, draw(st.integers(0, 9)))
        elif kind == "whiteout":
            rows[path] = (path, Kind.WHITEOUT)
        else:
            rows[path] = (path, Kind.HARDLINK, draw(st.sampled_from(PATHS)))
    if draw(st.booleans()):
        rows[STATUS] = (
            STATUS,
            status(**{name: draw(st.sampled_from("12")) for name in draw(st.sets(st.sampled_from(NAMES)))}),
        )
    for name in draw(st.sets(st.sampled_from(NAMES))):
        row = listing(name, *draw(st.sets(st.sampled_from(PATHS))))
        rows[row[0]] = row
    if draw(st.booleans()):
        rows["var/lib/dpkg"] = ("var/lib/dpkg", Kind.WHITEOUT)
    return layer(*rows.values())


def plainly(indexes, stacked):
    """Return row id -> owner's name and version, or None, for regular files."""
    versions = []
    for position in range(len(indexes)):
        files = {}
        for upper, index in enumerate(indexes[: position + 1]):
            for row, content in index.kept.items():
                ended = stacked.name_ended(stacked.starts[upper] + row)
                if ended < 0 or ended > position:
                    files[index.paths[row]] = content
        versions.append(list(DPKG.read(DPKG_VIEW(files))))
    found, first = {}, {}
    for position, index in enumerate(indexes):
        for row, path in enumerate(index.paths):
            number = stacked.starts[position] + row
            inode = stacked.inodes.get(number, number)
            if index.kinds[row] not in {Kind.FILE, Kind.HARDLINK} or inode < 0:
                continue
            for version in versions[position:]:
                names = [(package.name, package.version) for package in version if path in package.paths]
                if names:
                    first.setdefault(inode, names[0])
                    break
            if inode == number:
                found[number] = None
    found |= {inode: first[inode] for inode in found if inode in first}
    for position, index in enumerate(indexes):
        for row, path in enumerate(index.paths):
            number = stacked.starts[position] + row
            last = {(package.name, package.version): package for package in versions[-1]}
            if found.get(number) and found[number] not in last and stacked.name_ended(number) < 0:
                heirs = [name for name, package in last.items() if path in package.paths]
                found[number] = heirs[0] if heirs else found[number]
    return found


def DPKG_VIEW(files):
    from layerscope.packages.database import View

    return View(files)


@pytest.mark.parametrize("stacking", [stack, stacker.stack])
@given(indexes=st.lists(layers(), min_size=1, max_size=4))
@settings(max_examples=150)
def test_owners_are_those_of_a_plain_reading_and_sum_to_the_content(stacking, indexes):
    stacked = stacking(indexes)
    result = own(indexes, [None] * len(indexes), stacked)
    expected = plainly(indexes, stacked)
    for row, name in expected.items():
        package = result.owner_of(row)
        assert (package and (package.name, package.version)) == name
        assert (result.class_of(row) is None) == (name is not None)
    assert sum(share.bytes for share in result.owners) == sum(index.content_bytes for index in indexes)
    assert sum(share.files for share in result.owners) == len(expected)
    assert sum(share.bytes for share in result.packages) == sum(share.bytes for share in result.owners if share.owner)
    for share in (*result.owners, *result.packages):
        assert share.bytes == share.live_bytes + share.hidden_bytes
    hidden = sum(
        index.sizes[row]
        for position, index in enumerate(indexes)
        for row in range(len(index))
        if stacked.fates[stacked.starts[position] + row] != Fate.LIVE
    )
    assert sum(share.hidden_bytes for share in result.owners) == hidden
    by_layer = Counter()
    for share in result.owners:
        for position, (size, gone) in share.by_layer.items():
            by_layer[position] += size
            assert gone <= size
    assert +by_layer == +Counter({position: index.content_bytes for position, index in enumerate(indexes)})


@given(st.lists(layers(), min_size=1, max_size=3), st.data())
def test_repeated_layers_count_once(distinct, data):
    order = data.draw(st.lists(st.integers(0, len(distinct) - 1), min_size=1, max_size=5))
    indexes = [distinct[number] for number in order]
    same_as = [None if order.index(number) == position else order.index(number) for position, number in enumerate(order)]
    result = own(indexes, same_as, stack(indexes), databases=DATABASES)
    assert sum(share.bytes for share in result.owners) == sum(distinct[number].content_bytes for number in set(order))


def test_absurd_paths_cost_what_they_are_long():
    deep = b"a/" * 300_000
    rows = [(deep + b"%d" % number, 1) for number in range(3)]
    rows.append((deep + b"x.dist-info/METADATA", "Name: x\nVersion: 1\n"))
    rows.append((deep + b"x.dist-info/RECORD", "a\n" * 100_000))
    rows.append(("lib/apk/db/installed", "P:a\nV:1\nF:" + "a/" * 100_000 + "\n" + "R:a\n" * 100_000))
    rows.append(("l", Kind.SYMLINK, b"b/" * 2_000))
    rows.append((STATUS, status(a="1")))
    rows.append(("var/lib/dpkg/info/a.list", b"/l/x\n" * 100_000 + b"/" + deep + b"\n" + b"/l" * 500 + b"/x\n"))
    rows.append((deep + b"node_modules/.package-lock.json", '{"packages": {"node_modules/a": {"version": "1"}}}'))
    rows.append((deep + b"node_modules/a/package.json", '{"name": "a", "version": "1"}'))
    result = owned([layer(*rows)])
    assert {share.package.name for share in result.packages} >= {"a", "x"}
    assert sum(share.bytes for share in result.owners) == sum(layer(*rows).sizes)
