"""Which commands set images side by side?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from layerscope.cli import choices
from layerscope.cli.answer import Answer
from layerscope.cli.choices import choose

comparison = typer.Typer()
REPORT_BYTES = 512 << 20
MOST = 50

Format = Annotated[
    str | None,
    typer.Option(
        "--format", "-f", metavar="NAME", show_default=False, help="text (default), json or markdown.",
        autocompletion=lambda: list(choices.DIFF_FORMATS),
    ),
]  # fmt: skip
Output = Annotated[
    list[str] | None,
    typer.Option(
        "--output", "-o", metavar="FILE", show_default=False,
        help="Write to a file; .txt, .json or .md tells the format. May be repeated.",
    ),
]  # fmt: skip
Top = Annotated[int | None, typer.Option(min=1, metavar="N", show_default=False, help="Rows of each table.")]
Limit = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", show_default=False, help="Raise a safety limit, like layer_bytes=512GiB."),
]
Color = Annotated[str, typer.Option(metavar="WHEN", help="auto, always or never.", autocompletion=lambda: list(choices.COLORS))]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no warnings.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of a bug.")]


@comparison.command(no_args_is_help=True)
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="An image, or its report as JSON.", show_default=False)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="An image.", show_default=False)],
    *,
    format_: Format = None,
    output: Output = None,
    top: Top = None,
    files: Annotated[bool, typer.Option("--files", help="List paths in JSON, too.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 if the images differ.")] = False,
    image: Annotated[str | None, typer.Option(metavar="NAME", show_default=False, help="The image in both archives.")] = None,
    platform: Annotated[
        str | None, typer.Option(metavar="OS/ARCH", show_default=False, help="The platform in both archives.")
    ] = None,
    limit: Limit = None,
    color: Color = "auto",
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read where errors are told
) -> Answer:
    """Tell what grew or shrank, and what a push would upload.

    Totals come first, then layers, packages, causes and paths.

    \b
    layerscope diff old.tar new.tar
    layerscope diff main.json new.tar --format markdown > comment.md
    """  # noqa: D301 - the mark that keeps the lines apart
    from layerscope.cli import verbs

    if old == new == "-":
        raise typer.BadParameter(choices.PASSES)
    order = verbs.Order(new, image, choices.read_platform(platform), verbs.read_limits(limit), quiet=quiet, pull="estimate")
    wish = verbs.read_wish(format_, output or (), choices.DIFF_FORMATS, new)
    look = verbs.Look(top, choose(color, choices.COLORS, "colour mode"), files=files)
    return verbs.diff(read_saved(old), old, order, wish, look, exit_code=exit_code)


@comparison.command(no_args_is_help=True)
def compare(
    sources: Annotated[
        list[str], typer.Argument(metavar="IMAGE...", help="Two to fifty images, none of them a pipe.", show_default=False)
    ],
    *,
    format_: Format = None,
    output: Output = None,
    top: Top = None,
    bandwidth: Annotated[str, typer.Option(metavar="RATE", help="The line that the pull time is told for.")] = "100Mbit/s",
    limit: Limit = None,
    color: Color = "auto",
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read where errors are told
) -> Answer:
    """Tell what images share, what is each one's own, and what they cost together.

    \b
    layerscope compare busybox.tar alpine.tar debian.tar node.tar
    """  # noqa: D301 - the mark that keeps the lines apart
    from layerscope.cli import verbs

    if "-" in sources:
        raise typer.BadParameter(choices.PASSES)
    if len(sources) > MOST:
        raise typer.BadParameter(f"{len(sources)} images are too many; {MOST} at most.")
    order = verbs.Order(sources[0], limits=verbs.read_limits(limit), quiet=quiet, pull="estimate")
    wish = verbs.read_wish(format_, output or (), choices.DIFF_FORMATS, sources[0])
    look = verbs.Look(top, choose(color, choices.COLORS, "colour mode"), bandwidth=choices.read_bandwidth(bandwidth))
    return verbs.compare(sources, order, wish, look)


def read_saved(path: str) -> Mapping[str, Any] | None:
    """Return a saved report, None if the file is something else."""
    place = Path(path)
    if path == "-" or not place.is_file():
        return None
    with place.open("rb") as stream:
        if stream.read(64).lstrip()[:1] != b"{":
            return None
    if place.stat().st_size > REPORT_BYTES:
        raise typer.BadParameter(f"{path!r} is too large for a report.")
    try:
        document = json.loads(place.read_bytes())
    except (ValueError, RecursionError):
        raise typer.BadParameter(f"{path!r} is no JSON.") from None
    return document if isinstance(document, dict) else None


def join(app: typer.Typer) -> typer.Typer:
    """Return the command line with these commands as well."""
    app.registered_commands += comparison.registered_commands
    return app
