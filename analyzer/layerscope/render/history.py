"""Which instruction made which layer, in each format?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from layerscope.analysis.books import LayerBooks
from layerscope.analysis.history import BUILD, GONE, IN_FORCE, REPLACED, Effect, Step
from layerscope.questions import History
from layerscope.regex import regex
from layerscope.render.document import SCHEMA_VERSION, clean, image_object, write_json
from layerscope.render.escape import cell, defuse, one_line, prose, terminal
from layerscope.render.options import Options
from layerscope.render.rows import Json, Object
from layerscope.render.tables import Row, write_csv
from layerscope.render.words import fit, left, right, say_count, say_size, wrap

_DATE = regex(r"\d{4}-\d\d-\d\d")
_NO_ROW = "(no history)"
_INDENT = "    "


def history_text(history: History, options: Options) -> str:
    """Return a row for each row of the history, by the days on which they were made; then what is odd, and the sum.

    A row without a layer tells in the place of its sizes what became of what it set.
    """
    width, room = _widths(history, options)
    head = "  ".join([right("row", width[0]), right("layer", width[1]), *map(right, ("size", "hidden", "pull"), width[2:])])
    lines = [options.paint(f"{head}  instruction", "title")]
    before = ""
    for step in history.steps:
        group = _say_group(history, step)
        if group != before:
            lines += [options.paint(line, "faint") for line in wrap(group, options.columns)]
            before = group
        row, layer = ("" if number is None else str(number) for number in (step.index, step.layer))
        cells = f"{right(row, width[0])}  {right(layer, width[1])}  "
        sizes = _sizes(history, step)
        middle = "  ".join(map(right, sizes, width[2:])) if sizes else left(say_effect(step), sum(width[2:]) + 4)
        lines.append(f"{cells}{middle}  {fit(say_step(step), room)}")
        if options.raw and step.row is not None and step.row.created_by:
            for line in step.row.created_by.splitlines():
                lines += wrap(terminal(line.expandtabs()), options.columns, _INDENT)
    books = history.books
    sums = (books.content_bytes, books.replaced_bytes + books.deleted_bytes, books.pull_bytes)
    guess = "~" if any(row.pull_estimated for row in books.layers) else ""
    said = (*map(say_size, sums[:2]), "?" if sums[2] is None else guess + say_size(sums[2]))
    for last in (("---", "---", "---"), (*said[:2], f"{right(said[2], width[4])}  all")):
        lines.append("  ".join(map(right, ("", "", *last), width)))
    return "\n".join(defuse(line.rstrip()) for line in lines) + "\n"


def _widths(history: History, options: Options) -> tuple[list[int], int]:
    """Return the widths of the five columns of numbers, and what is left for the instruction."""
    guess = any(row.pull_estimated for row in history.books.layers)
    width = [max(3, len(str(len(history.steps)))), 5, 7, 7, 8 if guess else 7]
    return width, options.columns - sum(width) - 2 * len(width)


def _say_group(history: History, step: Step) -> str:
    """Return on which day a step was made, and whether the base image brought it."""
    created = step.row.created if step.row is not None else None
    found = _DATE.match(created or "")
    day = found[0] if found else "no date"
    name = f" {one_line(history.base.name)}" if history.base.name else ""
    return f"{day}, base image{name}" if step.in_base else day


def _sizes(history: History, step: Step) -> tuple[str, str, str] | None:
    """Return the sizes of a step's layer, None if it has none or it is stored with an earlier one."""
    if step.layer is None or history.image.layers[step.layer].same_as is not None:
        return None
    book = history.books.layers[step.layer]
    if not history.image.layers[step.layer].present:
        return "?", "?", _say_pull(book)
    return say_size(book.content_bytes), say_size(book.hidden_bytes), _say_pull(book)


def _say_pull(book: LayerBooks) -> str:
    return ("~" if book.pull_estimated else "") + say_size(book.pull_bytes)


def say_step(step: Step) -> str:
    """Return what people read of a step."""
    return one_line(step.row.instruction) if step.row is not None else _NO_ROW


