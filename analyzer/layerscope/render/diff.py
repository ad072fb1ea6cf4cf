"""What grew or shrank between two images, in each format?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from layerscope.analysis.diff import Diff, FileChange, LayerChange, PackageChange
from layerscope.analysis.push import Upload
from layerscope.render.document import SCHEMA_VERSION, clean, write_json
from layerscope.render.escape import absolute, cell, defuse, one_line, path_b64, path_text, prose, terminal
from layerscope.render.options import Options
from layerscope.render.rows import Json, Object
from layerscope.render.words import fit, fit_path, left, right, say_share, say_size, wrap

_SAID = {
    "content_bytes": "on disk",
    "pull_bytes": "to pull",
    "archive_bytes": "archive",
    "reclaimable_fact_bytes": "need not be there",
    "reclaimable_likely_bytes": "likely not",
    "packages": "packages",
    "files": "files",
}
_COUNTS = ("packages", "files")
_MEASURE = 10


def diff_text(diff: Diff, options: Options) -> str:
    """Return totals first, then what a push uploads, layers, packages, causes and paths."""
    sections = (
        [options.paint(f"{one_line(diff.old.name)} -> {one_line(diff.new.name)}", "title"), *_totals(diff)],
        _push(diff, options),
        _layers(diff.layers, options),
        _packages(diff.packages, options),
        _causes(diff, options),
        _files(diff.files or (), options),
    )
    return "\n\n".join("\n".join(defuse(line.rstrip()) for line in lines) for lines in sections if lines) + "\n"


def say_change(change: int) -> str:
    """Return a change with its sign: `+12 kB`, `-3 MB`, `0`."""
    return f"+{say_size(change)}" if change > 0 else say_size(change)


def _totals(diff: Diff) -> list[str]:
    lines = []
    for name, said in _SAID.items():
        old, new = diff.old.totals.get(name), diff.new.totals.get(name)
        if old is None or new is None or not old + new:
            continue
        if name in _COUNTS:
            values = (f"{old:,}", f"{new:,}", f"{new - old:+,}" if new != old else "=")
        else:
            values = (say_size(old), say_size(new), say_change(new - old) if new != old else "=")
        if name == "pull_bytes" and (diff.old.pull_estimated or diff.new.pull_estimated):
            said = "to pull (estimate)"
        lines.append(f" {said:18}{values[0]:>10} -> {values[1]:>10}  {values[2]:>10}")
    return lines


def push_lines(diff: Diff, columns: int) -> list[str]:
    """Return what is uploaded, how much of it changed, and why the rest comes along: a few sentences."""
    push = diff.push
    if push is None:
        return []
    if not push.uploads:
        return ["Nothing to upload: the registry that has the old image has every layer."]
    count, first = len(push.uploads), push.uploads[0]
    content, changed = push.content_bytes, push.changed_bytes
    head = f"{count} layer{'' if count == 1 else 's'}, {say_size(push.uploaded_bytes)}, with {say_size(content)} of files: "
    head += f"{say_size(changed)} of them changed ({say_share(changed, content)})."
    said = [head, f"layer {first.layer}  {one_line(first.instruction)}: {_say_upload(first)}"]
    dragged = sorted(
        (one for one in push.uploads[1:] if one.changed * 2 < one.content), key=lambda one: one.changed - one.content
    )
    if dragged:
        top = dragged[0]
        rest = f"layer {top.layer}  {one_line(top.instruction)}: {say_size(top.content - top.changed)}"
        said.append(
            f"{rest} the same as before, built again because layer {first.layer} "
            "before it changed; move what changes seldom above it."
        )
    return [line for text in said for line in wrap(text, columns, indent="   ", first=" ")]


def _say_upload(upload: Upload) -> str:
    where = f", most in {terminal(absolute(upload.folder))}" if upload.folder is not None else ""
    return f"{say_size(upload.changed)} of {say_size(upload.content)} changed{where}"


def _push(diff: Diff, options: Options) -> list[str]:
    lines = push_lines(diff, options.columns)
    return [options.paint("A PUSH UPLOADS", "title"), *lines] if lines else []


def _more(count: int, what: str) -> list[str]:
    return [f" ... and {count:,} more {what}"] if count > 0 else []


def _layers(layers: Sequence[LayerChange], options: Options) -> list[str]:
    changed = [layer for layer in layers if layer.change != "same"]
    if not changed:
        return []
    shown = changed[: options.rows(_MEASURE)]
    lines = [options.paint(f"{'LAYERS':12}{'old':>10}{'new':>10}{'change':>11}  instruction", "title")]
    for row in shown:
        known = row.new or row.old
        assert known is not None
        old, new = (say_size(side.content_bytes) if side else "" for side in (row.old, row.new))
        said = fit(one_line(known.instruction), options.columns - 45)
        lines.append(f" {row.change:11}{right(old, 10)}{right(new, 10)}{right(say_change(row.bytes), 11)}  {said}")
    same = len(layers) - len(changed)
    return [*lines, *_more(len(changed) - len(shown), "layers"), *([f" same        {same} of them"] if same else [])]


def _packages(packages: Sequence[PackageChange], options: Options) -> list[str]:
    if not packages:
        return []
    shown = packages[: options.rows(_MEASURE)]
    room = options.columns - 24
    lines = [options.paint(left("PACKAGES", room + 13) + right("change", 11), "title")]
    lines += (f" {row.change:11}{left(fit(say_package(row), room), room)} {right(say_change(row.bytes), 11)}" for row in shown)
    return [*lines, *_more(len(packages) - len(shown), "packages")]


def say_package(row: PackageChange) -> str:
    """Return a package's name and what became of its version."""
    versions = [version for version in dict.fromkeys((row.old_version, row.new_version)) if version is not None]
    return one_line(f"{row.name} {' -> '.join(versions)} ({row.type})")


