"""What did the audit find, and may the image pass?"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from layerscope.analysis.causes import Cause
from layerscope.analysis.exposure import Exposure
from layerscope.audit.policy import Ignore, Policy
from layerscope.frozen import frozen
from layerscope.report import Report

SEVERITY = {"error": 0, "warning": 1, "info": 2}


@frozen
class Finding:
    """One finding of a rule, or a cause of a limit that does not hold.

    rule     id of the rule or the check
    level    as the policy has it
    fact     what was found; a cause where a limit on causes failed
    ignored  what the policy puts up with it by
    known    whether the baseline has it already
    """

    rule: str
    level: str
    fact: Exposure | Cause
    ignored: Ignore | None = None
    known: bool = False

    @property
    def fails(self) -> bool:
        """Whether this finding alone fails the audit."""
        return self.level == "error" and self.ignored is None and not self.known

    @property
    def path(self) -> bytes | None:
        """The path it speaks of; of a cause the largest."""
        if isinstance(self.fact, Cause):
            return self.fact.paths[0].path if self.fact.paths else None
        return self.fact.path

    @property
    def fingerprint(self) -> str:
        """What stays the same when the image is built again: rule, path, package, and what no number stands in."""
        return fingerprint_of(self.rule, self.fact)

    @property
    def rank(self) -> tuple[bool, int, str, bytes, int]:
        """Order among findings: what fails first, then by level."""
        return (not self.fails, SEVERITY.get(self.level, 3), self.rule, self.path or b"", self.fact.layer or 0)


def fingerprint_of(rule: str, fact: Exposure | Cause) -> str:
    """Return the fingerprint of a fact under a rule; layers and lines are left out, because they move."""
    if isinstance(fact, Cause):
        parts = [rule, fact.id, fact.title]
    else:
        detail = fact.detail if fact.path is None else None
        path = "" if fact.path is None else fact.path.decode("utf-8", "surrogateescape")
        parts = [rule, path, fact.package or "", fact.state, detail or ""]
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


@frozen
class Check:
    """One thing that was asked, and how it went.

    kind    "limit", "rule" or "growth"
    status  "pass", "fail", "ignored" or "skipped"
    actual  the number found; None where it is not known
    limit   the number allowed; None where there is none
    """

    id: str
    kind: str
    status: str
    actual: float | None
    limit: float | None
    message: str


@frozen
class Audit:
    """The verdict on one image, and everything it rests on."""

    report: Report
    policy: Policy
    checks: tuple[Check, ...]
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether the policy is met; whether the image could be read whole is another question."""
        return not any(check.status == "fail" for check in self.checks)

    @property
    def secrets_scanned(self) -> bool:
        """Whether contents were looked into."""
        return self.report.secrets_scanned

    @property
    def verdict(self) -> str:
        """`pass` or `fail`."""
        return "pass" if self.passed else "fail"

    def counts(self) -> Mapping[str, int]:
        """Return how many findings there are by level, those that are put up with apart."""
        counts = {"error": 0, "warning": 0, "info": 0, "ignored": 0, "known": 0}
        for finding in self.findings:
            counts["ignored" if finding.ignored else "known" if finding.known else finding.level] += 1
        return counts
