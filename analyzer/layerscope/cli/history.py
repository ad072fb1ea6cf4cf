"""Which command tells how an image was made?"""

from __future__ import annotations

from typing import Annotated

import typer

from layerscope.cli import choices
from layerscope.cli.answer import Answer
from layerscope.cli.choices import choose
from layerscope.cli.commands import (
    Base,
    BaseLayers,
    Color,
    Debug,
    Format,
    Limit,
    Name,
    Output,
    Platform,
    Pull,
    Quiet,
    Remember,
    Source,
    Verify,
)


def history(
    source: Source,
    *,
    format_: Format = None,
    output: Output = None,
    raw: Annotated[bool, typer.Option("--raw", help="Show what the builder wrote, whole.")] = False,
    dockerfile: Annotated[bool, typer.Option("--dockerfile", help="Write a Dockerfile that would make it again.")] = False,
    base: Base = None,
    base_layers: BaseLayers = None,
    image: Name = None,
    platform: Platform = None,
    limit: Limit = None,
    pull: Pull = "estimate",
    verify: Verify = False,
    color: Color = "auto",
    cache: Remember = True,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read where errors are told
) -> Answer:
    """Tell which instruction made which layer, and what became of what the others set.

    \b
    layerscope history image.tar
    layerscope history image.tar --raw
    layerscope history image.tar --dockerfile --base debian.tar --output Dockerfile
    """  # noqa: D301 - the mark that keeps the lines apart
    from layerscope import api
    from layerscope.cli import verbs
    from layerscope.render.history import HISTORY_FORMATS
    from layerscope.render.recipe import recipe_text

    if dockerfile and (format_ or raw):
        raise typer.BadParameter("--dockerfile writes a Dockerfile; --format and --raw do not go with it.")
    order = verbs.Order(
        source, image, choices.read_platform(platform), verbs.read_limits(limit), verify=verify, quiet=quiet,
        pull=choose(pull, choices.PULLS, "way to find the pull size"), base=base, base_layers=base_layers,
        cache=cache,
    )  # fmt: skip
    wish = verbs.Wish(None, {}) if dockerfile else verbs.read_wish(format_, output or (), choices.FORMATS, source)
    look = verbs.Look(color=choose(color, choices.COLORS, "colour mode"), raw=raw)
    loaded = verbs.load(order)
    told = api.history(loaded, base_layers=base_layers, base=verbs.load_base(order))
    if dockerfile:
        text = recipe_text(told)
        return verbs.finish(
            Answer(None, dict.fromkeys(output, text)) if output else Answer(text), order, complete=loaded.complete
        )
    answer = wish.answer(lambda name, options: HISTORY_FORMATS[name](told, options), look)
    return verbs.finish(answer, order, complete=loaded.complete)


def join(app: typer.Typer) -> typer.Typer:
    """Return the command line with this command as well."""
    app.command(no_args_is_help=True)(history)
    return app
