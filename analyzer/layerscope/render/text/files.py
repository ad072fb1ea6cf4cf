"""Which files weigh most, as a table?"""

from __future__ import annotations

from collections.abc import Sequence

from layerscope.analysis.files import FileRow
from layerscope.model import Fate, Image, Kind
from layerscope.render.escape import absolute, decode, defuse, one_line, terminal
from layerscope.render.options import Options
from layerscope.render.words import fit, fit_path, say_count, say_size
from layerscope.render.words import width_of as _width

_MEASURE = 50
_OWNER = 16


def files_text(_image: Image, files: Sequence[FileRow], options: Options) -> str:
    """Return the largest files, one a row, and the sum of all."""
    from tabulate import tabulate

    ranked = rank_files(files, options.sort)
    shown = [file for file in ranked if file.bytes][: options.rows(_MEASURE)]
    rows = [[say_size(file.bytes), str(file.layer), say_fate(file), fit(one_line(file.owner or ""), _OWNER)] for file in shown]
    head = ["size", "layer", "fate", "owner"]
    align = ["right", "right", "left", "left"]
    if any(file.pull is not None for file in files):
        rows = [[row[0], f"~{say_size(file.pull)}", *row[1:]] for row, file in zip(rows, shown, strict=True)]
        head, align = ["size", "pull", *head[1:]], ["right", *align]
    table = tabulate(
        [head, ["9" * 7, *[""] * (len(head) - 1)], *rows],
        tablefmt="plain",
        disable_numparse=True,
        colalign=align,
    ).splitlines()
    del table[1]
    pad = max(map(_width, table))
    lines = [options.paint(f"{table[0]:{pad}}  path", "title")]
    for line, file in zip(table[1:], shown, strict=True):
        path = fit_path(say_file(file), options.columns - pad - 2)
        lines.append(f"{line}{' ' * (pad - _width(line))}  {path}".rstrip())
    if rest := len(ranked) - len(shown):
        size = say_size(sum(file.bytes for file in ranked) - sum(file.bytes for file in shown))
        lines.append(f"{size:>7}  ... and {say_count(rest, 'more entry', 'more entries')}")
    lines += [f"{'---':>7}", f"{say_size(sum(file.bytes for file in ranked)):>7}  all"]
    return "\n".join(map(defuse, lines)) + "\n"


def rank_files(files: Sequence[FileRow], sort: str = "size") -> list[FileRow]:
    """Return the files, the largest first, then by path and layer; or by path, or by layer and size."""
    if sort == "path":
        return sorted(files, key=lambda file: (file.path, file.layer))
    if sort == "layer":
        return sorted(files, key=lambda file: (file.layer, -file.bytes, file.path))
    return sorted(files, key=lambda file: (-file.bytes, file.path, file.layer))


def say_fate(file: FileRow) -> str:
    """Return what became of a file: `live`, `deleted in 5`."""
    fate = file.fate.name.lower()
    return fate if file.fate is Fate.LIVE or file.ended_by is None else f"{fate} in {file.ended_by}"


def say_file(file: FileRow) -> str:
    """Return a path, and where it leads if it is a link."""
    path = terminal(absolute(file.path))
    if file.link is None:
        return path
    target = absolute(file.link) if file.kind is Kind.HARDLINK else decode(file.link)
    return f"{path} -> {terminal(target)}"
