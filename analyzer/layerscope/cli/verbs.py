"""How does a command get from its arguments to its answer? Load, ask, render."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, fields, replace
from difflib import get_close_matches
from typing import IO, TYPE_CHECKING, Any

import typer

from layerscope.archive.cache import Cache, default_folder
from layerscope.archive.identity import identify
from layerscope.archive.limits import Limits
from layerscope.cli import choices, clock
from layerscope.cli.answer import Answer
from layerscope.cli.choices import FATES, choose, read_output
from layerscope.cli.memory import Layers, Memory, Shelved
from layerscope.cli.progress import show_progress
from layerscope.errors import SelectionError, no_such_layer
from layerscope.frozen import frozen
from layerscope.model import Fate, Image, Lap, untimed
from layerscope.render import FILE_FORMATS, FORMATS, IMAGE_FORMATS, Options
from layerscope.report import Report

if TYPE_CHECKING:
    from layerscope.analysis.dockerfile import Source
    from layerscope.analysis.files import FileRow, Sieve
    from layerscope.render.images import ImageRow

_PART = 3


@frozen
class Order:
    """Which image is to be read, and how."""

    source: str
    image: str | None = None
    platform: str | None = None
    limits: Mapping[str, int] = field(default_factory=dict)
    verify: bool = False
    sums: bool = False
    quiet: bool = False
    secrets: bool = False
    secret_rules: str | None = None
    pull: str = "off"
    base: str | None = None
    base_layers: int | None = None
    ignore_base: bool = False
    dockerfile: Source | None = None
    have: tuple[str, ...] = ()
    cache: bool = True
    lap: Lap = untimed


@frozen
class Wish:
    """Which formats are wanted: one for standard output, if any, and one a file."""

    format: str | None
    files: Mapping[str, str]

    def answer(self, write: Callable[[str, Options], str], look: Look) -> Answer:
        """Return every text that is wanted, all made before anything is written."""
        texts = {path: write(name, look.paper()) for path, name in self.files.items()}
        return Answer(write(self.format, look.screen(self.format)) if self.format else None, texts, source=write)


@frozen
class Look:
    """How the texts are to look."""

    top: int | None = None
    color: str = "never"
    table: str | None = None
    bandwidth: int = 100_000_000
    sort: str = "size"
    files: bool = False
    raw: bool = False

    def paper(self) -> Options:
        """Return the options of a text that goes to a file: 80 columns, no colour."""
        return Options(
            top=self.top,
            table=self.table or "layers",
            bandwidth=self.bandwidth,
            sort=self.sort,
            files=self.files,
            raw=self.raw,
        )

    def screen(self, name: str) -> Options:
        """Return the options of a text that goes to standard output: a terminal's width and colours, if it is one."""
        terminal = sys.stdout is not None and sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal else 80
        able = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        color = name == "text" and (self.color == "always" or (self.color == "auto" and able))
        return replace(self.paper(), width=width, color=color)


def read_limits(pairs: Iterable[str] | None) -> dict[str, int]:
    """Return the limits that are raised, only those that there are; the clock runs from here on."""
    limits = choices.read_limits(pairs or (), [limit.name for limit in fields(Limits)])
    clock.start(limits.get("seconds") or Limits().seconds)
    return limits


def read_sieve(layer: int | None, fate: str | None, owner: str | None, glob: str | None, least: str | None = None) -> Sieve:
    """Return which files are asked for; a glob without a leading slash may match anywhere."""
    from layerscope.analysis.files import Sieve

    chosen = Fate[choose(fate, FATES, "fate").upper()] if fate else None
    smallest = choices.read_size(least) if least else 0
    return Sieve(layer, chosen, owner, choices.read_glob(glob) if glob else None, smallest)


def read_wish(name: str | None, outputs: Iterable[str], allowed: Sequence[str], source: str) -> Wish:
    """Return what is wanted; files alone leave standard output empty unless a format is named for it as well."""
    files = dict(read_output(output, allowed) for output in outputs)
    for path in files:
        if os.path.exists(path) and os.path.exists(source) and os.path.samefile(path, source):  # noqa: PTH110, PTH121
            raise typer.BadParameter(f"{path!r} is the image itself.")
    return Wish(choose(name, allowed, "format") if name else None if files else "text", files)


def report(order: Order, wish: Wish, look: Look) -> Answer:
    """Return the report; of an image that is not complete with exit code 3."""
    made = examine(order)
    if order.have:
        from layerscope import api

        made = api.hold(made, order.have, limits=order.limits or None)
    if order.ignore_base:
        made = made.without_base()

    def write(name: str, options: Options) -> str:
        if name == "csv" and look.table == "files":
            from layerscope import api

            image = load(order)
            return FILE_FORMATS[name](image, api.list_files(image), options)
        return FORMATS[name](made, options)

    answer = wish.answer(write, look)
    if made.placement is not None and not made.placement.rows and not order.quiet:
        answer = replace(answer, warning=f"{made.placement.path}: none of its instructions made this image")
    answer = warn_of_base(answer, made, order)
    return finish(answer, order, complete=made.complete)