def _causes(diff: Diff, options: Options) -> list[str]:
    if not diff.causes:
        return []
    shown = diff.causes[: options.rows(_MEASURE)]
    room = options.columns - 12
    lines = [options.paint(left("CAUSES", room + 1) + right("frees", 11), "title")]
    for row in shown:
        lines.append(f" {left(row.id, room)}{right(say_change(row.bytes), 11)}")
        if row.bytes > 0:
            lines += wrap(one_line(row.fix), options.columns, indent="         ", first="    fix: ")
    return [*lines, *_more(len(diff.causes) - len(shown), "causes")]


def _files(files: Sequence[FileChange], options: Options) -> list[str]:
    if not files:
        return []
    shown = files[: options.rows(_MEASURE)]
    lines = [options.paint(f"{'PATHS':12}{'old':>10}{'new':>10}  path", "title")]
    for row in shown:
        old, new = (
            "" if row.change == none else say_size(size)
            for none, size in (("added", row.old_bytes), ("removed", row.new_bytes))
        )
        path = fit_path(terminal(absolute(row.path)), options.columns - 35)
        lines.append(f" {row.change:11}{right(old, 10)}{right(new, 10)}  {path}")
    return [*lines, *_more(len(files) - len(shown), "paths")]


def diff_markdown(diff: Diff, options: Options) -> str:
    """Return a comment for a pull request: the change of the totals, the push, and tables folded away."""
    old, new = diff.old.totals.get("content_bytes") or 0, diff.new.totals.get("content_bytes") or 0
    change = new - old
    verdict = f"{say_change(change)} ({say_share(abs(change), old)})" if change else "the same size"
    lines = [f"### {cell(diff.new.name)}: {prose(verdict)}", ""]
    lines += _table(("", "old>", "new>", "change>"), _total_cells(diff))
    push = push_lines(diff, 10_000)
    if push:
        lines += ["", f"**A push uploads** {prose(push[0].strip())}", *(f"- {prose(line.strip())}" for line in push[1:])]
    count = options.rows(20)
    tables: tuple[tuple[str, tuple[str, ...], list[tuple[str, ...]]], ...] = (
        ("Layers", ("", "change>", "instruction"), [_layer_cells(row) for row in diff.layers if row.change != "same"]),
        (
            "Packages",
            ("", "package", "change>"),
            [(row.change, cell(say_package(row)), say_change(row.bytes)) for row in diff.packages],
        ),
        ("Causes", ("cause", "frees>", "fix"), [(row.id, say_change(row.bytes), prose(row.fix)) for row in diff.causes]),
        ("Paths", ("", "path", "change>"), [_file_cells(row) for row in diff.files or ()]),
    )
    for title, head, rows in tables:
        if rows:
            more = [f"... and {len(rows) - count:,} more"] if len(rows) > count else []
            summary = f"<details><summary>{title} ({len(rows):,})</summary>"
            lines += ["", summary, "", *_table(head, rows[:count]), *more, "", "</details>"]
    return "\n".join(lines) + "\n"