def say_effect(step: Step) -> str:
    """Return what became of what a step set, in a few words."""
    if step.note is not None:
        return "no such layer" if step.layer is None else step.note
    if step.layer is not None:
        return "layer stored before"
    if not step.effects:
        return "no file, no setting"
    states = {effect.state for effect in step.effects}
    if len(states) == 1 and states != {REPLACED}:
        return {IN_FORCE: "in force", GONE: "not in the config", BUILD: "for the build only"}[states.pop()]
    if states == {REPLACED}:
        rows = sorted({effect.by for effect in step.effects if effect.by is not None})
        return f"replaced by {rows[0]}" if len(rows) == 1 else "replaced by later ones"
    kept = sum(effect.state == IN_FORCE for effect in step.effects)
    return f"{kept} of {len(step.effects)} in force"


def history_json(history: History, _options: Options) -> str:
    """Return the history as schema 1 says it."""
    steps: list[Json] = [_step_row(history, step) for step in history.steps]
    document: Object = {
        "schema_version": SCHEMA_VERSION,
        "complete": history.image.complete,
        "image": image_object(history.image, None, history.base),
        "steps": steps,
    }
    return write_json(clean(document))


def _step_row(history: History, step: Step) -> Object:
    row = step.row
    book = None if step.layer is None else history.books.layers[step.layer]
    layer = None if step.layer is None else history.image.layers[step.layer]
    return {
        "index": step.index,
        "layer": step.layer,
        "same_as": None if layer is None else layer.same_as,
        "instruction": None if row is None else row.instruction,
        "created_by": None if row is None else row.created_by,
        "comment": None if row is None else row.comment,
        "created": None if row is None else row.created,
        "empty": None if row is None else row.empty,
        "in_base": step.in_base,
        "note": step.note,
        "content_bytes": None if book is None else book.content_bytes,
        "hidden_bytes": None if book is None or book.content_bytes is None else book.hidden_bytes,
        "pull_bytes": None if book is None else book.pull_bytes,
        "pull_estimated": False if book is None else book.pull_estimated,
        "effects": [{"what": effect.what, "state": effect.state, "by": effect.by} for effect in step.effects],
    }


def history_csv(history: History, options: Options) -> str:
    """Return a row a step; of several effects the last column tells all."""

    def table() -> Iterator[Row]:
        yield (
            "index", "layer", "created", "in_base", "content_bytes", "hidden_bytes", "pull_bytes", "effect", "note",
            "created_by" if options.raw else "instruction",
        )  # fmt: skip
        for step in history.steps:
            book = None if step.layer is None else history.books.layers[step.layer]
            text = None if step.row is None else step.row.created_by if options.raw else step.row.instruction
            yield (
                step.index, step.layer, step.row.created if step.row else None, "yes" if step.in_base else "no",
                *((book.content_bytes, book.hidden_bytes, book.pull_bytes) if book else (None, None, None)),
                "; ".join(map(_say, step.effects)), step.note, text,
            )  # fmt: skip

    return write_csv(table())


def _say(effect: Effect) -> str:
    by = f" by {effect.by}" if effect.by is not None else ""
    return f"{effect.what}: {effect.state}{by}"


def history_markdown(history: History, options: Options) -> str:
    """Return the steps as a table."""
    lines = [
        f"{say_count(len(history.steps), 'step')}, {say_count(len(history.image.layers), 'layer')}",
        "",
        "| row | layer | created | size | hidden | pull | instruction |",
        "|---:|---:|---|---:|---:|---:|---|",
    ]
    for step in history.steps:
        sizes = _sizes(history, step)
        middle = " | ".join(sizes) if sizes else f"{prose(say_effect(step))} | |"
        text = "" if step.row is None else (step.row.created_by if options.raw else step.row.instruction) or ""
        said = cell(text if options.raw else fit(one_line(text), 200)) if step.row is not None else _NO_ROW
        day = _DATE.match(step.row.created or "") if step.row is not None else None
        numbers = " | ".join("" if number is None else str(number) for number in (step.index, step.layer))
        lines.append(f"| {numbers} | {day[0] if day else ''} | {middle} | {said} |")
    return "\n".join(lines) + "\n"


HISTORY_FORMATS: dict[str, Callable[[History, Options], str]] = {
    "text": history_text,
    "json": history_json,
    "markdown": history_markdown,
    "csv": history_csv,
}
