"""What can a program ask? `load`, `list_images`; of an image `analyze`, `list_files`, `own`, `why`, `history`, `whatif`."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

from layerscope import examination
from layerscope.analysis.causes import Certainty
from layerscope.analysis.symbols import INSPECTOR as SYMBOLS
from layerscope.archive import images
from layerscope.archive.container.base import Container
from layerscope.archive.container.folder import Folder
from layerscope.archive.container.opening import open_container
from layerscope.archive.inspection import Inspector, Inspectors
from layerscope.archive.layouts import discovery, selection
from layerscope.archive.layouts.bareroot import root_file_system
from layerscope.archive.layouts.selection import ImageSummary
from layerscope.archive.layouts.wrapping import unwrap
from layerscope.archive.limits import Limits
from layerscope.archive.prints import PRINTS
from layerscope.archive.scan import Settings
from layerscope.archive.shelf import Shelf
from layerscope.errors import ArchiveError
from layerscope.frozen import frozen
from layerscope.model import Image, Lap, Level, Note, untimed
from layerscope.packages.databases import INSPECTORS, PATTERNS, may_be_sealed
from layerscope.packages.moves import moves_by_links
from layerscope.packages.patterns import Patterns
from layerscope.packages.shares import Ownership
from layerscope.report import Report
from layerscope.rootfs.stack import merge_repeats
from layerscope.secrets.veil import veil

if TYPE_CHECKING:
    from layerscope.analysis.diff import Diff
    from layerscope.analysis.dockerfile import Source
    from layerscope.analysis.files import FileRow
    from layerscope.analysis.sharing import Sharing
    from layerscope.analysis.spots import Spot
    from layerscope.analysis.whatif import WhatIf
    from layerscope.questions import History, Plan, Why

OURS = Inspectors((*INSPECTORS, SYMBOLS))
CHANGED = "was changed while it was read: read it again"

Progress = Callable[[int, int | None, str], None]


def load(
    source: str,
    *,
    image: str | None = None,
    platform: str | None = None,
    limits: Mapping[str, int] | None = None,
    verify: bool = False,
    pull: str = "estimate",
    progress: Progress | None = None,
    stdin: BinaryIO | None = None,
    inspectors: Sequence[Inspector] = (),
    sums: bool = False,
    shelf: Shelf | None = None,
    lap: Lap = untimed,
) -> Image:
    """Read one image of an archive, a folder or, for "-", standard input.

    `image` and `platform` choose among several: without them that is a `SelectionError`. `limits` raises caps by name.
    `pull` says how the pull size of uncompressed layers is found: "estimate" from samples, "exact" by compressing them, "off".
    `verify` hashes every blob and tar and compares digests. `inspectors` look into files, beside those of the databases; `sums`
    takes the digests that these know of files. `shelf` keeps what is found in compressed layers, and gives it again.
    `progress` is called with bytes done, bytes in all, and what is read, `lap` with each stage that is over. Raises
    `FileNotFoundError` for what is not there, `ArchiveError` for what is no image; what can be read of a damaged one is
    returned, with `complete` false.
    """
    asked = Inspectors((*INSPECTORS, SYMBOLS, *inspectors), sums=may_be_sealed if sums else None)
    with _open(
        source, limits, verify=verify, pull=pull, progress=progress, stdin=stdin, inspectors=asked, lap=lap, shelf=shelf
    ) as container:
        return _load(container, image, platform)


def load_pair(
    old: str,
    new: str,
    *,
    image: str | None = None,
    platform: str | None = None,
    limits: Mapping[str, int] | None = None,
    pull: str = "estimate",
    progress: Progress | None = None,
) -> tuple[Image, Image]:
    """Read two images whose contents are compared with one another; the options are those of `load`, for both."""
    pool = images.Pool()
    with ExitStack() as opened:
        before, after = (
            _load(opened.enter_context(_open(source, limits, pull=pull, progress=progress)), image, platform, pool)
            for source in (old, new)
        )
        pool.mark()
    return before, after


def _load(container: Container, image: str | None, platform: str | None, pool: images.Pool | None = None) -> Image:
    """Read one image, secrets in its texts masked, and say so if the input changed meanwhile."""
    try:
        loaded = _build(container, image, platform, pool)
    except ArchiveError as error:
        if container.changed():
            raise ArchiveError(f"{container.called} {CHANGED}", id="E31") from error
        raise
    if container.changed():
        loaded = replace(loaded, notes=(*loaded.notes, Note("E31", Level.ERROR, f"the input {CHANGED}")))
    return veil(loaded)


def _build(container: Container, image: str | None, platform: str | None, pool: images.Pool | None) -> Image:
    found = discovery.find_images(container)
    if found is None:
        if isinstance(container, Folder):
            raise ArchiveError(discovery.folder_hint(container), id="A36")
        return root_file_system(container, pool)
    return images.build(container, found, selection.choose(container, found, image, platform), pool)


def hold(report: Report, sources: Sequence[str], *, limits: Mapping[str, int] | None = None) -> Report:
    """Return a report that also tells what is left to pull where the images of these archives are already."""
    from layerscope.analysis.held import find_held

    there: list[tuple[frozenset[str], ...]] = []
    for source in sources:
        with _open(source, limits) as container:
            there += selection.list_layers(container)
    return replace(report, held=find_held(report.image, report.books, tuple(sources), there))


def list_images(
    source: str, *, limits: Mapping[str, int] | None = None, stdin: BinaryIO | None = None
) -> tuple[ImageSummary, ...]:
    """Return a line for each image that an archive holds, sorted by name."""
    with _open(source, limits, stdin=stdin) as container:
        found = discovery.find_images(container)
        if found is None:
            if isinstance(container, Folder):
                raise ArchiveError(discovery.folder_hint(container), id="A36")
            image = root_file_system(container)
            return (ImageSummary((), None, None, len(image.layers), 0, "rootfs", readable=image.complete),)
        return selection.summarize(container, found)


def analyze(
    image: Image,
    *,
    base_layers: int | None = None,
    base: Image | None = None,
    dockerfile: Source | None = None,
    lap: Lap = untimed,
) -> Report:
    """Ask every question of an image once.

    `base_layers`, or the image that it was built on, tell which layers are the base image's; so does the Dockerfile, which
    also tells the line of each layer. `lap` is told of each stage. Raises `DockerfileError` for a file that is too large.
    """
    with _quiet_collector():
        return examination.analyze(image, base_layers=base_layers, base=base, dockerfile=dockerfile, lap=lap)


def history(image: Image, *, base_layers: int | None = None, base: Image | None = None) -> History:
    """Return which instruction made which layer, and what the others did; what is the base's is told as `analyze` is told."""
    from layerscope.questions import ask_history

    with _quiet_collector():
        return ask_history(image, base_layers=base_layers, base=base)


