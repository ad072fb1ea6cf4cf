"""How is a finding said: where it is, what it is, what to do?"""

from __future__ import annotations

from collections.abc import Iterable

from layerscope.analysis.causes import Cause
from layerscope.audit import RULES, Audit, Finding, Rule
from layerscope.render.escape import absolute
from layerscope.render.words import say_size

INCOMPLETE, FAILED, PASSED = 3, 1, 0
_BY_ID = {rule.id: rule for rule in RULES}


def rule_of(finding: Finding) -> Rule | None:
    """Return the declaration of a finding's rule; None for a limit, and for rules of somebody else's file."""
    return _BY_ID.get(finding.rule)


def exit_code(audit: Audit) -> int:
    """Return the exit code: 3 for an image that was read only in part, whatever else; 1 only for an unmet policy."""
    if not audit.report.complete:
        return INCOMPLETE
    return PASSED if audit.passed else FAILED


def say_state(finding: Finding) -> str:
    """Return in which layers it is: `layer 7, deleted in layer 8`; empty for the config alone."""
    fact = finding.fact
    if fact.layer is None:
        return "in the config"
    if isinstance(fact, Cause):
        return f"layer {fact.layer}" + (f", hidden in layer {fact.hidden_in}" if fact.hidden_in is not None else "")
    if fact.state in ("visible", "config") or fact.hidden_in is None:
        return f"layer {fact.layer}"
    return f"layer {fact.layer}, {fact.state} in layer {fact.hidden_in}"


def say_path(finding: Finding) -> str:
    """Return the path it speaks of, else what it names; not escaped."""
    if finding.path is not None:
        return absolute(finding.path)
    fact = finding.fact
    return fact.title if isinstance(fact, Cause) else fact.detail or ""


def say_detail(finding: Finding) -> str:
    """Return what else is known: the detail, the package, why it is put up with; not escaped."""
    fact = finding.fact
    parts = [say_size(fact.bytes)] if isinstance(fact, Cause) else []
    if not isinstance(fact, Cause):
        parts += [fact.detail] if fact.detail and fact.path is not None else []
        parts += [f"package {fact.package}"] if fact.package else []
    if finding.ignored:
        until = f" until {finding.ignored.until}" if finding.ignored.until else ""
        parts.append(f"put up with{until}: {finding.ignored.reason}")
    elif finding.known:
        parts.append("in the baseline")
    return "; ".join(parts)


def say_message(finding: Finding) -> str:
    """Return a finding in one sentence; not escaped."""
    where = ", ".join(part for part in (say_path(finding), say_state(finding)) if part)
    detail = say_detail(finding)
    return f"{finding.fact.title}: {where}{f' ({detail})' if detail else ''}"


def say_fix(finding: Finding) -> str:
    """Return what to do."""
    if isinstance(finding.fact, Cause):
        return finding.fact.fix
    rule = rule_of(finding)
    return rule.fix if rule else ""


def group_findings(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Return findings of one rule and level together, in the order they have."""
    groups: dict[tuple[str, str, bool], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.rule, finding.level, finding.fails), []).append(finding)
    return list(groups.values())


ASIDE = "What a .dive-ci alone does not ask about"
"""Heads findings of level error where no policy of ours decides."""


def say_verdict(audit: Audit) -> str:
    """Return the verdict in one sentence."""
    counts = audit.counts()
    failed = [check for check in audit.checks if check.status == "fail"]
    limits = sum(check.kind != "rule" for check in failed)
    ended = sum(check.id.startswith("ignore.") for check in failed)
    errors = (
        0 if audit.policy.alone else sum(finding.fails for finding in audit.findings if not isinstance(finding.fact, Cause))
    )
    parts = [
        f"{count:,} {one if count == 1 else many}"
        for count, one, many in (
            (errors, "finding of level error", "findings of level error"),
            (limits, "limit that does not hold", "limits that do not hold"),
            (ended, "ignore that has ended", "ignores that have ended"),
        )
        if count
    ]
    told = f"{counts['warning']:,} warning{'s' if counts['warning'] != 1 else ''}"
    if audit.passed and not audit.report.complete:
        return f"In what could be read nothing speaks against it; {told}."
    if audit.passed:
        return f"The policy is met; {told}."
    return f"The policy is not met: {', '.join(parts) or 'a check failed'}; {told}."


def summary_line(audit: Audit) -> str:
    """Return the line for programs, the last of the text: `key=value`, never a text of the image."""
    counts = audit.counts()
    statuses = [check.status for check in audit.checks]
    fields = {
        "verdict": audit.verdict,
        "complete": str(audit.report.complete).lower(),
        "exit": exit_code(audit),
        **{name: counts[name] for name in ("error", "warning", "info", "ignored", "known")},
        "checks_failed": statuses.count("fail"),
        "checks_passed": statuses.count("pass"),
        "secrets_scanned": str(audit.secrets_scanned).lower(),
    }
    return "layerscope-audit " + " ".join(f"{name}={value}" for name, value in fields.items())
