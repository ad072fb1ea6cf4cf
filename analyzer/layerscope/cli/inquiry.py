"""Which commands ask what would be, and what is in a file?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from layerscope.cli import choices
from layerscope.cli.answer import Answer
from layerscope.cli.choices import choose
from layerscope.cli.commands import Color, Debug, Limit, Name, Platform, Quiet, Remember, Source, Stored, Top
from layerscope.cli.comparison import Format, Output

if TYPE_CHECKING:
    from layerscope.api import Content

_PACKAGE, _CAUSE = "package:", "cause:"


def _causes() -> list[str]:
    from layerscope.analysis.kinds import KINDS

    return [f"{_CAUSE}{kind.id}" for kind in KINDS]


def whatif(
    source: Source,
    *,
    drop: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GLOB|package:NAME",
            show_default=False,
            help="Leave out paths of all layers and what is below them, or a package and what only it needs. May be repeated.",
        ),
    ] = None,
    squash: Annotated[
        str | None, typer.Option(metavar="A-B", show_default=False, help="Make the layers from A to B one.")
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="cause:ID",
            show_default=False,
            help="Leave out what a cause claims. May be repeated.",
            autocompletion=_causes,
        ),
    ] = None,
    format_: Format = None,
    output: Output = None,
    top: Top = None,
    image: Name = None,
    platform: Platform = None,
    limit: Limit = None,
    color: Color = "auto",
    cache: Remember = True,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read where errors are told
) -> Answer:
    """Tell how large the image would be without some files or with layers as one; nothing is rebuilt.

    Whether it would still work is not told.

    \b
    layerscope whatif image.tar --drop /usr/share/doc --drop '*.a'
    layerscope whatif image.tar --drop package:gcc-12
    layerscope whatif image.tar --without cause:deleted-later --squash 3-7
    """  # fmt: skip  # noqa: D301 - the mark that keeps the lines apart
    from layerscope import api
    from layerscope.analysis.kinds import KINDS
    from layerscope.cli import verbs
    from layerscope.questions import Plan
    from layerscope.render.whatif import WHATIF_FORMATS

    if not (drop or squash or without):
        raise typer.BadParameter("say what is to be different: --drop, --squash or --without.")
    ids = [choose(wish.removeprefix(_CAUSE), [kind.id for kind in KINDS], "cause") for wish in without or ()]
    plan = Plan(
        globs=tuple(choices.read_glob(wish) for wish in drop or () if not wish.startswith(_PACKAGE)),
        packages=tuple(wish.removeprefix(_PACKAGE) for wish in drop or () if wish.startswith(_PACKAGE)),
        causes=tuple(ids),
        squash=None if squash is None else read_range(squash),
    )
    order = verbs.Order(
        source, image, choices.read_platform(platform), verbs.read_limits(limit), quiet=quiet, pull="estimate", cache=cache
    )
    wish = verbs.read_wish(format_, output or (), choices.DIFF_FORMATS, source)
    look = verbs.Look(top, choose(color, choices.COLORS, "colour mode"))
    loaded = verbs.load(order)
    told = api.whatif(loaded, plan)
    answer = wish.answer(lambda name, options: WHATIF_FORMATS[name](told, options), look)
    return verbs.finish(answer, order, complete=loaded.complete)


def read_range(value: str) -> tuple[int, int]:
    """Return the first and the last layer of `3-7`."""
    found = re.fullmatch(r"(\d{1,6})-(\d{1,6})", value.strip())
    if not found or int(found[1]) >= int(found[2]):
        raise typer.BadParameter(f"{value!r}: a range of layers is written FIRST-LAST, like 3-7.")
    return int(found[1]), int(found[2])


Path = Annotated[str, typer.Argument(metavar="PATH", help="An absolute path of the image.", show_default=False)]
Layer = Annotated[
    int | None,
    typer.Option(
        min=0, metavar="N", show_default=False, help="The file as this layer stores it, also if a later one hides it."
    ),
]


def cat(
    source: Stored,
    path: Path,
    *,
    layer: Layer = None,
    raw: Annotated[bool, typer.Option("--raw", help="On a terminal, too, write the bytes as they are.")] = False,
    image: Name = None,
    platform: Platform = None,
    limit: Limit = None,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read where errors are told
) -> Answer:
    """Write one file of an image to standard output, also one that a later layer deleted or replaced.

    Links of the image are not followed. On a terminal, what would move the cursor is shown instead.

    \b
    layerscope cat image.tar /etc/os-release
    layerscope cat image.tar /app/.npmrc --layer 4
    """  # noqa: D301 - the mark that keeps the lines apart
    import sys

    from layerscope.cli.answer import show_bytes

    with _open(source, path, layer, image, platform, limit, quiet=quiet) as content:
        show_bytes(content.pieces, raw=raw or not sys.stdout.isatty())
        return Answer(warning=None if quiet or layer is not None else _tell_hidden(content))


def export_file(
    source: Stored,
    path: Path,
    *,
    to: Annotated[str, typer.Option(metavar="FILE", show_default=False, help="The file to write.")],
    layer: Layer = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    image: Name = None,
    platform: Platform = None,
    limit: Limit = None,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read where errors are told
) -> Answer:
    """Write the content of one file of an image to a file, whole or not at all.

    Owner, mode and times are not taken over, links are followed on neither side, and only the file that --to names is written.

    \b
    layerscope export-file image.tar /usr/lib/libfoo.so --to libfoo.so
    """  # noqa: D301 - the mark that keeps the lines apart
    import os

    from layerscope.cli.answer import export_file as write

    if os.path.exists(to) and os.path.exists(source) and os.path.samefile(to, source):  # noqa: PTH110, PTH121
        raise typer.BadParameter(f"{to!r} is the image itself.")
    with _open(source, path, layer, image, platform, limit, quiet=quiet) as content:
        write(to, content.pieces, force=force)
        return Answer(warning=None if quiet or layer is not None else _tell_hidden(content))


@contextmanager
def _open(
    source: str,
    path: str,
    layer: int | None,
    image: str | None,
    platform: str | None,
    limit: list[str] | None,
    *,
    quiet: bool,
) -> Iterator[Content]:
    from layerscope import api
    from layerscope.cli import verbs
    from layerscope.cli.progress import show_progress

    if source == "-":
        raise typer.BadParameter(choices.PASSES)
    wanted = verbs.read_limits(limit) or None
    with ExitStack() as opened:
        with show_progress(quiet=quiet) as progress:
            content = opened.enter_context(
                api.open_file(
                    source,
                    path,
                    layer=layer,
                    image=image,
                    platform=choices.read_platform(platform),
                    limits=wanted,
                    progress=progress,
                )
            )
        yield content


def _tell_hidden(content: Content) -> str | None:
    """Return a word of warning about a file that nobody asked for by its layer and that no container sees."""
    spot = content.spot
    if spot.ended_by is None:
        return None
    return f"no container sees this: it is in layer {spot.layer}, and layer {spot.ended_by} hides it"


def join(app: typer.Typer) -> typer.Typer:
    """Return the command line with these commands as well."""
    for name, command in (("whatif", whatif), ("cat", cat), ("export-file", export_file)):
        app.command(name, no_args_is_help=True)(command)
    return app
