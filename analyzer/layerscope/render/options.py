"""What may a reader choose about the way a report is written?"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from layerscope.frozen import frozen

Paint = Literal["title", "strong", "faint", "bad", "warn", "good"]

_SGR: dict[Paint, str] = {"title": "1", "strong": "1", "faint": "2", "bad": "1;31", "warn": "33", "good": "32"}
NARROWEST, WIDEST = 60, 120


@frozen
class Options:
    """The choices of one rendering.

    width      columns that a line may take; held between 60 and 120
    top        rows of each table, None for each table's own measure
    color      whether text may be painted
    table      which table CSV writes
    bandwidth  bits per second of the line that pulls
    sort       how files are sorted: by size, path or layer
    files      whether a JSON diff lists paths
    raw        whether a history shows what the builder wrote
    moment     when it was asked, for the formats that tell it
    """

    width: int = 80
    top: int | None = None
    color: bool = False
    table: str = "layers"
    bandwidth: int = 100_000_000
    sort: str = "size"
    files: bool = False
    raw: bool = False
    moment: datetime | None = None

    @property
    def columns(self) -> int:
        """Columns that a line really gets."""
        return min(WIDEST, max(NARROWEST, self.width))

    def rows(self, measure: int) -> int:
        """Return how many rows a table shows that shows `measure` by itself."""
        return measure if self.top is None else self.top

    def paint(self, text: str, paint: Paint) -> str:
        """Return text in a colour, or as it is; the only place that writes terminal codes."""
        return f"\x1b[{_SGR[paint]}m{text}\x1b[0m" if self.color and text.strip() else text
