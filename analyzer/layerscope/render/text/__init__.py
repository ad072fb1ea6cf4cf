"""What does a person read at a terminal? One screen: how big, the verdict, what to do, and the tables behind it."""

from __future__ import annotations

from layerscope.render.escape import defuse
from layerscope.render.options import Options
from layerscope.render.text.balance import balance_lines, dive_lines
from layerscope.render.text.causes import cause_lines
from layerscope.render.text.head import head_lines
from layerscope.render.text.layers import layer_lines
from layerscope.render.text.notes import note_lines
from layerscope.render.text.packages import package_lines
from layerscope.report import Report

_SECTIONS = (head_lines, cause_lines, layer_lines, package_lines, balance_lines, dive_lines, note_lines)


def report_text(report: Report, options: Options) -> str:
    """Return the report as one screen of text, an empty line between its sections."""
    sections = (section(report, options) for section in _SECTIONS)
    return "\n\n".join("\n".join(defuse(line.rstrip()) for line in lines) for lines in sections if lines) + "\n"
