"""What does a program read of an audit? The JSON document, schema 1."""

from __future__ import annotations

from layerscope._version import __version__
from layerscope.analysis.causes import Cause
from layerscope.audit import Audit, Check, Finding, baseline_document
from layerscope.render.audit.places import say_message
from layerscope.render.document import SCHEMA_VERSION, base_share, clean, image_object, write_json
from layerscope.render.options import Options
from layerscope.render.rows import Json, Object, cause_row, exposure_row, note_row
from layerscope.render.text.notes import all_notes


def audit_document(audit: Audit) -> Object:
    """Return the audit as schema 1 says it."""
    policy, verification = audit.policy, audit.report.verification
    document: Object = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "layerscope", "version": __version__},
        "complete": audit.report.complete,
        "verdict": audit.verdict,
        "image": image_object(audit.report.image, audit.report.release, audit.report.base),
        "base_share": base_share(audit.report),
        "policy": {"source": policy.source, "dive_ci": policy.dive.source if policy.dive else None},
        "checks": [_check(check) for check in audit.checks],
        "findings": [_finding(finding) for finding in audit.findings],
        "secrets_scanned": audit.secrets_scanned,
        "files_verified": None if verification is None else verification.verified,
        "notes": [note_row(note) for note in all_notes(audit.report)],
    }
    return clean(document)


def audit_json(audit: Audit, _options: Options) -> str:
    """Return the audit's document as text."""
    return write_json(audit_document(audit))


def baseline_json(audit: Audit) -> str:
    """Return the baseline to commit: the image's numbers, and the findings that later audits take as known."""
    known = {
        finding.fingerprint: f"{finding.rule}: {say_message(finding)}"
        for finding in audit.findings
        if finding.level != "info" and not isinstance(finding.fact, Cause)
    }
    document: Object = {}
    for key, value in baseline_document(audit.report, known.items()).items():
        document[key] = value  # type: ignore[assignment] # JSON by construction
    return write_json(clean(document))


def _check(check: Check) -> Object:
    return {
        "id": check.id,
        "kind": check.kind,
        "status": check.status,
        "actual": _number(check.actual),
        "limit": _number(check.limit),
        "message": check.message,
    }


def _finding(finding: Finding) -> Object:
    fact = finding.fact
    row = cause_row(fact) if isinstance(fact, Cause) else exposure_row(fact)
    ignored: Json = None
    if finding.ignored is not None:
        until = finding.ignored.until
        ignored = {"reason": finding.ignored.reason, "until": None if until is None else until.isoformat()}
    return row | {
        "rule": finding.rule,
        "level": finding.level,
        "ignored": ignored,
        "known": finding.known,
        "fingerprint": finding.fingerprint,
    }


def _number(value: float | None) -> Json:
    return int(value) if value is not None and float(value).is_integer() else value
