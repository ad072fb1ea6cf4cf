"""What does a code scanning page read? SARIF 2.1.0, within GitHub's limits."""

from __future__ import annotations

from layerscope._version import __version__
from layerscope.analysis.causes import Cause
from layerscope.audit import RULES, Audit, Check, Finding, Rule
from layerscope.render.audit.lines import Places, find_places
from layerscope.render.audit.places import say_fix, say_message, say_path
from layerscope.render.document import clean, write_json
from layerscope.render.escape import one_line, prose
from layerscope.render.options import Options
from layerscope.render.rows import Json, Object

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
HOME = "https://github.com/layerscope/layerscope"
RESULTS, TAGS = 25_000, 20
LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_LIMIT = "policy-limit"


def audit_sarif(audit: Audit, _options: Options) -> str:
    """Return the findings as SARIF, what fails first."""
    return write_json(sarif_document(audit))


def sarif_document(audit: Audit) -> Object:
    """Return the log: one run, all rules with their help, one result a finding and a limit that does not hold."""
    places = find_places(audit.report)
    rules = [_rule(rule) for rule in RULES]
    declared = {rule.id for rule in RULES}
    others = {one.rule: one for one in audit.findings if one.rule not in declared and not isinstance(one.fact, Cause)}
    rules += [_foreign(finding) for finding in others.values()]
    rules.append(_limit_rule())
    numbers = {str(rule["id"]): number for number, rule in enumerate(rules)}
    results = [_limit_result(check, numbers, places) for check in audit.checks if _is_limit(check)]
    results += [_result(one, numbers, places) for one in audit.findings if not isinstance(one.fact, Cause)]
    name = audit.report.image.names[0] if audit.report.image.names else "image"
    run: Object = {
        "tool": {
            "driver": {
                "name": "layerscope",
                "semanticVersion": __version__,
                "informationUri": HOME,
                "rules": list(rules),
            }
        },
        "automationDetails": {"id": f"layerscope/{one_line(name)}/"},
        "invocations": [{"executionSuccessful": audit.report.complete}],
        "columnKind": "unicodeCodePoints",
        "results": list(results[:RESULTS]),
        "properties": {"verdict": audit.verdict, "resultsLeftOut": max(0, len(results) - RESULTS)},
    }
    return clean({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: Rule) -> Object:
    references = "".join(f"\n\n<{address}>" for address in rule.references)
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": _sentence(rule.title)},
        "fullDescription": {"text": rule.why},
        "help": {
            "text": f"{rule.why}\nFix: {rule.fix}",
            "markdown": f"{prose(rule.why)}\n\n**Fix:** {prose(rule.fix)}{references}",
        },
        "helpUri": rule.references[0] if rule.references else HOME,
        "defaultConfiguration": {"level": LEVELS[rule.level]},
        "properties": {
            "tags": list(rule.tags[:TAGS]),
            "precision": "high" if rule.needs else "very-high",
            "problem.severity": {"error": "error", "warning": "warning", "info": "recommendation"}[rule.level],
            "security-severity": f"{rule.severity:.1f}",
        },
    }


def _foreign(finding: Finding) -> Object:
    return {
        "id": finding.rule,
        "shortDescription": {"text": _sentence(finding.fact.title)},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["security", "secret"], "precision": "medium", "security-severity": "7.0"},
    }


def _limit_rule() -> Object:
    return {
        "id": _LIMIT,
        "name": "PolicyLimit",
        "shortDescription": {"text": "A limit of the policy does not hold."},
        "fullDescription": {"text": "The image is larger, or wastes more, than the policy allows."},
        "help": {"text": "`layerscope report IMAGE` tells what makes it fat, and the fix."},
        "helpUri": HOME,
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["size"], "precision": "very-high", "problem.severity": "error"},
    }


def _result(finding: Finding, numbers: dict[str, int], places: Places) -> Object:
    path, line = places.of(finding)
    fact = finding.fact
    layer = "config" if fact.layer is None else f"layer {fact.layer}"
    result: Object = {
        "ruleId": finding.rule,
        "ruleIndex": numbers[finding.rule],
        "level": LEVELS.get(finding.level, "note"),
        "message": {"text": _sentence(one_line(f"{say_message(finding)}. {say_fix(finding)}"))},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": line}},
                "logicalLocations": [{"fullyQualifiedName": one_line(f"{layer}!{say_path(finding)}"), "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": finding.fingerprint, "layerscope/v1": finding.fingerprint},
        "baselineState": "unchanged" if finding.known else "new",
    }
    if finding.ignored is not None:
        suppressions: list[Json] = [{"kind": "external", "justification": one_line(finding.ignored.reason)}]
        result["suppressions"] = suppressions
    return result


def _is_limit(check: Check) -> bool:
    return check.status == "fail" and (check.kind != "rule" or check.id.startswith("ignore."))


def _limit_result(check: Check, numbers: dict[str, int], places: Places) -> Object:
    path = places.path or "image/config"
    return {
        "ruleId": _LIMIT,
        "ruleIndex": numbers[_LIMIT],
        "level": "error",
        "message": {"text": one_line(f"{check.id}: {check.message}")},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": places.base}}}],
        "partialFingerprints": {"primaryLocationLineHash": check.id, "layerscope/v1": check.id},
    }


def _sentence(text: str) -> str:
    text = one_line(text)
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"