def diff(old: Image, new: Image) -> Diff:
    """Compare two images that `load_pair` read."""
    from layerscope.analysis.changes import find_changes
    from layerscope.analysis.diff import compare_snapshots
    from layerscope.analysis.push import find_push
    from layerscope.analysis.snapshot import read_snapshot
    from layerscope.render.document import report_document

    with _quiet_collector():
        before, after = (read_snapshot(report_document(examination.analyze(image))) for image in (old, new))
        changes = find_changes(old, examination.stack_image(old), new, examination.stack_image(new))
        return compare_snapshots(before, after, changes, find_push(old, new))


def diff_saved(old: Mapping[str, Any], new: Image) -> Diff:
    """Compare an image with a report that was saved as JSON: layers, packages and causes, no paths."""
    from layerscope.analysis.diff import compare_snapshots
    from layerscope.analysis.snapshot import read_snapshot
    from layerscope.render.document import report_document

    return compare_snapshots(read_snapshot(old), read_snapshot(report_document(analyze(new))))


def compare(
    sources: Sequence[str], *, limits: Mapping[str, int] | None = None, pull: str = "estimate", progress: Progress | None = None
) -> tuple[Sharing, tuple[str, ...]]:
    """Set images side by side; also return the sources of those that could be read only in part.

    Of an archive with several images all are taken. Contents are compared across all of them.
    """
    from layerscope.analysis.sharing import find_sharing

    loaded: list[Image] = []
    pool = images.Pool()
    with ExitStack() as opened:
        for source in sources:
            summaries = list_images(source, limits=limits)
            several = [line for line in summaries if line.there] if len(summaries) > 1 else [None]
            for line in several:
                name = (line.config_digest or next(iter(line.names), None)) if line else None
                container = opened.enter_context(_open(source, limits, pull=pull, progress=progress))
                loaded.append(_load(container, name, line.platform if line else None, pool))
        pool.mark()
    counts: list[tuple[int, int, int]] = []
    fates: list[tuple[Sequence[int], bytearray]] = []
    for image in loaded:
        made = analyze(image)
        present = sum(share.removed_in is None for share in made.ownership.packages)
        counts.append((present, made.books.files, made.reclaimable_bytes(Certainty.FACT)))
        stack = examination.stack_image(image)
        fates.append((stack.starts, merge_repeats(stack, [layer.same_as for layer in image.layers])[0]))
    return find_sharing(loaded, counts, fates), tuple(dict.fromkeys(image.source for image in loaded if not image.complete))


