"""May this image be pushed? The facts of a report against a policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from layerscope.audit.baseline import Baseline
from layerscope.audit.dive import check_dive
from layerscope.audit.globs import name_matches, path_matches
from layerscope.audit.limits import check_growth, check_limits
from layerscope.audit.policy import Ignore, Policy
from layerscope.audit.rules import RULES
from layerscope.audit.rules.rule import Rule, exposed
from layerscope.audit.verdict import Audit, Check, Finding
from layerscope.model import SECRETS
from layerscope.report import Report


def audit(
    report: Report,
    policy: Policy | None = None,
    baseline: Baseline | None = None,
    *,
    today: date,
    rules: Sequence[Rule] = RULES,
) -> Audit:
    """Return the verdict on an image; `today` decides which ignores have ended.

    Findings of level error fail, unless they are put up with or the baseline has them; so does any limit that does not
    hold, and an ignore that has ended. Warnings and remarks are told.
    """
    policy = policy or Policy()
    live = [ignore for ignore in policy.ignores if ignore.until is None or today <= ignore.until]
    used: set[Ignore] = set()
    findings: list[Finding] = []
    checks: list[Check] = []
    for rule in rules:
        level = policy.rules.get(rule.id, rule.level)
        found = [] if level == "off" else _find(rule, report, policy, baseline, live, used)
        findings += found
        checks.append(_check_rule(rule, found, level, report.image.inspected))
    findings_of_others = _foreign(report, policy, baseline, live, used, rules)
    findings += findings_of_others
    checks += _check_foreign(findings_of_others)
    limits = [*check_limits(report, policy.limits), *check_growth(report, policy.growth, baseline)]
    limits = [_forgive(check, live, used) for check in limits]
    checks = [*limits, *(check_dive(report, policy.dive) if policy.dive else ()), *checks]
    findings += _causes(report, limits, live)
    checks += _check_ignores(policy.ignores, used, today)
    if policy.alone:
        checks = [check if check.id.startswith("dive.") else _step_back(check) for check in checks]
    return Audit(report, policy, tuple(checks), tuple(sorted(findings, key=lambda one: one.rank)))


def _find(
    rule: Rule, report: Report, policy: Policy, baseline: Baseline | None, live: Sequence[Ignore], used: set[Ignore]
) -> list[Finding]:
    found = []
    for fact in rule.check(report):
        level = policy.rules.get(rule.id) or (rule.level if rule.raises else fact.level)
        finding = Finding(rule.id, level, fact)
        ignored = next((ignore for ignore in live if _means(ignore, finding)), None)
        if ignored is not None:
            used.add(ignored)
        known = baseline is not None and finding.fingerprint in baseline.findings
        found.append(replace(finding, ignored=ignored, known=known))
    return found


def _foreign(
    report: Report, policy: Policy, baseline: Baseline | None, live: Sequence[Ignore], used: set[Ignore], rules: Sequence[Rule]
) -> list[Finding]:
    """Return the findings of rules that are not declared here: those of somebody else's file."""
    declared = {rule.id for rule in rules}
    others = {fact.id: fact for fact in report.exposures if fact.id not in declared and fact.detail and fact.path is not None}
    found: list[Finding] = []
    for id_, fact in others.items():
        if policy.rules.get(id_) == "off":
            continue
        rule = Rule(id_, "error", fact.title, "Somebody else's rule found it.", "", exposed(id_), needs=SECRETS)
        found += _find(rule, report, policy, baseline, live, used)
    return found


def _check_foreign(findings: Sequence[Finding]) -> Iterator[Check]:
    for id_ in dict.fromkeys(finding.rule for finding in findings):
        found = [finding for finding in findings if finding.rule == id_]
        failing = sum(finding.fails for finding in found)
        message = f"{found[0].fact.title}: {len(found):,} found, {failing:,} of level error"
        yield Check(f"rules.{id_}", "rule", "fail" if failing else "pass", len(found), None, message)


def _means(ignore: Ignore, finding: Finding) -> bool:
    if not name_matches(finding.rule, ignore.rule):
        return False
    if ignore.path is not None and (finding.path is None or not path_matches(finding.path, ignore.path)):
        return False
    package = getattr(finding.fact, "package", None)
    return ignore.package is None or (package is not None and name_matches(package, ignore.package))


def _check_rule(rule: Rule, found: Sequence[Finding], level: str, inspected: frozenset[str]) -> Check:
    id_ = f"rules.{rule.id}"
    if level == "off":
        return Check(id_, "rule", "skipped", None, None, "off in the policy")
    if rule.needs is not None and rule.needs not in inspected and not found:
        return Check(id_, "rule", "skipped", None, None, "contents were not read")
    failing = sum(finding.fails for finding in found)
    open_ = sum(finding.ignored is None and not finding.known for finding in found)
    message = f"{rule.title}: {len(found):,} found, {open_:,} open, {failing:,} of level error" if found else "nothing found"
    status = "fail" if failing else "ignored" if found and not open_ else "pass"
    return Check(id_, "rule", status, len(found), None, message)


def _forgive(check: Check, live: Sequence[Ignore], used: set[Ignore]) -> Check:
    if check.status != "fail":
        return check
    ignore = next((one for one in live if one.rule == check.id and one.path is None and one.package is None), None)
    if ignore is None:
        return check
    used.add(ignore)
    return replace(check, status="ignored", message=f"{check.message}; put up with: {ignore.reason}")


def _causes(report: Report, checks: Iterable[Check], live: Sequence[Ignore]) -> Iterator[Finding]:
    """Yield the causes behind limits on causes that do not hold."""
    for check in checks:
        kind, _, glob = check.id.partition(".cause.")
        if kind != "limits" or not glob or check.status not in ("fail", "ignored"):
            continue
        ignore = next((one for one in live if one.rule == check.id), None) if check.status == "ignored" else None
        for cause in report.causes:
            if name_matches(cause.id, glob):
                yield Finding(check.id, "error", cause, ignore)


def _check_ignores(ignores: Sequence[Ignore], used: set[Ignore], today: date) -> Iterator[Check]:
    for number, ignore in enumerate(ignores, 1):
        id_ = f"ignore.{number}"
        if ignore.until is not None and ignore.until < today:
            message = f"put up with {ignore.place()} until {ignore.until}, which is past: fix it, or decide anew"
            yield Check(id_, "rule", "fail", None, None, message)
        elif ignore not in used:
            yield Check(id_, "rule", "skipped", None, None, f"nothing to put up with any more: {ignore.place()}; take it out")


def _step_back(check: Check) -> Check:
    """Return a check that is told and does not decide."""
    if check.status != "fail":
        return check
    return replace(check, status="skipped", message=f"{check.message}; not asked for by a .dive-ci alone")
