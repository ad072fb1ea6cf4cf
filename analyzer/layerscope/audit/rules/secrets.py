"""Which secrets stand in files, in the environment, in labels and in the history? One rule a kind of secret."""

from __future__ import annotations

from collections.abc import Iterator

from layerscope.analysis.exposures import Exposure
from layerscope.analysis.marks import SECRETS as MARKS
from layerscope.audit.rules.rule import Look, Rule
from layerscope.audit.secrets.context import weigh
from layerscope.audit.secrets.search import SECRETS, search
from layerscope.audit.secrets.secret import Secret
from layerscope.report import Report

_FIX = "RUN --mount=type=secret,id=NAME ... in the build, or hand it over when the container starts."
_REFERENCES = ("https://docs.docker.com/build/building/secrets/",)


def _rule(secret: Secret) -> Rule:
    return Rule(
        id=secret.id,
        level=secret.level,
        title=secret.title,
        why=secret.why,
        fix=f"{secret.fix.rstrip('.')}. {_FIX}",
        check=_look(secret),
        references=_REFERENCES,
        counterparts=("CIS-DI-0010", "CIS 4.10"),
        severity=secret.severity,
        needs=MARKS,
        tags=("security", "secret"),
    )


def _look(secret: Secret) -> Look:
    def look(report: Report) -> Iterator[Exposure]:
        yield from (exposure for exposure in report.exposures if exposure.id == secret.id)
        if secret.names:
            return
        for text, layer, where in _texts(report):
            for hit in search(text, (secret,)):
                level = weigh(hit.level, b"", hit.value, free=secret.id == "url-credentials")
                if level is not None:
                    yield Exposure(secret.id, level, secret.title, None, layer, "config", detail=where)

    return look


def _texts(report: Report) -> Iterator[tuple[bytes, int | None, str]]:
    """Yield every text of the config, the layer it made, and what it is, for people."""
    config = report.image.config
    for variable in config.env:
        yield _raw(variable), None, f"ENV {variable.partition('=')[0]}"
    for name, value in config.labels.items():
        yield _raw(value), None, f"label {name}"
    yield _raw("\0".join((*config.cmd, *config.entrypoint))), None, "CMD or ENTRYPOINT"
    told = {variable.partition("=")[2] for variable in config.env}
    for number, row in enumerate(report.image.history):
        text = row.created_by or ""
        if not any(value and value in text for value in told if len(value) > 15):
            yield _raw(text), row.layer, f"row {number} of the history"


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


SECRET_RULES: tuple[Rule, ...] = tuple(_rule(secret) for secret in SECRETS)
