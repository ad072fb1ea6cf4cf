"""Which checks of dockle and of the CIS Docker Benchmark (section 4) are answered, and by what?"""

from __future__ import annotations

from layerscope.audit.rules import RULES, Rule
from layerscope.frozen import frozen


@frozen
class Check:
    """One check of somebody else's; the rules that answer it name it as a counterpart.

    ids     dockle's, and CIS's for what is the same check there
    causes  causes of the report that answer it, which `[limits.cause]` limits
    note    what the answer leaves out, or why an archive alone cannot answer
    """

    ids: tuple[str, ...]
    title: str
    causes: tuple[str, ...] = ()
    note: str = ""

    def rules(self) -> tuple[Rule, ...]:
        """Return the rules that answer it."""
        return tuple(rule for rule in RULES if set(self.ids) & set(rule.counterparts))


_TRUST = "no: whether a base image is to be trusted stands in no image; `report` names it"
_SIGNED = "no: signatures lie in registries, and checking them is a setting of the one who pulls"
_VULNERABLE = "no: it takes a database of vulnerabilities of today; `sbom` writes what such scanners read"
_ADD = "ADD of what lies beside the Dockerfile does what COPY does, and is not told"
_LATER = ("package-manager-cache",)
_LITTER = ("version-control", "temporary-files", "logs", "core-dumps", "dependency-tests")
_SPARE = ("build-only-packages", "recommended-only-packages", "development-dependencies")

CHECKS: tuple[Check, ...] = (
    Check(("CIS-DI-0001", "CIS 4.1"), "a user for the container"),
    Check(("CIS-DI-0002", "CIS 4.2"), "trusted base images", note=_TRUST),
    Check(("CIS-DI-0003", "CIS 4.3"), "no unnecessary packages", _SPARE),
    Check(("CIS-DI-0004", "CIS 4.4"), "scanned and rebuilt with security patches", note=_VULNERABLE),
    Check(("CIS-DI-0005", "CIS 4.5"), "content trust", note=_SIGNED),
    Check(("CIS-DI-0006", "CIS 4.6"), "HEALTHCHECK"),
    Check(("CIS-DI-0007", "CIS 4.7"), "no update instructions alone"),
    Check(("CIS-DI-0008", "CIS 4.8"), "setuid and setgid files"),
    Check(("CIS-DI-0009", "CIS 4.9"), "COPY instead of ADD", note=_ADD),
    Check(("CIS-DI-0010", "CIS 4.10"), "no credentials in ENV and files"),
    Check(("CIS-DI-0011", "CIS 4.11"), "verified packages only"),
    Check(("DKL-DI-0001",), "no sudo"),
    Check(("DKL-DI-0002",), "no sensitive folder as a volume"),
    Check(("DKL-DI-0003",), "no dist-upgrade"),
    Check(("DKL-DI-0004",), "apk add --no-cache", _LATER),
    Check(("DKL-DI-0005",), "apt-get caches cleared", _LATER),
    Check(("DKL-DI-0006",), "no latest tag"),
    Check(("DKL-LI-0001",), "no empty password"),
    Check(("DKL-LI-0002",), "unique uids and groups"),
    Check(("DKL-LI-0003",), "only necessary files", _LITTER),
    Check(("CIS 4.12",), "signed artifacts validated", note=_SIGNED),
)
