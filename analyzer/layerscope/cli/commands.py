"""Which commands and options are there?"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from layerscope.cli import choices
from layerscope.cli.answer import Answer
from layerscope.cli.choices import SCHEMAS, choose

app = typer.Typer(
    rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=True, no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip

_IMAGE = "A docker save tar, an OCI archive or folder, compressed or not; - is standard input."
Source = Annotated[str, typer.Argument(metavar="IMAGE", help=_IMAGE, show_default=False)]
Stored = Annotated[
    str,
    typer.Argument(
        metavar="IMAGE", show_default=False, help="A docker save tar, an OCI archive or folder, compressed or not; no pipe."
    ),
]
Archive = Annotated[str, typer.Argument(metavar="ARCHIVE", help=_IMAGE, show_default=False)]
Format = Annotated[
    str | None,
    typer.Option(
        "--format", "-f", metavar="NAME", show_default=False, help="text (default), json, markdown or csv.",
        autocompletion=lambda: list(choices.FORMATS),
    ),
]  # fmt: skip
Output = Annotated[
    list[str] | None,
    typer.Option(
        "--output", "-o", metavar="FILE", show_default=False,
        help="Write to a file; .txt, .json, .md or .csv tells the format. May be repeated.",
    ),
]  # fmt: skip
RowFormat = Annotated[
    str | None,
    typer.Option(
        "--format", "-f", metavar="NAME", show_default=False, help="text (default), json or csv.",
        autocompletion=lambda: list(choices.ROW_FORMATS),
    ),
]  # fmt: skip
RowOutput = Annotated[
    list[str] | None,
    typer.Option(
        "--output", "-o", metavar="FILE", show_default=False,
        help="Write to a file; .txt, .json or .csv tells the format. May be repeated.",
    ),
]  # fmt: skip
Top = Annotated[int | None, typer.Option(min=1, metavar="N", show_default=False, help="Rows of each table.")]
Table = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", show_default=False, help=f"Which table csv writes: {', '.join(choices.TABLES)}.",
        autocompletion=lambda: list(choices.TABLES),
    ),
]  # fmt: skip
Name = Annotated[
    str | None, typer.Option("--image", metavar="NAME", show_default=False, help="The image, if there are several.")
]
Platform = Annotated[
    str | None, typer.Option(metavar="OS/ARCH", show_default=False, help="The platform, if there are several.")
]
Limit = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", show_default=False, help="Raise a safety limit, like layer_bytes=512GiB."),
]
Bandwidth = Annotated[str, typer.Option(metavar="RATE", help="The line that the pull time is told for.")]
Pull = Annotated[
    str,
    typer.Option(
        metavar="HOW", help="Pull size of raw layers: estimate, exact (slow) or off.",
        autocompletion=lambda: list(choices.PULLS),
    ),
]  # fmt: skip
RowPull = Annotated[
    str,
    typer.Option(
        "--pull", metavar="HOW", help="estimate or exact: also tell what a registry sends for each, an estimate.",
        autocompletion=lambda: list(choices.PULLS),
    ),
]  # fmt: skip
Base = Annotated[
    str | None, typer.Option("--base", metavar="IMAGE", show_default=False, help="The base image: what both begin with is its.")
]
BaseLayers = Annotated[
    int | None, typer.Option(min=0, metavar="N", show_default=False, help="How many layers are the base image's.")
]
IgnoreBase = Annotated[bool, typer.Option("--ignore-base", help="Leave out what was found in the base image's layers.")]
Dockerfile = Annotated[
    str | None, typer.Option(metavar="FILE", show_default=False, help="What it was built from: tells the line of each layer.")
]
Verify = Annotated[bool, typer.Option("--verify/--no-verify", help="Check every digest.")]
Remember = Annotated[
    bool, typer.Option("--cache/--no-cache", help="Take what an earlier run found out about the very same file.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no warnings.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of a bug.")]
Secrets = Annotated[bool, typer.Option("--secrets", help="Look for secrets in the contents of all layers' files as well.")]
Color = Annotated[
    str,
    typer.Option(metavar="WHEN", help="auto, always or never.", autocompletion=lambda: list(choices.COLORS)),
]


def _version(wanted: bool) -> None:
    if wanted:
        from layerscope._version import __version__

        typer.echo(f"layerscope {__version__}")
        raise typer.Exit


@app.callback()
def about(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Tell what makes a container image fat, which instruction and package did it, and what to do about it.

    Reads image archives offline; nothing is unpacked, nothing is run, no daemon is asked.

    Exit codes: 0 fine, 1 a policy is not met, 2 wrong usage, 3 not readable or only in part, 70 a bug, 130 interrupted.
    """


