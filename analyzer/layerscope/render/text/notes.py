"""What was odd, unreadable, or worth a look for a security review?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from layerscope.model import Level, Note
from layerscope.render.escape import absolute, one_line, terminal
from layerscope.render.options import Options, Paint
from layerscope.render.words import fit_path, say_count, wrap
from layerscope.report import Report

_MEASURE = 20
_PAINTS: dict[Level, Paint] = {Level.ERROR: "bad", Level.WARNING: "warn", Level.INFO: "faint"}


def note_lines(report: Report, options: Options) -> list[str]:
    """Return errors and warnings, one row an id with its count and first place; remarks are only counted."""
    notes = all_notes(report)
    groups = group_notes(note for note in notes if note.level is not Level.INFO)
    lines: list[str] = []
    shown = groups[: options.rows(_MEASURE)]
    for group in shown:
        lines += _group(group, options)
    if len(groups) > len(shown):
        lines.append(f" ... and {say_count(len(groups) - len(shown), 'more kind')} of note")
    remarks = sum(note.level is Level.INFO for note in notes)
    if remarks and lines:
        lines.append(options.paint(f" and {say_count(remarks, 'remark')}, told by --format json", "faint"))
    security = _security(report)
    if security:
        lines += wrap(security, options.columns, indent="  ", first=" ")
    return [options.paint("NOTES", "title"), *lines] if lines else []


def all_notes(report: Report) -> list[Note]:
    """Return the report's notes; those of the image are among them, each once."""
    return list(dict.fromkeys((*report.notes, *report.image.notes)))


def group_notes(notes: Iterable[Note]) -> list[list[Note]]:
    """Return notes of one id and level together, errors first, then in the order they were made."""
    groups: dict[tuple[str, Level], list[Note]] = {}
    for note in notes:
        groups.setdefault((note.id, note.level), []).append(note)
    order = [Level.ERROR, Level.WARNING, Level.INFO]
    return sorted(groups.values(), key=lambda group: order.index(group[0].level))


def say_place(note: Note) -> str:
    """Return where a note speaks of: `layer 3, byte 1,048,576`."""
    layer = "" if note.layer is None else f"layer {note.layer}"
    offset = "" if note.offset is None else f"byte {note.offset:,}{'' if layer else ' of the archive'}"
    return ", ".join(place for place in (layer, offset) if place and place not in note.message)


def _group(group: list[Note], options: Options) -> list[str]:
    first = group[0]
    head = f" {first.level} {terminal(first.id)}  "
    place = say_place(first)
    count = f"{len(group):,} times, first in {place}" if place else f"{len(group):,} times"
    tail = f" ({count if len(group) > 1 else place})" if place or len(group) > 1 else ""
    lines = wrap(one_line(first.message) + tail, options.columns, indent="   ", first=head)
    lines[0] = options.paint(lines[0][: len(head)], _PAINTS[first.level]) + lines[0][len(head) :]
    if first.path is not None:
        lines.append("   " + fit_path(terminal(absolute(first.path)), options.columns - 3))
    return lines


def _security(report: Report) -> str:
    counts = Counter(exposure.id for exposure in report.exposures if exposure.level != "info")
    if not counts:
        return ""
    said = ", ".join(f"{count:,} x {one_line(id_)}" for id_, count in counts.most_common())
    return f"for a security review: {said} (see --format json)"
