"""Which commands tell of packages: which are there, why, and as a bill of materials?"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from layerscope.cli import choices
from layerscope.cli.answer import Answer
from layerscope.cli.choices import choose
from layerscope.cli.commands import (
    Color,
    Debug,
    Format,
    Limit,
    Name,
    Output,
    Platform,
    Quiet,
    Remember,
    RowPull,
    Source,
    Top,
    Verify,
)
from layerscope.errors import no_such_layer

if TYPE_CHECKING:
    from layerscope.cli.verbs import Order

REASONS = ("asked", "dependency", "recommended", "dev", "base", "root", "unknown")
SORTS = ("size", "hidden", "retained", "name", "layer")
GROUPS = ("source", "type")
WHY_FORMATS = ("text", "json")
SBOM_FORMATS = ("cyclonedx", "spdx")


def packages(
    source: Source,
    *,
    format_: Format = None,
    output: Output = None,
    top: Top = None,
    type_: Annotated[
        str | None, typer.Option("--type", metavar="NAME", show_default=False, help="Only this type: apk, deb, npm, pypi ...")
    ] = None,
    layer: Annotated[
        int | None, typer.Option(min=0, metavar="N", show_default=False, help="Only what this layer brought or holds.")
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", show_default=False, help=f"Only these: {', '.join(REASONS)}.", autocompletion=lambda: list(REASONS)
        ),
    ] = None,
    unowned: Annotated[bool, typer.Option("--unowned", help="Only what no package owns, by class.")] = False,
    sort: Annotated[
        str, typer.Option(metavar="COLUMN", help=f"{', '.join(SORTS)}.", autocompletion=lambda: list(SORTS))
    ] = "size",
    group: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", show_default=False, help="Sum by source or type.", autocompletion=lambda: list(GROUPS)),
    ] = None,
    pull: RowPull = "off",
    image: Name = None,
    platform: Platform = None,
    limit: Limit = None,
    verify: Verify = False,
    color: Color = "auto",
    cache: Remember = True,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read where errors are told
) -> Answer:
    """Tell which packages brought how many bytes, in which layer, and why they are there.

    `frees` is what leaves the image with a package and all that only it needs.

    \b
    layerscope packages image.tar --sort retained --top 20
    layerscope packages image.tar --type npm --reason dev
    layerscope packages image.tar --unowned
    """  # noqa: D301 - the mark that keeps the lines apart
    from layerscope import api
    from layerscope.cli import verbs
    from layerscope.packages.classes import TYPES
    from layerscope.packages.inventory import Selection, take_inventory
    from layerscope.render.inventory import INVENTORY_FORMATS

    selection = Selection(
        type=choose(type_, TYPES, "type of packages") if type_ else None,
        layer=layer,
        reason=choose(reason, REASONS, "reason") if reason else None,
        unowned=unowned,
        sort=choose(sort, SORTS, "column to sort by"),
        group=choose(group, GROUPS, "column to group by") if group else None,
    )
    order = _order(source, image, platform, limit, verify=verify, quiet=quiet, cache=cache)
    order = replace(order, pull=choose(pull, choices.PULLS, "way to find the pull size"))
    wish = verbs.read_wish(format_, output or (), choices.FORMATS, source)
    look = verbs.Look(top, choose(color, choices.COLORS, "colour mode"))
    loaded = verbs.load(order)
    if layer is not None and layer >= len(loaded.layers):
        raise no_such_layer(layer, len(loaded.layers))
    owned = api.own(loaded, priced=order.pull != "off")
    inventory = take_inventory(owned, selection)
    answer = wish.answer(lambda name, options: INVENTORY_FORMATS[name](loaded, inventory, owned.release, options), look)
    return verbs.finish(answer, order, complete=loaded.complete)


def why(
    source: Source,
    subject: Annotated[
        str, typer.Argument(metavar="SUBJECT", help="A package, or a path that begins with /.", show_default=False)
    ],
    *,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="NAME",
            show_default=False,
            help="text (default) or json.",
            autocompletion=lambda: list(WHY_FORMATS),
        ),
    ] = None,
    output: Annotated[
        list[str] | None,
        typer.Option("--output", "-o", metavar="FILE", show_default=False, help="Write to a .txt or .json file."),
    ] = None,
    image: Name = None,
    platform: Platform = None,
    limit: Limit = None,
    verify: Verify = False,
    color: Color = "auto",
    cache: Remember = True,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read where errors are told
) -> Answer:
    """Tell who put a package or a path there: layer, instruction, the chain of packages that need it.

    \b
    layerscope why image.tar libcurl
    layerscope why image.tar /usr/lib/libcurl.so.4
    """  # noqa: D301 - the mark that keeps the lines apart
    from layerscope import api
    from layerscope.cli import verbs
    from layerscope.render.why import WHY_FORMATS as WRITERS

    order = _order(source, image, platform, limit, verify=verify, quiet=quiet, cache=cache)
    wish = verbs.read_wish(format_, output or (), WHY_FORMATS, source)
    look = verbs.Look(color=choose(color, choices.COLORS, "colour mode"))
    loaded = verbs.load(order)
    told = api.why(loaded, subject)
    answer = wish.answer(lambda name, options: WRITERS[name](loaded, told, options), look)
    return verbs.finish(answer, order, complete=loaded.complete)


def sbom(
    source: Source,
    *,
    format_: Annotated[
        str,
        typer.Option("--format", "-f", metavar="NAME", help="cyclonedx or spdx.", autocompletion=lambda: list(SBOM_FORMATS)),
    ] = "cyclonedx",
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", show_default=False, help="Write to a file.")
    ] = None,
    image: Name = None,
    platform: Platform = None,
    limit: Limit = None,
    verify: Verify = False,
    cache: Remember = True,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read where errors are told
) -> Answer:
    """Write the packages as a bill of materials: CycloneDX 1.6 or SPDX 2.3, both JSON.

    Needs the extra: pip install 'layerscope[sbom]'. The date is the image's, or that of SOURCE_DATE_EPOCH.

    \b
    layerscope sbom image.tar --format spdx --output image.spdx.json
    """  # noqa: D301 - the mark that keeps the lines apart
    from layerscope import api
    from layerscope.cli import verbs
    from layerscope.render.sbom import write_sbom

    choose(format_, SBOM_FORMATS, "format")
    moment = choices.read_epoch(os.environ.get("SOURCE_DATE_EPOCH"))
    order = _order(source, image, platform, limit, verify=verify, quiet=quiet, cache=cache)
    loaded = verbs.load(order)
    text = write_sbom(loaded, api.own(loaded), format_, moment)
    return verbs.finish(Answer(None, {output: text}) if output else Answer(text), order, complete=loaded.complete)


def join(app: typer.Typer) -> typer.Typer:
    """Return the command line with these commands as well."""
    for command in (packages, why, sbom):
        app.command(no_args_is_help=True)(command)
    return app


def _order(
    source: str, image: str | None, platform: str | None, limit: list[str] | None, *, verify: bool, quiet: bool, cache: bool
) -> Order:
    from layerscope.cli import verbs

    return verbs.Order(
        source, image, choices.read_platform(platform), verbs.read_limits(limit), verify=verify, quiet=quiet, cache=cache
    )
