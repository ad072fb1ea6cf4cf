"""Which line of the Dockerfile is told for a layer?"""

from __future__ import annotations

from layerscope.render.escape import one_line
from layerscope.render.words import width_of
from layerscope.report import Report

_LONG = 24


def say_line(report: Report, layer: int) -> str:
    """Return the line of a layer, `12`, with a question mark where it is not sure; empty where none is known."""
    place = report.placement.layers.get(layer) if report.placement else None
    return "" if place is None else f"{place.line}{'' if place.sure else '?'}"


def say_source(report: Report, layer: int) -> str:
    """Return file and line of a layer, `Dockerfile:12`, as `say_line` does; of a long path its last part."""
    line = say_line(report, layer)
    if not line or report.placement is None:
        return ""
    path = one_line(report.placement.path)
    return f"{path if width_of(path) <= _LONG else path.rpartition('/')[2]}:{line}"
