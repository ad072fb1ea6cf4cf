"""What does GitLab's security page read? A container scanning report, schema 15."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from layerscope._version import __version__
from layerscope.analysis.causes import Cause
from layerscope.analysis.exposure import Exposure
from layerscope.audit import Audit, Finding
from layerscope.render.audit.places import rule_of, say_detail, say_message, say_path, say_state
from layerscope.render.document import clean, write_json
from layerscope.render.escape import one_line
from layerscope.render.options import Options
from layerscope.render.rows import Json, Object

SCHEMA = "15.0.7"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_NAME, _LONG = 255, 7000
_SEVERITIES = ((9.0, "Critical"), (7.0, "High"), (4.0, "Medium"), (0.1, "Low"))


def audit_scanning(audit: Audit, options: Options) -> str:
    """Return what is open as vulnerabilities; limits on sizes are none, and left to the other formats."""
    return write_json(scanning_document(audit, options.moment or _NEVER))


def scanning_document(audit: Audit, moment: datetime) -> Object:
    """Return the report of a scan that was made at that moment."""
    time = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    program: Object = {"id": "layerscope", "name": "layerscope", "version": __version__, "vendor": {"name": "layerscope"}}
    scan: Object = {
        "type": "container_scanning",
        "status": "success" if audit.report.complete else "failure",
        "start_time": time,
        "end_time": time,
        "analyzer": program,
        "scanner": program,
    }
    if not audit.report.complete:
        scan["messages"] = [{"level": "fatal", "value": "the image could be read only in part"}]
    versions = {
        f"{share.package.type}:{share.package.name}": share.package.version for share in audit.report.ownership.packages
    }
    seen: dict[str, int] = {}
    rows: list[Json] = []
    for finding in audit.findings:
        fact = finding.fact
        if finding.ignored is None and not finding.known and not isinstance(fact, Cause):
            number = seen[finding.fingerprint] = seen.get(finding.fingerprint, 0) + 1
            location = _location(audit, finding, fact, versions)
            rows.append(_vulnerability(finding, f"{finding.fingerprint} {number}", location))
    return clean({"version": SCHEMA, "scan": scan, "vulnerabilities": rows})


def _vulnerability(finding: Finding, key: str, location: Object) -> Object:
    rule = rule_of(finding)
    parts = [say_message(finding), rule.why if rule else ""]
    told = {"where": say_state(finding), "path": say_path(finding), "detail": say_detail(finding)}
    return {
        "id": str(uuid5(NAMESPACE_URL, f"layerscope:{key}")),
        "name": one_line(rule.title if rule else finding.fact.title)[:_NAME],
        "description": one_line(". ".join(part for part in parts if part)),
        "severity": _severity(finding.level, rule.severity if rule else 7.0),
        "solution": one_line(rule.fix if rule else "")[:_LONG],
        "identifiers": [{"type": "layerscope", "name": finding.rule, "value": finding.rule}],
        "links": [{"url": address} for address in (rule.references if rule else ())],
        "details": {name: {"type": "text", "name": name, "value": one_line(text)} for name, text in told.items() if text},
        "location": location,
    }


def _severity(level: str, number: float) -> str:
    """Return a word for the rule's number; what the policy or the place makes a remark is one."""
    return "Info" if level == "info" else next((word for least, word in _SEVERITIES if number >= least), "Info")


def _location(audit: Audit, finding: Finding, fact: Exposure, versions: dict[str, str]) -> Object:
    """Return where it is: each path counts as a dependency, or GitLab takes all of a package for one."""
    image, release = audit.report.image, audit.report.release
    system = release.pretty_name or " ".join((release.id, release.version_id or "")) if release else image.config.os
    return {
        "dependency": {
            "package": {"name": one_line(say_path(finding)) or "config"},
            "version": one_line(versions.get(fact.package or "", "")),
        },
        "operating_system": one_line(system or "") or "unknown",
        "image": one_line(image.names[0] if image.names else image.config_digest or image.source) or "unknown",
    }