@app.command(no_args_is_help=True)
def report(
    source: Source,
    *,
    format_: Format = None,
    output: Output = None,
    top: Top = None,
    table: Table = None,
    image: Name = None,
    platform: Platform = None,
    limit: Limit = None,
    bandwidth: Bandwidth = "100Mbit/s",
    pull: Pull = "estimate",
    dockerfile: Dockerfile = None,
    base: Base = None,
    base_layers: BaseLayers = None,
    ignore_base: IgnoreBase = False,
    have: Annotated[
        list[str] | None,
        typer.Option(metavar="IMAGE", show_default=False, help="An image that is there already: what is left to pull?"),
    ] = None,
    verify: Verify = False,
    secrets: Secrets = False,
    color: Color = "auto",
    cache: Remember = True,
    timings: Annotated[bool, typer.Option("--timings", help="Tell on standard error how long each stage took.")] = False,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read where errors are told
) -> Answer:
    """Tell what makes an image fat and what to do about it.

    \b
    docker save node-app | layerscope report -
    layerscope report image.tar --output report.json --output report.md
    layerscope report image.tar --dockerfile Dockerfile
    layerscope report image.tar --have debian.tar --have node.tar --bandwidth 20Mbit/s
    layerscope report image.tar --table packages > packages.csv
    """  # noqa: D301 - the mark that keeps the lines apart
    from layerscope.cli import verbs

    source_file = None
    if dockerfile is not None:
        from layerscope.cli.reading import read_dockerfile

        source_file = read_dockerfile(dockerfile)
    order = verbs.Order(
        source,
        image,
        choices.read_platform(platform),
        verbs.read_limits(limit),
        verify=verify,
        quiet=quiet,
        pull=choose(pull, choices.PULLS, "way to find the pull size"),
        base=base,
        base_layers=base_layers,
        ignore_base=ignore_base,
        dockerfile=source_file,
        have=tuple(have or ()),
        secrets=secrets,
        sums=verify,
        cache=cache,
    )
    if table is not None:
        choose(table, choices.TABLES, "table")
    wish = verbs.read_wish(format_ or ("csv" if table and not output else None), output or (), choices.FORMATS, source)
    look = verbs.Look(top, choose(color, choices.COLORS, "colour mode"), table, choices.read_bandwidth(bandwidth))
    if not timings:
        return verbs.report(order, wish, look)
    from layerscope.cli.answer import complain
    from layerscope.cli.timings import Timings

    lap = Timings()
    answer = verbs.report(replace(order, lap=lap), wish, look)
    lap("rendering")
    complain(lap.text())
    return answer


