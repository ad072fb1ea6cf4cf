"""Which commands ask what would be, and what is in a file?"""

from __future__ import annotations

import re
from typing import Annotated

import typer

from layerscope.cli import choices
from layerscope.cli.answer import Answer
from layerscope.cli.choices import choose
from layerscope.cli.commands import Color, Debug, Limit, Name, Platform, Quiet, Remember, Source, Top
from layerscope.cli.comparison import Format, Output

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


def join(app: typer.Typer) -> typer.Typer:
    """Add the commands to the others, once."""
    there = {command.callback for command in app.registered_commands}
    for command in (whatif,):
        if command not in there:
            app.command(no_args_is_help=True)(command)
    return app
