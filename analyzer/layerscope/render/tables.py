"""What do the tables hold for a spreadsheet or a script, as CSV?"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence

from layerscope.analysis.files import FileRow
from layerscope.model import Image
from layerscope.render.escape import absolute, decode, spreadsheet
from layerscope.render.lines import say_line
from layerscope.render.options import Options
from layerscope.render.text.files import rank_files
from layerscope.render.text.notes import all_notes
from layerscope.report import Report

Row = Sequence[str | int | None]


class _Pages(list[str]):
    """A list that a csv writer can write to."""

    def write(self, text: str) -> None:
        """Keep one line."""
        self.append(text)


def report_csv(report: Report, options: Options) -> str:
    """Return the table that the options name: sizes in bytes, first row the column names."""
    return write_csv(TABLES[options.table](report))


def files_csv(_image: Image, files: Sequence[FileRow], options: Options) -> str:
    """Return the files, largest first; all of them unless the options say how many."""
    head: Row = ("path", "kind", "bytes", "mode", "uid", "gid", "layer", "fate", "ended_by", "owner", "link",
                 "pull_estimate_bytes")  # fmt: skip
    rows: list[Row] = [
        (
            absolute(file.path),
            file.kind.name.lower(),
            file.bytes,
            f"{file.mode:04o}",
            file.uid,
            file.gid,
            file.layer,
            file.fate.name.lower(),
            file.ended_by,
            file.owner,
            None if file.link is None else decode(file.link),
            file.pull,
        )
        for file in rank_files(files, options.sort)[: options.top]
    ]
    return write_csv([head, *rows])


def write_csv(rows: Iterable[Row]) -> str:
    """Return rows as CSV (RFC 4180, lines end in CR LF) in which no field is taken for a formula."""
    pages = _Pages()
    writer = csv.writer(pages)
    for row in rows:
        writer.writerow(spreadsheet(field) if isinstance(field, str) else field for field in row)
    return "".join(pages)


def _layers(report: Report) -> Iterator[Row]:
    yield (
        "index", "present", "same_as", "digest", "diff_id", "blob_bytes", "pull_bytes", "tar_bytes", "content_bytes",
        "overhead_bytes", "compression_bytes", "live_bytes", "replaced_bytes", "deleted_bytes", "docker_bytes",
        "entries", "instruction", "dockerfile_line",
    )  # fmt: skip
    for layer, row in zip(report.image.layers, report.books.layers, strict=True):
        yield (
            layer.position, _yes(layer.present), layer.same_as, layer.digest, layer.diff_id, row.blob_bytes,
            row.pull_bytes, row.tar_bytes, row.content_bytes, row.overhead_bytes, row.compression_bytes, row.live_bytes,
            row.replaced_bytes, row.deleted_bytes, row.docker_bytes, row.entries.total if row.entries else None,
            layer.instruction, say_line(report, layer.position),
        )  # fmt: skip


def _packages(report: Report) -> Iterator[Row]:
    yield (
        "type", "name", "version", "arch", "purl", "layer", "removed_in", "reason", "required_by", "retained_bytes",
        "bytes", "live_bytes", "hidden_bytes", "files", "license",
    )  # fmt: skip
    for share in report.ownership.packages:
        package = share.package
        yield (
            package.type, package.name, package.version, package.arch, package.purl, share.layer, share.removed_in,
            package.reason, " ".join(share.required_by), share.retained_bytes, share.bytes, share.live_bytes,
            share.hidden_bytes, share.files, package.license,
        )  # fmt: skip


def _owners(report: Report) -> Iterator[Row]:
    yield ("owner", "class", "bytes", "live_bytes", "hidden_bytes", "files")
    for owner in report.ownership.owners:
        yield (owner.owner, owner.class_, owner.bytes, owner.live_bytes, owner.hidden_bytes, owner.files)


def _causes(report: Report) -> Iterator[Row]:
    yield (
        "id", "title", "certainty", "bytes", "tar_bytes", "layer", "instruction", "hidden_in", "hidden_by_instruction",
        "fix", "path_count", "largest_path", "dockerfile_line",
    )  # fmt: skip
    for cause in report.causes:
        yield (
            cause.id, cause.title, cause.certainty.value, cause.bytes, cause.tar_bytes, cause.layer, cause.instruction,
            cause.hidden_in, cause.hidden_by_instruction, cause.fix, cause.path_count,
            absolute(cause.paths[0].path) if cause.paths else None, say_line(report, cause.layer),
        )  # fmt: skip


def _duplicates(report: Report) -> Iterator[Row]:
    yield ("digest", "bytes", "copies", "wasted_bytes", "layer", "path")
    for group in report.duplicates:
        for place in group.paths:
            yield (group.digest, group.bytes, group.copies, group.wasted_bytes, place.layer, absolute(place.path))


def _security(report: Report) -> Iterator[Row]:
    yield ("id", "level", "title", "path", "layer", "state", "hidden_in", "package", "detail")
    for fact in report.exposures:
        yield (
            fact.id, fact.level, fact.title, None if fact.path is None else absolute(fact.path), fact.layer, fact.state,
            fact.hidden_in, fact.package, fact.detail,
        )  # fmt: skip


def _notes(report: Report) -> Iterator[Row]:
    yield ("id", "level", "message", "layer", "path", "offset")
    for note in all_notes(report):
        path = None if note.path is None else absolute(note.path)
        yield (note.id, note.level.value, note.message, note.layer, path, note.offset)


def _yes(value: bool) -> str:
    return "true" if value else "false"


TABLES: dict[str, Callable[[Report], Iterator[Row]]] = {
    "layers": _layers,
    "packages": _packages,
    "owners": _owners,
    "causes": _causes,
    "duplicates": _duplicates,
    "security": _security,
    "notes": _notes,
}
