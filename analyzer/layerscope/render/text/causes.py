"""What makes the image fat, and what is to be done, in words?"""

from __future__ import annotations

from layerscope.analysis.causes import Cause, Certainty
from layerscope.render.escape import absolute, one_line, terminal
from layerscope.render.lines import say_source
from layerscope.render.options import Options
from layerscope.render.words import fit, fit_path, left, right, say_size, width_of, wrap
from layerscope.report import Report

_MEASURE = 8
_SURENESS = {Certainty.FACT: "", Certainty.LIKELY: "likely ", Certainty.POSSIBLE: "possible "}
_INDENT = "    "


def cause_lines(report: Report, options: Options) -> list[str]:
    """Return the causes, the largest first, each with its layer, its largest path and its fix; then their sum."""
    causes = rank_causes(report)
    if not causes:
        return []
    lines = [options.paint("WHAT MAKES IT FAT" + right("frees", options.columns - 17), "title")]
    shown = causes[: options.rows(_MEASURE)]
    for number, cause in enumerate(shown, 1):
        lines += _cause(report, number, cause, options)
    if rest := causes[len(shown) :]:
        lines.append(_sum_line(f"... and {len(rest):,} more", rest, options))
    if len(causes) > 1:
        lines += [right("---", options.columns), _sum_line("all", causes, options)]
    return lines


def rank_causes(report: Report) -> list[Cause]:
    """Return the causes that free something, the largest first; of equals the surer one."""
    order = list(Certainty)
    return sorted(
        (cause for cause in report.causes if cause.bytes),
        key=lambda cause: (-cause.bytes, order.index(cause.certainty), cause.layer, cause.id),
    )


def say_layers(cause: Cause) -> str:
    """Return which layer holds the bytes and which one hid them."""
    stored = f"layer {cause.layer}"
    if cause.hidden_in is None:
        return stored
    if cause.hidden_in == cause.layer:
        return f"{stored}, hidden by the same"
    return f"{stored}, hidden by layer {cause.hidden_in}"


def _cause(report: Report, number: int, cause: Cause, options: Options) -> list[str]:
    frees = f"{_SURENESS[cause.certainty]}{say_size(cause.bytes)}"
    room = options.columns - len(_INDENT) - 2 - width_of(frees)
    title, *more = wrap(one_line(cause.title), room)
    title = left(title, room)
    lines = [f"{number:2d}  {options.paint(title, 'strong')}  {options.paint(frees, 'warn')}"]
    lines += (_INDENT + options.paint(line, "strong") for line in more)
    lines += (options.paint(line, "faint") for line in _origin(report, cause, options.columns))
    if cause.fix:
        lines += (
            options.paint(line, "good")
            for line in wrap(one_line(cause.fix), options.columns, indent=_INDENT + "     ", first=_INDENT + "fix: ")
        )
    return lines


def _origin(report: Report, cause: Cause, columns: int) -> list[str]:
    """Return the lines that say where the bytes come from."""
    room = columns - len(_INDENT)
    said = [_instruction(report, cause.layer, cause.instruction)]
    if cause.hidden_in == cause.layer:
        said.append("hidden by a later entry of the same layer")
    elif cause.hidden_in is not None:
        said.append(f"hidden by {_instruction(report, cause.hidden_in, cause.hidden_by_instruction or '')}")
    together = ", ".join(said)
    lines = [_INDENT + fit(line, room) for line in ([together] if width_of(together) <= room else said)]
    if cause.paths:
        top = cause.paths[0]
        tail = f"  {say_size(top.bytes)}, the largest of {cause.path_count:,}" if cause.path_count > 1 else ""
        lines.append(f"{_INDENT}{fit_path(terminal(absolute(top.path)), room - len(tail))}{tail}")
    return lines


def _instruction(report: Report, layer: int, instruction: str) -> str:
    source = say_source(report, layer)
    return f"layer {layer}{f' ({source})' if source else ''}  {one_line(instruction)}".rstrip()


def _sum_line(label: str, causes: list[Cause], options: Options) -> str:
    frees = say_size(sum(cause.bytes for cause in causes))
    return _INDENT + left(label, options.columns - len(_INDENT) - len(frees)) + frees
