"""Which commands judge an image?"""

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
    Dockerfile,
    IgnoreBase,
    Limit,
    Name,
    Platform,
    Quiet,
    Remember,
    Source,
    Top,
)

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
    dockerfile: Dockerfile = None,
    base: Base = None,
    base_layers: BaseLayers = None,
    ignore_base: IgnoreBase = False,
    init: Annotated[bool, typer.Option("--init", help="Write a policy with limits from this image.")] = False,
    top: Top = None,
    image: Name = None,
    platform: Platform = None,
    limit: Limit = None,
    verify: Verified = True,
    secrets: Secrets = True,
    secret_rules: SecretRules = None,
    color: Color = "auto",
    cache: Remember = True,
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
    from layerscope.cli.reading import read_dockerfile

    order = verbs.Order(
        source, image, choices.read_platform(platform), verbs.read_limits(limit), verify=verify, quiet=quiet, secrets=secrets,
        secret_rules=secret_rules, sums=verify, cache=cache, dockerfile=read_dockerfile(dockerfile),
        base=base, base_layers=base_layers, ignore_base=ignore_base,
    )  # fmt: skip
    court = judgement.Court(policy, baseline)
    if init:
        return judgement.init(order, court)
    wish = verbs.read_wish(format_, output or (), choices.AUDIT_FORMATS, source)
    look = verbs.Look(top, choose(color, choices.COLORS, "colour mode"))
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
    cache: Remember = True,
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
        secret_rules=secret_rules, sums=verify, cache=cache,
    )  # fmt: skip
    return judgement.baseline(order, output, judgement.Court(policy))


@review.command(no_args_is_help=True, context_settings={"ignore_unknown_options": False})
def guard(
    command: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND...", help="The push, as you would type it.", show_default=False)
    ],
    *,
    policy: PolicyFile = None,
    baseline: BaselineFile = None,
    image: Name = None,
    platform: Platform = None,
    limit: Limit = None,
    verify: Verified = True,
    secrets: Secrets = True,
    secret_rules: SecretRules = None,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - read where errors are told
) -> Answer:
    """Audit what a command would push, and run it only if that passes.

    Knows docker, podman and nerdctl push, skopeo copy, crane push and regctl image import.

    \b
    layerscope guard -- docker push registry.example.com/app:1.4.2
    layerscope guard -- skopeo copy oci-archive:image.tar docker://registry.example.com/app:1.4.2
    """  # noqa: D301 - the mark that keeps the lines apart
    from layerscope.cli import guard as watch
    from layerscope.cli import judgement, verbs

    order = verbs.Order(
        "-", image, choices.read_platform(platform), verbs.read_limits(limit), verify=verify, quiet=quiet, secrets=secrets,
        secret_rules=secret_rules, sums=verify, cache=False,
    )  # fmt: skip
    return watch.guard(order, judgement.Court(policy, baseline), command)


hook = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Images = Annotated[
    list[str], typer.Argument(metavar="IMAGE...", help="The archives that a push stands for.", show_default=False)
]
IfPresent = Annotated[bool, typer.Option("--if-present", help="Pass over an image that is not built yet.")]


@hook.command("install", no_args_is_help=True)
def hook_install(
    images: Images,
    *,
    if_present: IfPresent = False,
    secret_rules: SecretRules = None,
    debug: Debug = False,  # noqa: ARG001
) -> Answer:
    """Audit images before each `git push`; a hook that is there runs first."""
    from layerscope.cli import hooks

    return hooks.install(images, if_present=if_present, secret_rules=secret_rules)


@hook.command("uninstall")
def hook_uninstall(*, debug: Debug = False) -> Answer:  # noqa: ARG001
    """Take the hook out, and put back the one from before."""
    from layerscope.cli import hooks

    return hooks.uninstall()


@hook.command("run", no_args_is_help=True)
def hook_run(
    images: Images,
    *,
    if_present: IfPresent = False,
    policy: PolicyFile = None,
    baseline: BaselineFile = None,
    secret_rules: SecretRules = None,
    pre_push: Annotated[
        str | None, typer.Option(metavar="HOOK", show_default=False, help="Run as git's hook, at this path.")
    ] = None,
    remote: Annotated[str, typer.Option(metavar="NAME", help="As git tells it.")] = "",
    url: Annotated[str, typer.Option(metavar="URL", help="As git tells it.")] = "",
    debug: Debug = False,  # noqa: ARG001
) -> Answer:
    """Audit images as a hook does: what cannot be audited does not pass."""
    from layerscope.cli import hooks, judgement, verbs

    court = judgement.Court(policy, baseline)

    def judge(source: str) -> Answer:
        order = verbs.Order(source, verify=True, secrets=True, secret_rules=secret_rules)
        return judgement.audit(order, verbs.Wish("text", {}), verbs.Look(color="auto"), court)

    return hooks.run(images, judge, hook=pre_push, remote=remote, url=url, if_present=if_present)


def join(app: typer.Typer) -> typer.Typer:
    """Return the command line with these commands as well."""
    app.registered_commands += review.registered_commands
    app.add_typer(hook, name="hook", help="Audit images before each git push.")
    return app
