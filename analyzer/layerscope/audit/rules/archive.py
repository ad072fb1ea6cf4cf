"""Does the archive say one thing to one reader and another thing to another?"""

from __future__ import annotations

from layerscope.audit.rules.rule import Rule, noted

DISAGREEING = ("C46", "C48", "C52", "C56", "C57", "C58", "C59", "C60", "C61", "C62", "C63", "E06", "E07")

ARCHIVE: tuple[Rule, ...] = (
    Rule(
        id="digest-mismatch",
        level="error",
        title="bytes that are not what their digest says",
        why="The archive was damaged or changed after it was written: what you audit is not what was built.",
        fix="Save or build the image again, and compare its digest with the builder's.",
        check=noted("digest-mismatch", "error", "B11"),
        severity=9.0,
    ),
    Rule(
        id="reader-disagreement",
        level="warning",
        title="archive that readers disagree about",
        why="Runtimes see other files in it than some scanners do; that is how something is kept from being seen.",
        fix="Build the layer with a tool that writes plain headers; look at the byte that is named.",
        check=noted("reader-disagreement", "warning", *DISAGREEING),
        references=("https://nvd.nist.gov/vuln/detail/CVE-2025-62518",),
        severity=7.0,
    ),
    Rule(
        id="platform-mismatch",
        level="warning",
        title="platform that index and config tell differently",
        why="Runtimes choose by the index, many scanners by the config: what was looked at is not what runs.",
        fix="Build the image again; find out who wrote the index.",
        check=noted("platform-mismatch", "warning", "A50"),
        severity=6.0,
    ),
    Rule(
        id="data-after-end",
        level="warning",
        title="data after the end of a layer",
        why="No runtime unpacks it and no scanner reads it, but whoever has the image has it.",
        fix="Build the layer again; find out who wrote it.",
        check=noted("data-after-end", "warning", "C53", "D03"),
        severity=6.0,
    ),
    Rule(
        id="whiteout-device",
        level="warning",
        title="0:0 character device, which deletes at run time",
        why="The kernel's overlayfs takes it for a deletion, most tools for a device: they see a file that is not there.",
        fix="Export layers with .wh. files, as the image specification has it; do not tar an overlay's upper folder.",
        check=noted("whiteout-device", "warning", "C23"),
        references=("https://docs.kernel.org/filesystems/overlayfs.html#whiteouts-and-opaque-directories",),
        severity=6.0,
    ),
    Rule(
        id="overlay-attribute",
        level="warning",
        title="attribute that the kernel's overlayfs obeys",
        why="It hides, redirects or replaces what lower layers have, where other tools see nothing of the kind.",
        fix="Do not tar an overlay's upper folder; leave trusted.overlay.* out.",
        check=noted("overlay-attribute", "warning", "C24"),
        references=("https://docs.kernel.org/filesystems/overlayfs.html",),
        severity=6.0,
    ),
    Rule(
        id="path-escape",
        level="warning",
        title="path or link that climbs out of the image",
        why="A tool that unpacks it carelessly writes outside of its folder.",
        fix="Find out who wrote the layer; nothing that builds images writes such names.",
        check=noted("path-escape", "warning", "C20", "E03"),
        severity=7.0,
    ),
)
