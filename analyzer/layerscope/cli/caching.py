"""Which commands tell of the cache, and empty it?"""

from __future__ import annotations

from typing import Annotated

import typer

from layerscope.cli.answer import Answer
from layerscope.cli.commands import Debug

caching = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]


@caching.command()
def info(*, json: Json = False, debug: Debug = False) -> Answer:  # noqa: ARG001 - read where errors are told
    """Tell where the cache is and how much it holds."""
    from layerscope.archive.cache import LARGEST, OLDEST, Cache, default_folder
    from layerscope.render.caching import usage_json, usage_text

    tell = usage_json if json else usage_text
    return Answer(tell(Cache(default_folder()).usage(), LARGEST, OLDEST))


@caching.command()
def clear(*, debug: Debug = False) -> Answer:  # noqa: ARG001 - read where errors are told
    """Forget everything that earlier runs found out."""
    from layerscope.archive.cache import Cache, default_folder
    from layerscope.render.caching import cleared_text

    return Answer(cleared_text(Cache(default_folder()).clear()))


def join(app: typer.Typer) -> typer.Typer:
    """Return the command line with these commands as well."""
    app.add_typer(caching, name="cache", help="Tell of the cache, or empty it.")
    return app