def files(order: Order, wish: Wish, look: Look, sieve: Sieve, depth: int | None = None) -> Answer:
    """Return the files of an image that are asked for, or the folders that they are in, down to a depth."""
    from layerscope import api
    from layerscope.analysis.files import sift

    image = load(order)
    if sieve.layer is not None and sieve.layer >= len(image.layers):
        raise no_such_layer(sieve.layer, len(image.layers))
    if depth is not None:
        from layerscope.analysis.folders import sum_folders
        from layerscope.render.folders import FOLDER_FORMATS

        least = sieve.least
        every = api.list_files(image)
        _know_owner(sieve.owner, every)
        inside = sift(every, replace(sieve, least=0))
        folders = sum_folders(inside, depth, sort=look.sort, least=least)
        answer = wish.answer(lambda name, options: FOLDER_FORMATS[name](image, folders, options), look)
        return finish(answer, order, complete=image.complete)
    every = api.list_files(image, priced=order.pull != "off")
    _know_owner(sieve.owner, every)
    rows = sift(every, sieve)
    answer = wish.answer(lambda name, options: FILE_FORMATS[name](image, rows, options), look)
    return finish(answer, order, complete=image.complete)


def _know_owner(asked: str | None, files: Iterable[FileRow]) -> None:
    """Refuse an owner that no image has: neither a class of files nor, in this image, a package with files."""
    from layerscope.packages.classes import CLASSES

    if asked is None or asked in CLASSES or any(letter in asked for letter in "*?["):
        return
    owners = {file.owner or "" for file in files}
    if asked not in owners:
        near = get_close_matches(asked, sorted(owners | set(CLASSES)), 3, 0.5)
        raise SelectionError(f"no package of this image, and no class of files, is called {asked!r}", tuple(near))


def diff(saved: Mapping[str, Any] | None, old: str, order: Order, wish: Wish, look: Look, *, exit_code: bool) -> Answer:
    """Return what differs between two images, or between a saved report and an image."""
    from layerscope import api
    from layerscope.analysis.snapshot import NotAReportError
    from layerscope.render.diff import DIFF_FORMATS

    if saved is not None:
        image = load(order)
        try:
            made = api.diff_saved(saved, image)
        except NotAReportError as error:
            raise typer.BadParameter(f"{old!r}: {error}.") from None
    else:
        with show_progress(quiet=order.quiet) as progress:
            pair = api.load_pair(
                old,
                order.source,
                image=order.image,
                platform=order.platform,
                limits=order.limits or None,
                pull=order.pull,
                progress=progress,
            )
        made = api.diff(*pair)
    answer = wish.answer(lambda name, options: DIFF_FORMATS[name](made, options), look)
    answer = replace(answer, code=int(exit_code and made.differs))
    partial = [source for source, side in ((old, made.old), (order.source, made.new)) if not side.complete]
    return finish(answer, order, complete=not partial, partial=partial)


def compare(sources: Sequence[str], order: Order, wish: Wish, look: Look) -> Answer:
    """Return several images side by side."""
    from layerscope import api
    from layerscope.render.sharing import SHARING_FORMATS

    with show_progress(quiet=order.quiet) as progress:
        sharing, partial = api.compare(sources, limits=order.limits or None, pull=order.pull, progress=progress)
    if len(sharing.names) < 2:
        raise typer.BadParameter("compare needs at least two images.")
    answer = wish.answer(lambda name, options: SHARING_FORMATS[name](sharing, options), look)
    return finish(answer, order, complete=not partial, partial=partial)


def images(order: Order, wish: Wish) -> Answer:
    """Return the images of an archive."""
    from layerscope import api

    _check_input(order.source)
    rows = [_read_row(summary) for summary in api.list_images(order.source, limits=order.limits or None)]
    return wish.answer(lambda name, options: IMAGE_FORMATS[name](order.source, rows, options), Look())


def _check_input(source: str) -> None:
    """Refuse a standard input that nobody writes to, instead of waiting for it."""
    if source == "-" and sys.stdin is None:
        raise typer.BadParameter("standard input is closed.")
    if source == "-" and sys.stdin.isatty():
        raise typer.BadParameter("standard input is a terminal; pipe an image into it: docker save IMAGE | layerscope report -")


