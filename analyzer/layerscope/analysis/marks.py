"""What did an inspection of contents find, and what became of it?"""

from __future__ import annotations

from collections.abc import Iterator

from layerscope.analysis.exposure import Exposure, Ground
from layerscope.model import LayerIndex

# A distribution publishes what is in its packages: a key in there is a test's, or an example.
PUBLISHED = ("alpm:", "apk:", "deb:", "rpm:")
_LOWER = {"error": "warning", "warning": "info", "info": "info"}


def find_marks(index: LayerIndex, position: int, ground: Ground) -> Iterator[Exposure]:
    """Return the marks of one layer's contents: where they are, and how long; never what they are."""
    start = ground.stack.starts[position]
    for row, marks in sorted(index.marks.items()):
        state, hidden = ground.state(start + row)
        package = ground.owner(start + row)
        published = package is not None and package.startswith(PUBLISHED)
        for mark in marks:
            level = _LOWER[mark.level] if published else mark.level
            detail = f"line {mark.line:,}, {mark.length:,} characters"
            yield Exposure(mark.rule, level, mark.title, index.paths[row], position, state, hidden, package, detail)
