"""What can a program ask? `load` an image, `list_images` of an archive; of an image `analyze`, `list_files`, `own`, `why`."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO

from layerscope import report
from layerscope.analysis.files import FileRow
from layerscope.analysis.files import list_files as list_rows
from layerscope.archive import images
from layerscope.archive.container import Container, Folder, open_container
from layerscope.archive.images import ImageSummary
from layerscope.archive.inside import Look
from layerscope.archive.inspection import Inspect
from layerscope.archive.limits import Limits
from layerscope.archive.scan import Settings
from layerscope.errors import ArchiveError
from layerscope.model import Image, Level, Note
from layerscope.packages import PATTERNS, worth_inspecting
from layerscope.packages import inspect as look_inside
from layerscope.packages.ownership import Ownership
from layerscope.packages.patterns import compile_patterns
from layerscope.report import Report, Why

CHANGED = "was changed while it was read: read it again"

Progress = Callable[[int, int | None, str], None]


def load(
    source: str,
    *,
    image: str | None = None,
    platform: str | None = None,
    limits: Mapping[str, int] | None = None,
    verify: bool = False,
    progress: Progress | None = None,
    stdin: BinaryIO | None = None,
    inspect: Inspect | None = None,
) -> Image:
    """Read one image of an archive, a folder or, for "-", standard input.

    `image` and `platform` choose among several: without them that is a `SelectionError`. `limits` raises caps by name.
    `verify` hashes every blob and tar and compares digests. `inspect` is called with path, mode and content of files (of long
    ones the first 8 MiB); what it returns is kept as marks of their rows. `progress` is called with bytes done, bytes in all,
    and what is read. Raises `FileNotFoundError` for what is not there, `ArchiveError` for what is no image; what can be read
    of a damaged one is returned, with `complete` false.
    """
    with _open(source, limits, verify=verify, progress=progress, stdin=stdin, inspect=inspect) as container:
        try:
            loaded = _load(container, image, platform)
        except ArchiveError as error:
            if container.changed():
                raise ArchiveError(f"{source} {CHANGED}", id="E31") from error
            raise
        if container.changed():
            loaded = replace(loaded, notes=(*loaded.notes, Note("E31", Level.ERROR, f"the input {CHANGED}")))
        return loaded


def _load(container: Container, image: str | None, platform: str | None) -> Image:
    if not images.holds_image(container):
        if isinstance(container, Folder):
            raise ArchiveError(images.folder_hint(container), id="A36")
        return images.root_file_system(container)
    found = images.discover(container)
    return images.build(container, found, images.choose(container, found, image, platform))


def list_images(
    source: str, *, limits: Mapping[str, int] | None = None, stdin: BinaryIO | None = None
) -> tuple[ImageSummary, ...]:
    """Return a line for each image that an archive holds, sorted by name."""
    with _open(source, limits, stdin=stdin) as container:
        if not images.holds_image(container):
            if isinstance(container, Folder):
                raise ArchiveError(images.folder_hint(container), id="A36")
            return (ImageSummary((), None, None, len(images.root_file_system(container).layers), 0, "rootfs"),)
        return images.summarize(container, images.discover(container))


def analyze(image: Image) -> Report:
    """Ask every question of an image once."""
    with _quiet_collector():
        return report.analyze(image)


def list_files(image: Image) -> tuple[FileRow, ...]:
    """Return every entry of every layer with its fate and owner."""
    stack = report.stack_image(image)
    ownership = report.own_image(image, stack)
    return list_rows(image, stack, lambda row: report.name_owner(ownership, row))


def own(image: Image) -> Ownership:
    """Return every package of an image and the bytes that are its, and who has the others."""
    with _quiet_collector():
        return report.own_image(image, report.stack_image(image))


def why(image: Image, subject: str) -> Why:
    """Return why a package, or an absolute path, is there. Raises `SelectionError` for what is not."""
    with _quiet_collector():
        return report.ask_why(image, subject)


@contextmanager
def _open(
    source: str,
    limits: Mapping[str, int] | None,
    *,
    verify: bool = False,
    progress: Progress | None = None,
    stdin: BinaryIO | None = None,
    inspect: Inspect | None = None,
) -> Iterator[Container]:
    done = 0

    def count(size: int) -> None:
        nonlocal done
        done += size
        if progress is not None:
            progress(done, None, source)

    settings = Settings(
        limits=Limits().raised(limits or {}),
        keep=compile_patterns(PATTERNS),
        look=Look(worth_inspecting, look_inside),
        inspect=inspect,
        verify=verify,
        progress=count if progress is not None else None,
    )
    with _quiet_collector():
        container = open_container(source, settings, stdin)
        try:
            yield container
        finally:
            container.close()


@contextmanager
def _quiet_collector() -> Iterator[None]:
    """Keep the garbage collector from walking columns that hold no cycles, over and over, while they grow."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
