"""Sets of equal files are columns that tell what a naive search finds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.make import report
from analysis.test_claims import CONTENTS, PATHS


def test_a_set_of_equal_files():
    made = report({"a": b"x" * 70, "b/c": b"x" * 70, "d": b"y" * 70, "e": b"", "f": b""}, {"g": b"x" * 70, "h": b"y" * 70})
    first, second = made.duplicates
    assert [(place.path, place.layer, place.bytes) for place in first.paths] == [(b"a", 0, 70), (b"b/c", 0, 70), (b"g", 1, 70)]
    assert (first.bytes, first.copies, first.wasted_bytes) == (70, 3, 140)
    assert [(place.path, place.layer) for place in second.paths] == [(b"d", 0), (b"h", 1)]
    assert made.duplicates.wasted_bytes == made.duplicate_bytes == 210
    assert [(size, [layer for _, layer in places]) for size, places in made.duplicates.places()] == [
        (70, [0, 0, 1]),
        (70, [0, 1]),
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(PATHS), CONTENTS, max_size=8), min_size=1, max_size=4))
def test_the_sets_are_those_of_a_naive_search(layers):
    layers = [tree | {f"layer-{position}": b""} for position, tree in enumerate(layers)]  # no two are the same
    made = report(*layers).duplicates
    there = {path: (content, position) for position, tree in enumerate(layers) for path, content in tree.items()}
    expected = {}
    for path, (content, position) in there.items():
        expected.setdefault(content, set()).add((path.encode(), position))
    wanted = {content: places for content, places in expected.items() if content and len(places) > 1}
    assert sorted(map(frozenset, wanted.values()), key=sorted) == sorted(
        (frozenset((place.path, place.layer) for place in group.paths) for group in made), key=sorted
    )
    assert made.wasted_bytes == sum(len(content) * (len(places) - 1) for content, places in wanted.items())
    ranks = [(-group.wasted_bytes, group.paths[0].path) for group in made]
    assert ranks == sorted(ranks)
