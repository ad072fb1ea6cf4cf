from hypothesis import given
from hypothesis import strategies as st
from layerscope.model import Package
from layerscope.packages.dominators import dominators
from layerscope.packages.requirements import edges, retained, shortest_chain


def reach(graph, root, without=None):
    found, todo = set(), [root] if root != without else []
    while todo:
        node = todo.pop()
        if node not in found and node != without:
            found.add(node)
            todo.extend(graph[node])
    return found


graphs = st.integers(1, 8).flatmap(
    lambda size: st.lists(
        st.lists(st.integers(0, size - 1), max_size=4), min_size=size, max_size=size
    ).map(lambda rows: dict(enumerate(rows)))
)  # fmt: skip


@given(graphs)
def test_a_dominator_is_what_no_way_goes_round(graph):
    order, above = dominators(graph, 0)
    reached = reach(graph, 0)
    assert set(order) == reached
    over = dict(zip(order, above, strict=True))
    for node in reached - {0}:
        chain, step = set(), node
        while step != 0:
            step = over[step]
            chain.add(step)
        assert chain == {other for other in reached if other != node and node not in reach(graph, 0, without=other)}
        assert order.index(over[node]) < order.index(node)


def package(name, *requires, reason=None, type_="deb", location=b"", recommends=()):
    return Package(type_, name, "1", None, "", b"", location=location, requires=requires, recommends=recommends, reason=reason)


def sizes(*packages):
    numbered = dict(enumerate(packages))
    return retained(numbered, edges(numbered, recommended=True), {number: 10**number for number in numbered})


def test_what_only_one_package_needs_leaves_with_it():
    found = sizes(
        package("a", "b", "c", reason="asked"),
        package("b", "d"),
        package("c"),
        package("e", "c", reason="asked"),
        package("d"),
    )
    assert found == {0: 10011, 1: 10010, 2: 100, 3: 1000, 4: 10000}


def test_what_only_one_package_recommends_leaves_with_it():
    packages = [
        package("a", "b", reason="asked", recommends=("c", "d", "absent", "a")),
        package("b"),
        package("c", "e", reason="recommended"),
        package("d", reason="recommended"),
        package("e", reason="recommended"),
        package("f", reason="asked", recommends=("d",)),
    ]
    assert sizes(*packages) == {0: 10111, 1: 10, 2: 10100, 3: 1000, 4: 10000, 5: 100000}
    numbered = dict(enumerate(packages))
    assert edges(numbered)[0] == (1,)


def test_a_chain_of_requirements_is_told_before_one_of_recommendations():
    packages = [
        package("a", "b", reason="asked", recommends=("d",)),
        package("b", "c"),
        package("c", "d"),
        package("d", recommends=("e",)),
        package("e"),
    ]
    numbered = dict(enumerate(packages))
    graphs = edges(numbered), edges(numbered, recommended=True)
    assert shortest_chain(numbered, *graphs, 3) == [0, 1, 2, 3]
    assert shortest_chain(numbered, *graphs, 4) == [0, 1, 2, 3, 4]


def test_without_roots_those_that_nothing_requires_are():
    found = sizes(package("a", "b"), package("b"), package("x", "y"), package("y", "x"))
    assert found == {0: 11, 1: 10, 2: 1100, 3: 1000}


@given(graphs, st.data())
def test_retained_sizes_agree_with_taking_a_package_away(graph, data):
    asked = data.draw(st.sets(st.sampled_from(sorted(graph))))
    packages = [
        package(str(node), *map(str, others), reason="asked" if node in asked or not asked else None)
        for node, others in graph.items()
    ]
    numbered = dict(enumerate(packages))
    found = retained(numbered, edges(numbered), dict.fromkeys(numbered, 1))
    assert found.keys() == graph.keys()
    everything = {**graph, -1: sorted(asked or graph)}
    reached = reach(everything, -1)
    for node in reached - {-1}:
        gone = reached - reach(everything, -1, without=node)
        if len(reached) == len(graph) + 1:
            assert found[node] == len(gone)


def test_of_several_copies_the_nearest_is_required():
    at = [b"app/node_modules/a", b"app/node_modules/b", b"app/node_modules/a/node_modules/b", b"lib/node_modules/b"]
    packages = [
        package("a", "b", type_="npm", location=at[0]),
        *(package("b", type_="npm", location=place) for place in at[1:]),
        package("shop", "b", "a", type_="npm", location=b"app"),
        package("far", "b", type_="npm", location=b"opt/far"),
    ]
    assert edges(dict(enumerate(packages))) == {0: (2,), 1: (), 2: (), 3: (), 4: (1, 0), 5: ()}


def test_what_an_application_lists_for_development_is_a_root():
    packages = [
        package("shop", "lib", type_="npm", reason="root", recommends=("pack", "cli")),
        package("lib", type_="npm", reason="asked"),
        package("pack", "deep", type_="npm", reason="dev"),
        package("cli", "pack", type_="npm", reason="dev"),
        package("deep", type_="npm", reason="dev"),
    ]
    assert sizes(*packages) == {0: 1, 1: 10, 2: 10100, 3: 1000, 4: 10000}


def test_what_lies_in_one_applications_modules_is_for_it_alone():
    packages = [
        package("a", type_="npm", location=b"app/node_modules/.pnpm/a@1/node_modules/a"),
        package("b", "a", type_="npm", location=b"app/node_modules/.pnpm/b@1/node_modules/b"),
        package("far", "a", "c", type_="npm", location=b"apple"),
        package("c", type_="npm", location=b"usr/share/nodejs/c"),
    ]
    assert edges(dict(enumerate(packages))) == {0: (), 1: (0,), 2: (3,), 3: ()}


def test_what_lies_in_modules_under_another_name_is_required_by_that_name():
    packages = [
        package("shop", "colors", "real", type_="npm", location=b"app", reason="root"),
        package("real", type_="npm", location=b"app/node_modules/colors"),
        package("far", "@a/b", type_="npm", location=b"app/node_modules/far"),
        package("deep", type_="npm", location=b"app/node_modules/@a/b"),
    ]
    assert edges(dict(enumerate(packages))) == {0: (1,), 1: (), 2: (3,), 3: ()}