@app.command(no_args_is_help=True)
def files(
    source: Source,
    *,
    format_: RowFormat = None,
    output: RowOutput = None,
    top: Top = None,
    layer: Annotated[
        int | None, typer.Option(min=0, metavar="N", show_default=False, help="Only what this layer stores.")
    ] = None,
    fate: Annotated[
        str | None,
        typer.Option(
            metavar="FATE",
            show_default=False,
            help="Only what is live, replaced or deleted.",
            autocompletion=lambda: list(choices.FATES),
        ),
    ] = None,
    owner: Annotated[
        str | None,
        typer.Option(metavar="NAME", show_default=False, help="Only what this package or class owns; * stands for any."),
    ] = None,
    glob: Annotated[
        str | None, typer.Option(metavar="PATTERN", show_default=False, help="Only these paths, like '/usr/share/*'.")
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option(min=1, max=64, metavar="N", show_default=False, help="Sum up folders, N levels deep, as du does."),
    ] = None,
    min_size: Annotated[
        str | None, typer.Option(metavar="SIZE", show_default=False, help="Only what is this large, like 1MB.")
    ] = None,
    sort: Annotated[
        str, typer.Option(metavar="HOW", help="size, path or layer.", autocompletion=lambda: list(choices.SORTS))
    ] = "size",
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
    """Tell which files weigh how much, and whose they are.

    Each row says in which layer the file lies, and what became of it.

    \b
    layerscope files image.tar --top 20
    layerscope files image.tar --depth 3 --min-size 10MB
    layerscope files image.tar --fate deleted --glob '*.tar.gz'
    layerscope files image.tar --layer 3 --format json
    """  # noqa: D301 - the mark that keeps the lines apart
    from layerscope.cli import verbs

    order = verbs.Order(
        source, image, choices.read_platform(platform), verbs.read_limits(limit), verify=verify, quiet=quiet, cache=cache,
        pull=choose(pull, choices.PULLS, "way to find the pull size"),
    )  # fmt: skip
    wish = verbs.read_wish(format_, output or (), choices.ROW_FORMATS, source)
    look = verbs.Look(top, choose(color, choices.COLORS, "colour mode"), sort=choose(sort, choices.SORTS, "order"))
    return verbs.files(order, wish, look, verbs.read_sieve(layer, fate, owner, glob, min_size), depth)


@app.command(no_args_is_help=True)
def images(
    archive: Archive,
    *,
    format_: RowFormat = None,
    output: RowOutput = None,
    limit: Limit = None,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read where errors are told
) -> Answer:
    """Tell which images and platforms an archive holds.

    \b
    layerscope images images.tar
    """  # noqa: D301 - the mark that keeps the lines apart
    from layerscope.cli import verbs

    order = verbs.Order(archive, None, None, verbs.read_limits(limit), quiet=quiet)
    return verbs.images(order, verbs.read_wish(format_, output or (), choices.ROW_FORMATS, archive))


@app.command(no_args_is_help=True)
def schema(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help=f"{', '.join(SCHEMAS)}.", autocompletion=lambda: list(SCHEMAS)),
    ],
    *,
    debug: Debug = False,  # noqa: ARG001 - read where errors are told
) -> Answer:
    """Print the JSON Schema of a JSON document.

    \b
    layerscope schema report > report.schema.json
    """  # noqa: D301 - the mark that keeps the lines apart
    from layerscope.render.schemas import schema_text

    return Answer(schema_text(choose(name, SCHEMAS, "schema")))


def _ids() -> list[str]:
    from layerscope.cli.explain import complete

    return complete()


@app.command()
def explain(
    id_: Annotated[
        str | None,
        typer.Argument(
            metavar="ID",
            help="A cause, a rule or a note; without it, causes and notes are listed.",
            show_default=False,
            autocompletion=_ids,
        ),
    ] = None,
    *,
    causes: Annotated[bool, typer.Option("--causes", help="List the causes.")] = False,
    notes: Annotated[bool, typer.Option("--notes", help="List the notes.")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="All rules of the audit, as a Markdown table.")] = False,
    checks: Annotated[bool, typer.Option("--checks", help="Checks of dockle and CIS, and what answers them.")] = False,
    color: Color = "auto",
    debug: Debug = False,  # noqa: ARG001 - read where errors are told
) -> Answer:
    """Tell what a cause, a rule or a note is, why it matters, and how to fix it.

    \b
    layerscope explain metadata-only-copy
    layerscope explain setuid-file
    layerscope explain --rules
    """  # noqa: D301 - the mark that keeps the lines apart
    from layerscope.cli import verbs
    from layerscope.cli.explain import explain as tell

    if rules or checks:
        from layerscope.render.explanations import explain_checks, explain_rules

        return Answer(explain_rules() if rules else explain_checks())
    listed = [name for name, wanted in (("causes", causes), ("notes", notes)) if wanted]
    return tell(id_, listed, verbs.Look(color=choose(color, choices.COLORS, "colour mode")).screen("text"))