def _layer_cells(row: LayerChange) -> tuple[str, ...]:
    known = row.new or row.old
    assert known is not None
    return row.change, say_change(row.bytes), cell(fit(one_line(known.instruction), 100))


def _file_cells(row: FileChange) -> tuple[str, ...]:
    return row.change, cell(fit_path(terminal(absolute(row.path)), 100)), say_change(row.bytes)


def _total_cells(diff: Diff) -> Iterable[tuple[str, ...]]:
    for name, said in _SAID.items():
        old, new = diff.old.totals.get(name), diff.new.totals.get(name)
        if old is not None and new is not None and old + new and name not in _COUNTS:
            yield said, say_size(old), say_size(new), say_change(new - old)


def _table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    head = "| " + " | ".join(title.rstrip(">") for title in titles) + " |"
    line = "|" + "|".join(" ---: " if title.endswith(">") else " --- " for title in titles) + "|"
    return [head, line, *("| " + " | ".join(row) + " |" for row in rows)]


def diff_json(diff: Diff, options: Options) -> str:
    """Return the difference as schema 1 says it."""
    return write_json(diff_document(diff, options))


def diff_document(diff: Diff, options: Options) -> Object:
    """Return the difference as schema 1 says it; paths only if they are asked for."""
    totals: Object = {}
    for name, old in diff.old.totals.items():
        new = diff.new.totals.get(name)
        totals[name] = {"old": old, "new": new, "change": None if old is None or new is None else new - old}
    files: Json = None
    if options.files and diff.files is not None:
        files = [
            {
                "change": row.change,
                "path": path_text(row.path),
                "path_b64": path_b64(row.path),
                "old_bytes": row.old_bytes,
                "new_bytes": row.new_bytes,
            }
            for row in diff.files[: options.top]
        ]
    return clean(
        {
            "schema_version": SCHEMA_VERSION,
            "old": diff.old.name,
            "new": diff.new.name,
            "complete": diff.old.complete and diff.new.complete,
            "differs": diff.differs,
            "totals": totals,
            "layers": [_layer_row(row) for row in diff.layers],
            "packages": [
                {
                    "change": row.change,
                    "type": row.type,
                    "name": row.name,
                    "old_version": row.old_version,
                    "new_version": row.new_version,
                    "old_bytes": row.old_bytes,
                    "new_bytes": row.new_bytes,
                }
                for row in diff.packages
            ],
            "causes": [
                {"id": row.id, "old_bytes": row.old_bytes, "new_bytes": row.new_bytes, "fix": row.fix} for row in diff.causes
            ],
            "files": files,
            "push": _push_row(diff),
        }
    )


def _layer_row(row: LayerChange) -> Json:
    known = row.new or row.old
    assert known is not None
    return {
        "change": row.change,
        "old": row.old.index if row.old else None,
        "new": row.new.index if row.new else None,
        "instruction": known.instruction,
        "old_bytes": row.old.content_bytes if row.old else None,
        "new_bytes": row.new.content_bytes if row.new else None,
    }


def _push_row(diff: Diff) -> Json:
    push = diff.push
    if push is None:
        return None
    uploads: list[Json] = [
        {
            "layer": one.layer,
            "instruction": one.instruction,
            "bytes": one.sent,
            "content_bytes": one.content,
            "changed_bytes": one.changed,
            "folder": None if one.folder is None else path_text(one.folder),
            "because_of_layer": one.because,
        }
        for one in push.uploads
    ]
    return {
        "uploaded_bytes": push.uploaded_bytes,
        "content_bytes": push.content_bytes,
        "changed_bytes": push.changed_bytes,
        "layers": uploads,
        "reasons": [line.strip() for line in push_lines(diff, 10_000)],
    }


DIFF_FORMATS: dict[str, Callable[[Diff, Options], str]] = {"text": diff_text, "json": diff_json, "markdown": diff_markdown}
