"""On which line of the Dockerfile is a finding told?"""

from __future__ import annotations

from layerscope.audit import Finding
from layerscope.frozen import frozen
from layerscope.render.escape import uri_path
from layerscope.report import Report


@frozen
class Places:
    """Where findings are told to be.

    path   of the Dockerfile, None if there is none
    lines  of each layer; `base` is the line of the FROM, `user` that of the last USER or CMD
    """

    path: str | None
    lines: dict[int, int]
    base: int = 1
    user: int = 1

    def of(self, finding: Finding) -> tuple[str, int]:
        """Return path and line: in the Dockerfile, else a made-up path that stays the same over rebuilds."""
        if self.path is not None:
            layer = finding.fact.layer
            return self.path, self.user if layer is None else self.lines.get(layer, self.base)
        return (f"image/{uri_path(finding.path)}" if finding.path is not None else "image/config"), 1


def find_places(report: Report) -> Places:
    """Return the line of each layer; what has none is the base image's, and told at its FROM."""
    placed = report.placement
    if placed is None:
        return Places(None, {})
    path = uri_path(placed.path.removeprefix("./").encode("utf-8", "surrogateescape"))
    lines = {layer: place.line for layer, place in placed.layers.items()}
    return Places(path, lines, placed.base.line if placed.base else 1, placed.user)
