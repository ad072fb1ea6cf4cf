"""Which commands judge an image?"""

from __future__ import annotations

from typing import Annotated

import typer

from layerscope.cli import choices
from layerscope.cli.answer import Answer
from layerscope.cli.choices import choose
from layerscope.cli.commands import Color, Debug, Limit, Name, Platform, Quiet, Source, Top

review = typer.Typer()
AuditFormat = Annotated[
    str | None,
    typer.Option(
        "--format", "-f", metavar="NAME", show_default=False, help=f"{', '.join(choices.AUDIT_FORMATS)}.",
        autocompletion=lambda: list(choices.AUDIT_FORMATS),
    ),
]  # fmt: skip
AuditOutput = Annotated[
    list[str] | None,
    typer.Option(
        "--output", "-o", metavar="FILE", show_default=False,
        help="Write to a file; its suffix tells the format, or a name in front: gitlab:quality.json. May be repeated.",
    ),
]  # fmt: skip
PolicyFile = Annotated[
    str | None,
    typer.Option("--policy", metavar="FILE", show_default=False, help="The policy; else the nearest layerscope.toml."),
]
BaselineFile = Annotated[
    str | None,
    typer.Option("--baseline", metavar="FILE", show_default=False, help="What growth and findings are measured against."),
]
Secrets = Annotated[bool, typer.Option("--secrets/--no-secrets", help="Look for secrets in the contents of all layers' files.")]
SecretRules = Annotated[
    str | None,
    typer.Option("--secret-rules", metavar="FILE", show_default=False, help="Rules of gitleaks (TOML) as well."),
]
Verified = Annotated[bool, typer.Option("--verify/--no-verify", help="Check every digest.")]


@review.command(no_args_is_help=True)
def audit(
    source: Source,
    *,
    format_: AuditFormat = None,
    output: AuditOutput = None,
    policy: PolicyFile = None,
    baseline: BaselineFile = None,
    dockerfile: Annotated[
        str | None,
        typer.Option("--dockerfile", metavar="FILE", show_default=False, help="Place findings on the lines of this file."),
    ] = None,
    init: Annotated[bool, typer.Option("--init", help="Write a policy with limits from this image.")] = False,
    top: Top = None,
    image: Name = None,
    platform: Platform = None,
    limit: Limit = None,
    verify: Verified = True,
    secrets: Secrets = True,
    secret_rules: SecretRules = None,
    color: Color = "auto",
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read where errors are told
) -> Answer:
    """Tell whether an image may be pushed: its policy, its baseline, and the rules of a security review.

    Exit codes: 0 it may, 1 the policy is not met, 2 wrong usage or a wrong policy, 3 the image could not be read whole.

    \b
    layerscope audit image.tar
    layerscope audit image.tar --output audit.sarif --output audit.md
    layerscope audit image.tar --init
    """  # noqa: D301 - the mark that keeps the lines apart
    from layerscope.cli import judgement, verbs

    order = verbs.Order(
        source, image, choices.read_platform(platform), verbs.read_limits(limit), verify=verify, quiet=quiet, secrets=secrets,
        secret_rules=secret_rules,
    )  # fmt: skip
    court = judgement.Court(policy, baseline)
    if init:
        return judgement.init(order, court)
    wish = verbs.read_wish(format_, output or (), choices.AUDIT_FORMATS, source)
    look = verbs.Look(top, choose(color, choices.COLORS, "colour mode"), dockerfile=judgement.find_dockerfile(dockerfile))
    return judgement.audit(order, wish, look, court)


@review.command(no_args_is_help=True)
def baseline(
    source: Source,
    *,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", show_default=False, help="Write to a file.")
    ] = None,
    policy: PolicyFile = None,
    image: Name = None,
    platform: Platform = None,
    limit: Limit = None,
    verify: Verified = True,
    secrets: Secrets = True,
    secret_rules: SecretRules = None,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read where errors are told
) -> Answer:
    """Write the numbers to commit, that later audits measure growth and new findings against.

    \b
    layerscope baseline image.tar --output layerscope-baseline.json
    layerscope audit image.tar --baseline layerscope-baseline.json
    """  # noqa: D301 - the mark that keeps the lines apart
    from layerscope.cli import judgement, verbs

    order = verbs.Order(
        source, image, choices.read_platform(platform), verbs.read_limits(limit), verify=verify, quiet=quiet, secrets=secrets,
        secret_rules=secret_rules,
    )  # fmt: skip
    return judgement.baseline(order, output, judgement.Court(policy))


@review.command()
def explain(
    id_: Annotated[str | None, typer.Argument(metavar="ID", help="A rule.", show_default=False)] = None,
    *,
    rules: Annotated[bool, typer.Option("--rules", help="All rules, as a Markdown table.")] = False,
    debug: Debug = False,  # noqa: ARG001 - read where errors are told
) -> Answer:
    """Tell what a rule means, why it matters, and how to fix what it finds.

    \b
    layerscope explain setuid-file
    layerscope explain --rules
    """  # noqa: D301 - the mark that keeps the lines apart
    from layerscope.render.explanations import EXPLANATIONS, explain_rules

    if rules or id_ is None:
        return Answer(explain_rules())
    return Answer(EXPLANATIONS[choose(id_, sorted(EXPLANATIONS), "id")]())


def join(app: typer.Typer) -> typer.Typer:
    """Return the command line with these commands as well, each once however often it is asked."""
    known = {command.callback for command in app.registered_commands}
    app.registered_commands += [command for command in review.registered_commands if command.callback not in known]
    return app
