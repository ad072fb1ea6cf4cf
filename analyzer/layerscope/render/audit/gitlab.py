"""What does GitLab's merge request show? A code quality report."""

from __future__ import annotations

import json
from hashlib import sha256

from layerscope.audit import Audit
from layerscope.render.audit.lines import find_places
from layerscope.render.audit.places import say_message
from layerscope.render.escape import json_text, one_line, unicode
from layerscope.render.options import Options
from layerscope.render.rows import Json, Object

_SEVERITIES = {"error": "critical", "warning": "minor", "info": "info"}


def audit_gitlab(audit: Audit, _options: Options) -> str:
    """Return what is open, as an array of code quality issues; each has a fingerprint of its own."""
    return json_text(json.dumps(quality(audit), ensure_ascii=False, indent=2)) + "\n"


def quality(audit: Audit) -> list[Json]:
    """Return the issues: limits that do not hold, then findings that nobody puts up with."""
    places = find_places(audit.report)
    rows: list[Json] = []
    seen: dict[str, int] = {}
    for check in audit.checks:
        if check.status == "fail" and (check.kind != "rule" or check.id.startswith("ignore.")):
            path = places.path or "image/config"
            rows.append(_issue(f"{check.id}: {check.message}", check.id, check.id, "critical", (path, places.base), seen))
    for finding in audit.findings:
        if finding.ignored is None and not finding.known:
            severity = _SEVERITIES.get(finding.level, "info")
            message = say_message(finding)
            rows.append(_issue(message, finding.rule, finding.fingerprint, severity, places.of(finding), seen))
    return rows


def _issue(message: str, rule: str, fingerprint: str, severity: str, place: tuple[str, int], seen: dict[str, int]) -> Object:
    number = seen[fingerprint] = seen.get(fingerprint, 0) + 1
    unique = sha256(f"{fingerprint} {number}".encode("utf-8", "replace")).hexdigest()
    return {
        "description": unicode(one_line(message)),
        "check_name": unicode(one_line(rule)),
        "fingerprint": unique,
        "severity": severity,
        "location": {"path": place[0], "lines": {"begin": place[1]}},
    }
