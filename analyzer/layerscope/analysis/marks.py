"""Which secrets did an inspection of contents find, and what became of them?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import astuple

from layerscope.analysis.exposure import Exposure, Ground
from layerscope.model import LayerIndex, Mark

SECRETS = "secrets"
"""The name under which marks are kept in `LayerIndex.inspected`."""

# A distribution publishes what is in its packages: a key in there is a test's, or an example.
PUBLISHED = ("alpm:", "apk:", "deb:", "rpm:")
_LOWER = {"error": "warning", "warning": "info", "info": "info"}


def find_marks(index: LayerIndex, position: int, ground: Ground) -> Iterator[Exposure]:
    """Return the marks of one layer's contents: where they are, and how long; never what they are."""
    start = ground.stack.starts[position]
    for row, found in sorted(index.inspected.items()):
        marks = [mark for who, told in found if who == SECRETS for mark in unpack(told)]
        if not marks:
            continue
        state, hidden = ground.state(start + row)
        package = ground.owner(start + row)
        published = package is not None and package.startswith(PUBLISHED)
        for mark in marks:
            level = _LOWER[mark.level] if published else mark.level
            detail = f"line {mark.line:,}, {mark.length:,} characters"
            yield Exposure(mark.rule, level, mark.title, index.paths[row], position, state, hidden, package, detail)


def pack(marks: Sequence[Mark]) -> bytes:
    """Return marks as an inspector hands them over."""
    return json.dumps([astuple(mark) for mark in marks]).encode()


def unpack(told: bytes) -> list[Mark]:
    """Return the marks that an inspector handed over."""
    return [Mark(*row) for row in json.loads(told)]
