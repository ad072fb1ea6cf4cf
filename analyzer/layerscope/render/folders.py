"""How much is in each folder, in each format?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from layerscope.analysis.folders import FolderRow
from layerscope.model import Image
from layerscope.render.document import files_document, write_json
from layerscope.render.escape import absolute, path_b64, path_text, terminal
from layerscope.render.options import Options
from layerscope.render.rows import Json
from layerscope.render.tables import Row, write_csv
from layerscope.render.words import fit_path, right, say_size

_MEASURE = 60


def folders_text(_image: Image, folders: Sequence[FolderRow], options: Options) -> str:
    """Return a tree with sizes; what is hidden stands beside what is there in all."""
    lines = [options.paint(f"{'size':>9}{'hidden':>9}{'files':>9}  path", "title")]
    shown = folders[: options.rows(_MEASURE)]
    for row in shown:
        size, hidden = say_size(row.bytes), say_size(row.bytes - row.live_bytes)
        name = terminal(absolute(row.path)) if row.depth < 2 else terminal(absolute(row.path)).rpartition("/")[2]
        indent = "  " * max(0, row.depth - 1)
        path = fit_path(indent + name, options.columns - 29)
        lines.append(f"{right(size, 9)}{right(hidden, 9)}{row.files:>9,}  {path}")
    if rest := len(folders) - len(shown):
        lines.append(f"{'':>29}... and {rest:,} more folders")
    return "\n".join(lines) + "\n"


def folders_json(image: Image, folders: Sequence[FolderRow], options: Options) -> str:
    """Return the folders as schema 1 says it."""
    document = files_document(image, ())
    document["folders"] = [_row(row) for row in folders[: options.top]]
    return write_json(document)


def folders_csv(_image: Image, folders: Sequence[FolderRow], options: Options) -> str:
    """Return the folders as CSV."""
    head: Row = ("path", "depth", "bytes", "live_bytes", "files", "layers")
    rows: list[Row] = [
        (absolute(row.path), row.depth, row.bytes, row.live_bytes, row.files, " ".join(map(str, row.layers)))
        for row in folders[: options.top]
    ]
    return write_csv([head, *rows])


def _row(row: FolderRow) -> Json:
    return {
        "path": path_text(row.path),
        "path_b64": path_b64(row.path),
        "depth": row.depth,
        "bytes": row.bytes,
        "live_bytes": row.live_bytes,
        "files": row.files,
        "layers": list(row.layers),
    }


FOLDER_FORMATS: dict[str, Callable[[Image, Sequence[FolderRow], Options], str]] = {
    "text": folders_text,
    "json": folders_json,
    "csv": folders_csv,
}
