"""Which secrets did an inspection of contents find, and what became of them?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import astuple

from layerscope.analysis.exposure import Exposure, Ground
from layerscope.model import SECRETS, LayerIndex, Mark

_LOWER = {"error": "warning", "warning": "info", "info": "info"}


def find_marks(index: LayerIndex, position: int, ground: Ground) -> Iterator[Exposure]:
    """Return the marks of one layer's contents: where they are, and how long; never what they are."""
    start = ground.stack.starts[position]
    for row, found in sorted(index.inspected.items()):
        marks = [mark for who, told in found if who == SECRETS for mark in unpack(told)]
        if not marks:
            continue
        state, hidden = ground.state(start + row)
        package, publisher = ground.owner(start + row), ground.publisher(start + row)
        for mark in marks:
            level, detail = mark.level, f"line {mark.line:,}, {mark.length:,} characters"
            if publisher is not None:
                level = _LOWER[mark.level] if ground.vendor is None else "info"
                detail += f"; as {publisher} ships it"
            yield Exposure(mark.rule, level, mark.title, index.paths[row], position, state, hidden, package, detail)


def pack(marks: Sequence[Mark]) -> bytes:
    """Return marks as an inspector hands them over."""
    return json.dumps([astuple(mark) for mark in marks]).encode()


def unpack(told: bytes) -> list[Mark]:
    """Return the marks that an inspector handed over."""
    return [Mark(*row) for row in json.loads(told)]
