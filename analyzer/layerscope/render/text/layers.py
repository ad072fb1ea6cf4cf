"""How big is each layer, how much of it is hidden, and which instruction made it, as a table?"""

from __future__ import annotations

from collections.abc import Sequence

from layerscope.analysis.books import LayerBooks
from layerscope.model import Layer
from layerscope.render.escape import one_line
from layerscope.render.lines import say_line
from layerscope.render.options import Options
from layerscope.render.words import fit, say_size
from layerscope.report import Report

_MEASURE = 20
_SIZE = 7
_GUESS = "~"
_ALIGN = ("right", "left", "right", "right", "right", "right", "left")


def layer_lines(report: Report, options: Options) -> list[str]:
    """Return one row a layer, base first; of many layers the largest, the others summed up; then the sum.

    There is no column of pull sizes where none is known, and one of the Dockerfile's lines only where these are.
    """
    from tabulate import tabulate

    books = report.books.layers
    if not books:
        return [options.paint("LAYERS", "title"), " none"]
    bar = 12 if options.columns >= 76 else 6
    guess = _GUESS if any(book.pull_estimated for book in books) else ""
    pulls = any(book.pull_bytes for book in books)
    lines = {book.position: say_line(report, book.position) for book in books}
    line = max(map(len, lines.values())) if any(lines.values()) else 0
    line = max(line, len("line")) if line else 0
    room = options.columns - (3 + 2 + bar + (3 if pulls else 2) * (2 + _SIZE) + len(guess) + 2 + (line + 2 if line else 0))
    most = max(row.content_bytes or 0 for row in books)
    shown = choose_layers(report, options.rows(_MEASURE))
    rows = [
        ["", "", "size", "hidden", "pull", "line", "instruction"],
        ["999", "#" * bar, "9" * _SIZE, "9" * _SIZE, guess + "9" * _SIZE, "9" * line, ""],
    ]
    for book in books:
        if book.position in shown:
            layer = report.image.layers[book.position]
            said = fit(say_instruction(layer), room)
            rows.append([str(book.position), draw_bar(book, most, bar), *_sizes(layer, book), lines[book.position], said])
    rest = [book for book in books if book.position not in shown]
    if rest:
        more = f"... and {len(rest):,} more"
        bare = f"{more} without content"
        if len(bare) <= room and not any(book.content_bytes for book in rest):
            more = bare
        rows.append(["", "", *_sums(rest), "", more])
    rows += [["", "", "---", "---", "---", "", ""], ["", "", *_totals(report, guess), "", "all"]]
    kept = [column for column, wanted in enumerate((1, 1, 1, 1, pulls, line, 1)) if wanted]
    rows = [[row[column] for column in kept] for row in rows]
    align = [_ALIGN[column] for column in kept]
    head, _, *table = tabulate(rows, tablefmt="plain", disable_numparse=True, colalign=align).splitlines()
    legend = "  (# live, - hidden)" if any(book.hidden_bytes for book in books) else ""
    head = f"LAYERS{head[6:].rstrip()}"
    legend = legend if len(head + legend) <= options.columns else ""
    return [options.paint(head + legend, "title"), *table]


def choose_layers(report: Report, count: int) -> frozenset[int]:
    """Return the positions of the layers worth a row: missing ones and the largest, none of 0 bytes."""
    books = report.books.layers
    told = [
        book
        for book in books
        if book.content_bytes or not report.image.layers[book.position].present
        or report.image.layers[book.position].same_as is not None
    ]  # fmt: skip
    told.sort(key=lambda book: (book.content_bytes is not None, -(book.content_bytes or 0), book.position))
    return frozenset(book.position for book in told[:count])


def say_instruction(layer: Layer) -> str:
    """Return what made a layer, after what a reader must know first: that it is missing, or told twice."""
    said = one_line(layer.instruction)
    if layer.same_as is not None:
        return f"same as layer {layer.same_as}: {said}" if said else f"same as layer {layer.same_as}"
    if not layer.present:
        kept = "kept elsewhere" if layer.foreign else "not in archive"
        return f"{kept}: {said}" if said else kept
    return said or "(no instruction told)"


def draw_bar(book: LayerBooks, most: int, width: int) -> str:
    """Return a bar of the layer's content against the largest layer's: `#` live, `-` hidden."""
    content = book.content_bytes or 0
    if not content:
        return ""
    full = round(width * content / most)
    hidden = round(full * book.hidden_bytes / content)
    return "#" * (full - hidden) + "-" * hidden


def _sizes(layer: Layer, book: LayerBooks) -> tuple[str, str, str]:
    if layer.same_as is not None:
        return "", "", ""
    pull = (_GUESS if book.pull_estimated else "") + say_size(book.pull_bytes)
    if not layer.present:
        return "?", "?", pull
    return say_size(book.content_bytes), say_size(book.hidden_bytes), pull


def _sums(books: Sequence[LayerBooks]) -> tuple[str, str, str]:
    """Return sums over what is known; a pull size that nothing tells is not 0."""
    pulls = [book.pull_bytes for book in books if book.pull_bytes is not None]
    guess = _GUESS if any(book.pull_estimated for book in books) else ""
    return (
        say_size(sum(book.content_bytes or 0 for book in books)),
        say_size(sum(book.hidden_bytes for book in books)),
        guess + say_size(sum(pulls)) if pulls else "?",
    )


def _totals(report: Report, guess: str) -> tuple[str, str, str]:
    books = report.books
    pull = "?" if books.pull_bytes is None else guess + say_size(books.pull_bytes)
    return say_size(books.content_bytes), say_size(books.replaced_bytes + books.deleted_bytes), pull
