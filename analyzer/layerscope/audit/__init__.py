"""May this image be pushed? Opinions about the facts of a report: a policy, a baseline, and the rules of a review."""

from __future__ import annotations

from layerscope.audit.baseline import Baseline, baseline_document, read_baseline
from layerscope.audit.dive import read_dive
from layerscope.audit.judge import audit
from layerscope.audit.policy import DiveRules, Ignore, Limit, Policy, Scope
from layerscope.audit.reader import holds_policy, read_policy
from layerscope.audit.rules import RULES
from layerscope.audit.rules.rule import Rule
from layerscope.audit.verdict import Audit, Check, Finding

__all__ = [
    "RULES",
    "Audit",
    "Baseline",
    "Check",
    "DiveRules",
    "Finding",
    "Ignore",
    "Limit",
    "Policy",
    "Rule",
    "Scope",
    "audit",
    "baseline_document",
    "holds_policy",
    "read_baseline",
    "read_dive",
    "read_policy",
]
