"""Which packages are asked for, and why they are there."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from layerscope.packages.inventory import Selection, take_inventory
from layerscope.packages.ownership import own
from layerscope.packages.requirements import leaving, retained, shortest_chain
from layerscope.packages.why import explain_package, find_package, near_packages

from packages.images import layer, stack
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
