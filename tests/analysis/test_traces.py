"""Is what is known of a folder what the declarations of the traces say of it?"""

from __future__ import annotations

import re
from random import Random

import pytest
from layerscope.analysis.leftovers import CLAIMS
from layerscope.analysis.traces import DEPTH, Lookup

TRACES = [trace for _, trace in CLAIMS]
PARTS = sorted(
    {name for trace in TRACES if trace is not None for name in trace.named}
    | {folder.removeprefix("**/") for trace in TRACES if trace is not None for folder in trace.folders}
    | {"node_modules", "site-packages", "gems", "bundle", "ruby", "var/lib", "var/cache", "a", "test\n"}
)


def plainly(folder: bytes) -> tuple[int, list[int]]:
    """Return the first trace that has all files of a folder, and those that may name single ones because of where it is."""
    number, held = len(TRACES), []
    for one, trace in enumerate(TRACES):
        for place in trace.folders if trace is not None else ():
            tail = b"/" + place.removeprefix("**/").encode() + b"/"
            around = b"/" + folder + b"/"
            if (tail in around) if place.startswith("**/") else around.startswith(tail):
                number = min(number, one)
        if trace is not None and trace.within is not None and re.fullmatch(trace.within.encode(), folder + b"/", re.DOTALL):
            held.append(one)
    return number, held


def told(lookup: Lookup, folder: bytes) -> tuple[int, list[int]]:
    place = lookup.at(folder)
    return place.number, [lookup.files[which].number for which in place.held]


@pytest.mark.parametrize("seed", range(20))
def test_any_folder(seed: int):
    random, seen = Random(seed), 0
    lookup = Lookup(TRACES)
    for _ in range(300):
        folder = "/".join(random.choice(PARTS) for _ in range(random.randrange(6))).encode()
        assert told(lookup, folder) == plainly(folder), folder
        seen += plainly(folder) != (lookup.none, [])
    assert seen > 100


def test_what_lies_too_deep_is_as_what_is_around_it():
    lookup = Lookup(TRACES)
    deep = b"/".join([b"a"] * DEPTH)
    for folder in (deep + b"/.git", deep + b"/b/.git", deep + b"/lib/c"):
        assert lookup.at(folder) is lookup.plain
    assert told(lookup, b"lib/" + deep + b"/.git") == told(lookup, b"lib/a")
    assert told(lookup, b".git/" + deep)[0] == told(lookup, b".git")[0]


def test_of_all_around_a_folder_only_the_nearest_is_remembered():
    lookup = Lookup(TRACES)
    lookup.at(b"a/lib/b/c/d")
    assert lookup.known.keys() == {b"", b"a/lib/b/c", b"a/lib/b/c/d"}
