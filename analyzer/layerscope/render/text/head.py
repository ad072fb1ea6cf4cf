"""Which image is this, how big is it, and what is the verdict?"""

from __future__ import annotations

import re

from layerscope.analysis.causes import Certainty
from layerscope.model import Level
from layerscope.render.escape import one_line, terminal
from layerscope.render.options import Options, Paint
from layerscope.render.words import (
    fit_path,
    say_bandwidth,
    say_count,
    say_duration,
    say_share,
    say_size,
    width_of,
    wrap,
)
from layerscope.report import Report

_LOUD = 3


def head_lines(report: Report, options: Options) -> list[str]:
    """Return what is missing, the image's name and traits, its sizes, and the verdict."""
    verdict: Paint = "warn" if report.reclaimable_bytes() else "good"
    return [
        *_gap(report, options),
        *_traits(report, options),
        *wrap(say_sizes(report, options), options.columns),
        *(wrap(say_held(report, options), options.columns) if report.held else ()),
        *(wrap(say_base(report), options.columns) if report.base.layers else ()),
        "",
        *(options.paint(line, verdict) for line in wrap(say_verdict(report), options.columns)),
    ]


def image_name(report: Report) -> str:
    """Return the image's name; its digest where it has none."""
    image = report.image
    if image.names:
        more = f" (and {say_count(len(image.names) - 1, 'more name')})" if len(image.names) > 1 else ""
        return terminal(image.names[0]) + more
    digest = image.config_digest or image.manifest_digest
    return f"(no name) {terminal(digest)[:19]}" if digest else "(no name)"


def image_traits(report: Report) -> list[str]:
    """Return platform, distribution and counts."""
    traits = [report.image.config.platform, _release_name(report)]
    return [
        *(terminal(trait) for trait in traits if trait),
        say_count(len(report.image.layers), "layer"),
        say_count(report.books.files, "file"),
    ]


def say_sizes(report: Report, options: Options) -> str:
    """Return how big the image is on disk, and how long it takes to pull."""
    books = report.books
    said = f"{say_size(books.content_bytes)} on disk"
    if books.pull_bytes is None:
        return said
    about = "about " if any(row.pull_estimated for row in books.layers) else ""
    time = say_duration(8 * books.pull_bytes / options.bandwidth)
    if about and books.pull_low is not None and books.pull_high is not None and books.pull_low < books.pull_high:
        about += f"{say_size(books.pull_low)} to {say_size(books.pull_high)}, say "
    return f"{said}, {about}{say_size(books.pull_bytes)} to pull ({time} at {say_bandwidth(options.bandwidth)})"


def say_held(report: Report, options: Options) -> str:
    """Return what is left to pull where other images are already; nothing if nobody asked."""
    held = report.held
    if held is None:
        return ""
    names = ", ".join(one_line(source) for source in held.sources)
    shared = f"{len(held.layers):,} of {say_count(len(report.image.layers), 'layer')}"
    if held.left_bytes is None:
        return f"Beside {names}: {shared} are there"
    about = "about " if any(row.pull_estimated for row in report.books.layers) else ""
    time = say_duration(8 * held.left_bytes / options.bandwidth)
    said = f"Beside {names}: {shared} are there, {about}{say_size(held.left_bytes)} left to pull ({time})"
    if held.chain_left_bytes in (None, held.left_bytes):
        return said
    return f"{said}; for Docker's older store {about}{say_size(held.chain_left_bytes)}"


def say_base(report: Report) -> str:
    """Return what of the image is the base image's, and whether what was found there is left out; nothing if it is unknown."""
    share = report.base_share()
    if share is None:
        return ""
    name = f" {one_line(report.base.name)}" if report.base.name else ""
    pull = f", {say_size(share.pull_bytes)} to pull" if share.pull_bytes is not None else ""
    said = f"Base image{name}: {say_count(share.layers, 'layer')}, {say_size(share.content_bytes)} on disk{pull}"
    found = [say_count(len(share.causes), "cause") + f" of {say_size(share.reclaimable_bytes)}"] if share.causes else []
    if report.aside is None:
        return f"{said}; {found[0]} in it" if found else said
    if share.exposures:
        found.append(f"{say_count(len(share.exposures), 'fact')} for a security review")
    return f"{said}; left out: {' and '.join(found) or 'nothing'}"


def say_verdict(report: Report) -> str:
    """Return the one sentence to remember: facts first, then what is likely and possible."""
    content = report.books.content_bytes
    fact, likely, possible = (report.reclaimable_bytes(certainty) for certainty in Certainty)
    if not fact + likely + possible:
        return _say_nothing(report)
    guesses = [
        f"{say_size(size)}{' more' if fact else ''} {word}"
        for size, word in ((likely, "probably not"), (possible, "perhaps not"))
        if size
    ]
    if fact:
        sure = f"{say_size(fact)} ({say_share(fact, content)}) need not be there"
        return f"{sure}; {', '.join(guesses)}." if guesses else f"{sure}."
    shares = [
        f"{say_size(size)} ({say_share(size, content)}) {word}"
        for size, word in ((likely, "probably"), (possible, "perhaps"))
        if size
    ]
    return f"Nothing is wasted for certain; {', '.join(shares)} need not be there."


def _say_nothing(report: Report) -> str:
    if not report.complete:
        return "Nothing to take away was found in what could be read."
    if not report.books.content_bytes:
        return "Nothing to take away: the image holds no file of any size."
    hidden = report.books.replaced_bytes + report.books.deleted_bytes
    return f"Nothing to take away: {'no byte is hidden, and ' if not hidden else ''}no known cause was found."


def _gap(report: Report, options: Options) -> list[str]:
    """Return the loud lines of a report that is not complete."""
    if report.complete:
        return []
    wrong = [note for note in report.image.notes if note.level is Level.ERROR]
    lines = [
        options.paint(line, "bad")
        for line in wrap(
            f"INCOMPLETE: {say_count(len(wrong), 'part')} of the image could not be read; "
            "what was not read is not in the numbers.",
            options.columns,
        )
    ]
    for note in wrong[:_LOUD]:
        lines += wrap(one_line(note.message), options.columns, indent="    ", first="  - ")
    if len(wrong) > _LOUD:
        lines.append(f"  ... and {len(wrong) - _LOUD:,} more, see NOTES")
    return [*lines, ""]


def _traits(report: Report, options: Options) -> list[str]:
    name, traits = image_name(report), "   ".join(image_traits(report))
    if width_of(name) + 3 + width_of(traits) <= options.columns:
        return [f"{options.paint(name, 'title')}   {traits}"]
    return [options.paint(fit_path(name, options.columns), "title"), *wrap(traits, options.columns)]


def _release_name(report: Report) -> str | None:
    """Return "Debian 12" for "Debian GNU/Linux 12 (bookworm)"."""
    if report.release is None:
        return None
    if report.release.pretty_name:
        return re.sub(r" ?\([^()]*\)|GNU/Linux ", "", report.release.pretty_name).strip()
    return f"{report.release.id.capitalize()} {report.release.version_id or ''}".strip()
