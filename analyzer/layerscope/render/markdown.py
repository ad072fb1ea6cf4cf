"""What does a comment on a pull request say?"""

from __future__ import annotations

from collections.abc import Iterable

from layerscope.analysis.causes import Cause
from layerscope.model import Level
from layerscope.render.escape import absolute, cell, code, one_line, prose, terminal
from layerscope.render.lines import say_source
from layerscope.render.options import Options
from layerscope.render.text.balance import balance_lines
from layerscope.render.text.causes import rank_causes, say_layers
from layerscope.render.text.head import image_traits, say_base, say_held, say_sizes, say_verdict
from layerscope.render.text.layers import choose_layers
from layerscope.render.text.notes import all_notes, group_notes, say_place
from layerscope.render.text.packages import rank_packages, say_reason
from layerscope.render.words import fit, fit_path, say_count, say_size
from layerscope.report import Report

_LONG = 100


def report_markdown(report: Report, options: Options) -> str:
    """Return a summary: name, verdict, causes with their fixes; the tables behind it folded away."""
    sections = (
        _head(report, options),
        _causes(report, options),
        _fold("Layers", _layers(report, options)),
        _fold("Packages", _packages(report, options)),
        ["```text", *balance_lines(report, Options()), "```"],
        _notes(report),
    )
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _head(report: Report, options: Options) -> list[str]:
    image = report.image
    name = image.names[0] if image.names else image.config_digest or image.source
    lines = [f"## {code(fit(terminal(name), _LONG))}", ""]
    if not report.complete:
        wrong = sum(note.level is Level.ERROR for note in image.notes)
        lines += [f"> **INCOMPLETE**: {say_count(wrong, 'part')} of this image could not be read.", ""]
    traits = " · ".join(map(prose, image_traits(report)))
    lines += [f"**{prose(say_verdict(report))}**", "", f"{traits} · {prose(say_sizes(report, options))}"]
    for said in (say_held(report, options), say_base(report)):
        lines += ["", prose(said)] if said else []
    return lines


def _causes(report: Report, options: Options) -> list[str]:
    causes = rank_causes(report)
    if not causes:
        return []
    shown = causes[: options.rows(10)]
    rows: list[tuple[str, ...]] = [
        (
            f"{say_size(cause.bytes)}",
            cause.certainty.value,
            "<br>".join([prose(cause.title), *(_path(place.path) for place in cause.paths[:1])]),
            "<br>".join((say_layers(cause), *_sources(report, cause), cell(fit(one_line(cause.instruction), _LONG)))),
            prose(cause.fix),
        )
        for cause in shown
    ]
    if rest := causes[len(shown) :]:
        rows.append((say_size(sum(cause.bytes for cause in rest)), "", f"... and {len(rest):,} more", "", ""))
    rows.append((f"**{say_size(sum(cause.bytes for cause in causes))}**", "", "**all**", "", ""))
    return ["### What makes it fat", "", *_table(("frees>", "sure", "what", "where", "fix"), rows)]


def _sources(report: Report, cause: Cause) -> list[str]:
    """Return the lines of the Dockerfile that a cause comes from, as far as they are known."""
    layers = dict.fromkeys(layer for layer in (cause.layer, cause.hidden_in) if layer is not None)
    return [cell(source) for layer in layers if (source := say_source(report, layer))]


def _path(path: bytes) -> str:
    return cell(fit_path(terminal(absolute(path)), _LONG))


def _layers(report: Report, options: Options) -> list[str]:
    books = report.books.layers
    if not books:
        return []
    shown = choose_layers(report, options.rows(20))
    rows: list[tuple[str, ...]] = []
    for layer, book in zip(report.image.layers, books, strict=True):
        if layer.position not in shown:
            continue
        source = say_source(report, layer.position)
        said = f"{cell(source)} " * bool(source) + cell(fit(one_line(layer.instruction), _LONG))
        if layer.same_as is not None:
            rows.append((str(layer.position), "", "", "", f"same as layer {layer.same_as} {said}"))
        elif not layer.present:
            rows.append((str(layer.position), "?", "?", say_size(book.pull_bytes), f"not in archive {said}"))
        else:
            sizes = (book.content_bytes, book.hidden_bytes, book.pull_bytes)
            rows.append((str(layer.position), *map(say_size, sizes), said))
    rest = [book for book in books if book.position not in shown]
    if rest:
        size, hidden = sum(book.content_bytes or 0 for book in rest), sum(book.hidden_bytes for book in rest)
        pull = sum(book.pull_bytes or 0 for book in rest)
        rows.append(("", say_size(size), say_size(hidden), say_size(pull), f"... and {len(rest):,} more"))
    total = report.books
    sums = (total.content_bytes, total.replaced_bytes + total.deleted_bytes, total.pull_bytes)
    rows.append(("", *(f"**{say_size(size)}**" for size in sums), "**all**"))
    return _table(("layer>", "size>", "hidden>", "pull>", "instruction"), rows)


def _packages(report: Report, options: Options) -> list[str]:
    owners = [owner for owner in report.ownership.owners if owner.bytes]
    if not owners:
        return []
    packages = rank_packages(report)
    shown = packages[: options.rows(10)]
    rows: list[tuple[str, ...]] = [
        (
            f"{cell(share.package.name)} {cell(share.package.version)} ({prose(share.package.type)})",
            say_size(share.bytes),
            say_size(share.hidden_bytes),
            "?" if share.layer is None else str(share.layer),
            prose(say_reason(share)),
        )
        for share in shown
    ]
    owned = [owner for owner in owners if owner.owner is not None]
    size = sum(owner.bytes for owner in owned) - sum(share.bytes for share in shown)
    hidden = sum(owner.hidden_bytes for owner in owned) - sum(share.hidden_bytes for share in shown)
    if size:
        rows.append((f"... and {len(packages) - len(shown):,} more", say_size(size), say_size(hidden), "", ""))
    rows += (
        (f"no package: {prose(owner.class_ or 'other')}", say_size(owner.bytes), say_size(owner.hidden_bytes), "", "")
        for owner in sorted(owners, key=lambda owner: -owner.bytes)
        if owner.owner is None
    )
    size, hidden = sum(owner.bytes for owner in owners), sum(owner.hidden_bytes for owner in owners)
    rows.append(("**all**", f"**{say_size(size)}**", f"**{say_size(hidden)}**", "", ""))
    return _table(("package", "size>", "hidden>", "layer>", "why"), rows)


def _notes(report: Report) -> list[str]:
    groups = group_notes(note for note in all_notes(report) if note.level is not Level.INFO)
    if not groups:
        return []
    lines = ["### Notes", ""]
    for group in groups:
        first, place = group[0], say_place(group[0])
        where = f" ({place})" if place else ""
        times = f", {len(group):,} times" if len(group) > 1 else ""
        lines.append(f"- {first.level.value} {prose(first.id)}{times}: {prose(first.message)}{where}")
    return lines


def _fold(title: str, lines: list[str]) -> list[str]:
    return [f"<details><summary>{title}</summary>", "", *lines, "", "</details>"] if lines else []


def _table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return a table; a title that ends in `>` aligns its column to the right."""
    head = "| " + " | ".join(title.rstrip(">") for title in titles) + " |"
    line = "|" + "|".join(" ---: " if title.endswith(">") else " --- " for title in titles) + "|"
    return [head, line, *("| " + " | ".join(row) + " |" for row in rows)]
