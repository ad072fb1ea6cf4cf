"""How is a Dockerfile written that was made again from an image's history?"""

from __future__ import annotations

from layerscope.analysis.recipe import rebuild
from layerscope.model import Image, Kind
from layerscope.questions import History
from layerscope.render.escape import absolute, one_line, script, terminal
from layerscope.render.words import fit_path, say_count, say_size, wrap

_WIDTH = 120
_NAMED = 3
_TITLE = "Made again from the history and the config of an image by layerscope; what nothing tells stands in comments."


def recipe_text(history: History) -> str:
    """Return a Dockerfile; nothing in it hides or moves the cursor."""
    lines = wrap(_TITLE, _WIDTH, "# ")
    for line in rebuild(history.image, history.steps, history.base):
        if not line.comment:
            lines += map(script, line.text.split("\n"))
            continue
        lines.append("")
        if line.layer is not None:
            lines += wrap(say_layer(history, line.layer), _WIDTH, "# ")
        if line.text:
            lines += wrap(one_line(line.text), _WIDTH, "#   ", "# ")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def say_layer(history: History, position: int) -> str:
    """Return what a layer holds: how many files, and the largest."""
    image, book = history.image, history.books.layers[position]
    layer = image.layers[position]
    if not layer.present:
        return f"layer {position}: not in the archive"
    largest, files = _largest(image, position)
    if not files:
        return f"layer {position}: no file"
    size = say_size(book.content_bytes if layer.same_as is None else history.books.layers[layer.same_as].content_bytes)
    more = f" and {files - len(largest):,} more" if files > len(largest) else ""
    names = ", ".join(fit_path(terminal(absolute(path)), _WIDTH // 2) for path in largest)
    return f"layer {position}: {say_count(files, 'file')}, {size}: {names}{more}"


def _largest(image: Image, position: int) -> tuple[list[bytes], int]:
    """Return the paths of a layer's largest files, and how many files it has."""
    index = image.index_of(position)
    if index is None:
        return [], 0
    rows = [row for row, kind in enumerate(index.kinds) if kind in (Kind.FILE, Kind.HARDLINK)]
    top = sorted(rows, key=lambda row: (-index.sizes[row], row))[:_NAMED]
    return [index.paths[row] for row in top], len(rows)
