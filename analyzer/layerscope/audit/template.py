"""What does a policy for this very image look like, to begin with?"""

from __future__ import annotations

from layerscope.audit.verdict import Audit

_HEADROOM = 0.1


def write_policy(audit: Audit) -> str:
    """Return a commented policy whose limits the image meets, with a tenth to spare."""
    report = audit.report
    largest = max((row.content_bytes or 0 for row in report.books.layers), default=0)
    fact = report.totals()["reclaimable_fact_bytes"] or 0
    share = _up(fact / report.books.content_bytes) if report.books.content_bytes else 0.0
    efficiency = max(0.0, int(100 * report.books.efficiency) / 100 - 0.01)
    failing = sorted({finding.rule for finding in audit.findings if finding.fails and finding.rule[0].isalpha()})
    lines = [
        "# The policy of this image: `layerscope audit IMAGE` exits 1 when it is not met.",
        "# Limits are what the image has now, and a tenth more. Tighten them as it shrinks.",
        "",
        "[limits]",
        "# Any number of the report: its bytes, its counts, its efficiency.",
        f'content_bytes = "{_size(report.books.content_bytes)}"',
        "# What need not be there. With max and share it fails only above both: small images make noise.",
        f'reclaimable_fact_bytes = {{ max = "{_size(fact)}", share = {share:g} }}',
        f"efficiency = {{ min = {efficiency:g} }}",
        "",
        "[limits.layer]",
        "# Of any single layer.",
        f'content_bytes = "{_size(largest)}"',
        "",
        "# [limits.package]             # per package, by type and glob: the sum of what matches",
        '# "deb:gcc-*" = 0',
        "# [limits.owner]               # per package type, or class of files that no package has",
        '# cache = "1 MB"',
        "# [limits.path]                # per path glob, in all layers",
        '# "/usr/share/doc/**" = "1 MB"',
        "# [limits.cause]               # per cause of the report",
        '# package-manager-cache = "1 MB"',
        "",
        "# Against `--baseline FILE`, which `layerscope baseline IMAGE` writes.",
        "[growth]",
        'content_bytes = { max = "10 MB", share = 0.02 }',
        "",
        "[rules]",
        "# id = level: error fails, warning and info are told, off is not run. `layerscope explain --rules` lists them.",
        '# setuid-file = "error"',
        '# missing-healthcheck = "off"',
    ]
    if failing:
        lines += ["", f"# These fail now: {', '.join(failing)}. Fix them, or say why they may stay, and until when:"]
    lines += [
        "",
        "# [[ignore]]",
        f'# rule = "{failing[0] if failing else "ssh-host-key"}"',
        '# path = "/etc/ssh/**"         # or package = "deb:openssh-server"; a glob, both may be left out',
        '# reason = "..."               # required',
        "# until = 2030-01-31           # from the day after, the audit fails",
    ]
    return "\n".join(lines) + "\n"


def _size(size: int) -> str:
    """Return a size with a tenth to spare, in two digits and a decimal unit."""
    value = max(1, int(size * (1 + _HEADROOM)))
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if value >= factor:
            digits = 1 if value < 10 * factor else 0
            step = 10**-digits * factor
            return f"{-(-value // int(step)) * step / factor:.{digits}f} {unit}"
    return f"{value} B"


def _up(share: float) -> float:
    return min(1.0, (int(share * (1 + _HEADROOM) * 100) + 1) / 100)