def list_files(image: Image, *, priced: bool = False) -> tuple[FileRow, ...]:
    """Return every entry of every layer with its fate and owner; `priced` as for `own`."""
    from layerscope.analysis.files import list_files as list_rows

    stack = examination.stack_image(image)
    ownership = examination.own_image(image, stack)
    return list_rows(image, stack, lambda row: examination.name_owner(ownership, row), priced=priced)


def own(image: Image, *, priced: bool = False) -> Ownership:
    """Return every package of an image and the bytes that are its, and who has the others.

    `priced` adds what a registry sends for each, as far as the image was loaded with its pull sizes.
    """
    with _quiet_collector():
        stack = examination.stack_image(image)
        owned = examination.own_image(image, stack)
        if not priced:
            return owned
        from layerscope.analysis.carriage import price_rows
        from layerscope.packages.ownership import price

        rows = {layer.position: price_rows(layer, layer.index) for layer in image.layers if layer.index is not None}
        known = {position: prices for position, prices in rows.items() if prices is not None}
        return price(owned, stack.starts, known) if len(known) == len(rows) else owned


def why(image: Image, subject: str) -> Why:
    """Return why a package, or an absolute path, is there. Raises `SelectionError` for what is not."""
    from layerscope.questions import ask_why

    with _quiet_collector():
        return ask_why(image, subject)


def whatif(image: Image, plan: Plan) -> WhatIf:
    """Return how large an image would be without some files or with some layers as one. Raises `SelectionError`."""
    from layerscope.questions import ask_whatif

    with _quiet_collector():
        return ask_whatif(image, plan)


@frozen
class Content:
    """A file of an image: where it is, how large it is, and its bytes as they come."""

    image: Image
    spot: Spot
    size: int
    pieces: Iterator[bytes]


@contextmanager
def open_file(
    source: str,
    path: str,
    *,
    layer: int | None = None,
    image: str | None = None,
    platform: str | None = None,
    limits: Mapping[str, int] | None = None,
    progress: Progress | None = None,
) -> Iterator[Content]:
    """Open one file of one layer, or as a container sees it; of a path that is deleted, the last that was there.

    Its bytes can be read within the context, once. Raises `SelectionError` for what is no file, `ArchiveError` also while they
    are read, or after it if the input changed meanwhile.
    """
    from layerscope.archive.retrieve import read_file
    from layerscope.questions import ask_spot

    with _open(source, limits, progress=progress) as container:
        loaded = _load(container, image, platform)
        spot = ask_spot(loaded, path, layer)
        index = loaded.index_of(spot.home)
        assert index is not None
        member = selection.find_member(container, image, platform, spot.home)
        yield Content(loaded, spot, index.sizes[spot.row], read_file(container, member, index, spot.row))
        if container.changed():
            raise ArchiveError(f"{source} {CHANGED}", id="E31")


@contextmanager
def _open(
    source: str,
    limits: Mapping[str, int] | None,
    *,
    verify: bool = False,
    pull: str = "off",
    progress: Progress | None = None,
    stdin: BinaryIO | None = None,
    inspectors: Inspectors = OURS,
    lap: Lap = untimed,
    shelf: Shelf | None = None,
) -> Iterator[Container]:
    done, total = 0, None

    def count(size: int) -> None:
        nonlocal done
        done += size
        if progress is not None:
            progress(done if total is None else min(done, total), total, source)

    settings = Settings(
        limits=Limits().raised(limits or {}),
        keep=Patterns(PATTERNS),
        moves=moves_by_links,
        inspectors=inspectors,
        lap=lap,
        shelf=shelf,
        prints=PRINTS if shelf is None else shelf.prints,
        verify=verify,
        pull=pull,
        progress=count if progress is not None else None,
    )
    with _quiet_collector():
        container = open_container(source, settings, stdin)
        total = container.file_bytes
        lap("opening")
        try:
            unwrap(container)
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