def load(order: Order, stdin: IO[bytes] | None = None) -> Image:
    """Return the image that an order names: as it was read before, if the input is the same."""
    memory = _memory(order, "image", stdin)
    folder = default_folder() if _may_remember(order, stdin) else None
    layers = Layers(Cache(folder))
    shelved = memory.recall(Shelved)
    image = None if shelved is None else layers.complete(shelved, order.pull)
    order.lap("recalling the image")
    if image is None:
        image = _read(order, stdin, None if folder is None else layers)
        if image.complete:
            memory.remember(layers.lean_on(image, order.pull))
            order.lap("remembering the image")
    return image


def examine(order: Order, stdin: IO[bytes] | None = None, *, whole: bool = False) -> Report:
    """Return the report on the image that an order names; one that is remembered has no files, unless it is to be `whole`."""
    base = None if order.base is None else identify(order.base)
    question = ("report", order.pull, order.base_layers, order.base, base, order.dockerfile)
    memory = _memory(order if order.base is None or base else replace(order, cache=False), question, stdin)
    made = memory.recall(Report)
    order.lap("recalling the report")
    if made is not None:
        return replace(made, image=load(order, stdin)) if whole else made
    from layerscope import api

    order.lap("loading the analyses")
    image = load(order, stdin)
    made = api.analyze(image, base_layers=order.base_layers, base=load_base(order), dockerfile=order.dockerfile, lap=order.lap)
    if made.complete:
        bare = tuple(replace(layer, index=None) for layer in image.layers)
        memory.remember(replace(made, image=replace(image, layers=bare)))
        order.lap("remembering the report")
    return made


def warn_of_base(answer: Answer, made: Report, order: Order) -> Answer:
    """Return the answer; with a warning where the base image is asked for and is not found."""
    if order.quiet or made.base.layers:
        return answer
    if order.base is not None:
        return replace(answer, warning=f"{order.base}: the image does not begin with its layers")
    if order.ignore_base:
        return replace(answer, warning="nothing tells which layers are the base image's: --base IMAGE or --base-layers N")
    return answer


def load_base(order: Order) -> Image | None:
    """Read the image that an order names as the base image; None if it names none."""
    from layerscope import api

    return None if order.base is None else api.load(order.base, limits=order.limits or None, pull="off")


def _memory(order: Order, what: object, stdin: IO[bytes] | None) -> Memory:
    """Return what may be remembered of an order's input."""
    rules = None if order.secret_rules is None else identify(order.secret_rules)
    known = _may_remember(order, stdin) and (rules is not None or order.secret_rules is None)
    asked = (
        order.image,
        order.platform,
        sorted(order.limits.items()),
        order.verify,
        order.sums,
        order.secrets,
        order.secret_rules,
        rules,
    )
    return Memory(Cache(default_folder() if known else None), order.source, (what, asked))


def _may_remember(order: Order, stdin: IO[bytes] | None) -> bool:
    return order.cache and stdin is None and order.source != "-"


def _read(order: Order, stdin: IO[bytes] | None, layers: Layers | None) -> Image:
    """Read the image that an order names; what is found in its compressed layers is kept on a shelf."""
    from layerscope import api
    from layerscope.archive.heap import settle

    settle()

    if stdin is None:
        _check_input(order.source)
    asked: dict[str, Any] = {}
    if order.secrets or order.secret_rules:
        from layerscope.cli.policies import find_inspector

        asked["inspectors"] = [find_inspector(order.secret_rules)]
    # What is a package's own, digests tell; else they are taken if asked for.
    asked["sums"] = order.sums or order.secrets or order.secret_rules is not None
    if stdin is not None:
        asked["stdin"] = stdin
    with show_progress(quiet=order.quiet) as progress:
        return api.load(
            order.source,
            image=order.image,
            platform=order.platform,
            limits=order.limits or None,
            verify=order.verify,
            pull=order.pull,
            progress=progress,
            shelf=layers,
            lap=order.lap,
            **asked,
        )


def finish(answer: Answer, order: Order, *, complete: bool, partial: Sequence[str] = ()) -> Answer:
    """Return the answer; of an image that was read only in part with a warning and exit code 3.

    `partial` names the images of which that is true, if there are several.
    """
    if complete:
        return answer
    names = ", ".join("standard input" if source == "-" else source for source in dict.fromkeys(partial or (order.source,)))
    warning = f"{names}: could be read only in part; the notes of 'layerscope report' tell what is missing"
    return replace(answer, code=_PART, warning=None if order.quiet else warning)


def _read_row(summary: object) -> ImageRow:
    """Return what a summary tells; what it does not know is None."""
    from layerscope.render.images import ImageRow

    layers = getattr(summary, "layers", None)
    return ImageRow(
        names=tuple(getattr(summary, "names", None) or ()),
        platform=getattr(summary, "platform", None),
        config_digest=getattr(summary, "config_digest", None),
        layers=layers if layers is None or isinstance(layers, int) else len(layers),
        complete=getattr(summary, "complete", None),
        layout=getattr(summary, "layout", None),
    )
