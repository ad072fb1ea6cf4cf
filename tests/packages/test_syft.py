"""The same packages as syft finds (`syft.json`: version 1.18.1, every image of the corpus that it reads; `scripts/syft` asks again), by type, name, version.

Its types are written as package URLs have them: java-archive maven, python pypi, binary generic.
"""

import json
from pathlib import Path

import pytest
from layerscope import api

from packages.images import corpus

FOUND = json.loads((Path(__file__).parent / "syft.json").read_text(encoding="utf-8"))

DIFFERENCES = {
    "snyk__docker-save_3-level-jar.tar": (
        {"maven snyk UNKNOWN"}, {"maven snyk "}, "a jar that tells no version: syft writes UNKNOWN, an unknown version is empty here",
    ),
}  # fmt: skip
"""Image -> (only syft, only layerscope, why)."""


def found_by_layerscope(image: Path) -> set[str]:
    """Return type, name and version of each package that a container sees."""
    owned = api.own(api.load(str(image)))
    return {f"{one.package.type} {one.package.name} {one.package.version}" for one in owned.packages if one.removed_in is None}


@pytest.mark.parametrize("name", sorted(FOUND))
def test_packages_are_those_that_syft_finds(name):
    ours = found_by_layerscope(corpus(f"images/{name}"))
    theirs = set(FOUND[name])
    assert (theirs - ours, ours - theirs) == DIFFERENCES.get(name, (set(), set()))[:2]
