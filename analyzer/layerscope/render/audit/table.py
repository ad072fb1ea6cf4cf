"""What do findings look like in a spreadsheet?"""

from __future__ import annotations

from layerscope.analysis.causes import Cause
from layerscope.audit import Audit
from layerscope.render.audit.places import say_fix, say_path
from layerscope.render.options import Options
from layerscope.render.tables import Row, write_csv


def audit_csv(audit: Audit, options: Options) -> str:
    """Return all findings, one a row, what fails first."""
    head: Row = (
        "fails", "rule", "level", "title", "path", "layer", "state", "hidden_in", "package", "detail", "ignored", "known",
        "fix", "fingerprint",
    )  # fmt: skip
    rows: list[Row] = []
    for finding in audit.findings[: options.top]:
        fact = finding.fact
        cause = isinstance(fact, Cause)
        rows.append(
            (
                "true" if finding.fails else "false",
                finding.rule,
                finding.level,
                fact.title,
                say_path(finding) if finding.path is not None else None,
                fact.layer,
                None if isinstance(fact, Cause) else fact.state,
                fact.hidden_in,
                None if isinstance(fact, Cause) else fact.package,
                str(fact.bytes) if isinstance(fact, Cause) else fact.detail,
                finding.ignored.reason if finding.ignored else None,
                "true" if finding.known else "false",
                say_fix(finding) if cause or finding.fails else None,
                finding.fingerprint,
            )
        )
    return write_csv([head, *rows])
