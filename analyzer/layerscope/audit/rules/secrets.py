"""Which secrets stand in files, in the environment, in labels and in the history? One rule a kind of secret."""

from __future__ import annotations

from layerscope.audit.rules.rule import Rule, exposed
from layerscope.model import SECRETS as MARKS
from layerscope.secrets.search import SECRETS
from layerscope.secrets.secret import Secret

_FIX = "RUN --mount=type=secret,id=NAME ... in the build, or hand it over when the container starts."
_REFERENCES = ("https://docs.docker.com/build/building/secrets/",)


def _rule(secret: Secret) -> Rule:
    return Rule(
        id=secret.id,
        level=secret.level,
        title=secret.title,
        why=secret.why,
        fix=f"{secret.fix.rstrip('.')}. {_FIX}",
        check=exposed(secret.id),
        references=_REFERENCES,
        counterparts=("CIS-DI-0010", "CIS 4.10"),
        severity=secret.severity,
        needs=MARKS,
        tags=("security", "secret"),
    )


SECRET_RULES: tuple[Rule, ...] = tuple(_rule(secret) for secret in SECRETS)
