"""What do the environment, the labels and the history tell that nobody should know?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from layerscope.analysis.exposure import Exposure
from layerscope.model import Image

_ENDS = r"(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|PRIVATE_KEY|SECRET_KEY|ACCESS_KEY)"
SECRET_NAME = re.compile(rf"{_ENDS}$", re.IGNORECASE)
# Letters before the name's end are bounded, so that a hostile history costs no more than its length.
ASSIGNMENT = re.compile(
    rf"(?<![\w.-])((?:--)?(?:[A-Za-z_][\w-]{{0,60}}?)?{_ENDS})"
    r"=(\"[^\"\n]{0,400}\"|'[^'\n]{0,400}'|[^\s\"';&|]{0,400})",
    re.IGNORECASE,
)
PLACEHOLDER = re.compile(
    r"^(?:|\W+|change_?-?me.*|.*\bexamples?\b.*|dummy|fake|test(?:ing)?|todo|tbd|none|null|nil|undefined|true|false|yes|no|on|off|\d"
    r"|placeholder|redacted|your[-_ ].*|insert[-_ ].*|\$.*|%.*|<.*>|\{\{.*|\[.*\]|x{3,}|\*+|\.{3}|/[\w./-]+|file://.*|env:.*"
    r"|password|passwd|secret|token|api_?key)$",
    re.IGNORECASE,
)


def find_told(image: Image) -> Iterator[Exposure]:
    """Return secrets by their names, wherever the config has texts, and the user; a value is never repeated."""
    seen = set()
    for variable in image.config.env:
        name, _, value = variable.partition("=")
        if is_secret(name, value):
            seen.add(name)
            yield Exposure("secret-env", "error", "a secret in the image's environment", None, None, "config", detail=name)
    for name, value in image.config.labels.items():
        if is_secret(name, value):
            yield Exposure("secret-label", "error", "a secret in a label", None, None, "config", detail=name)
    for row in image.history:
        for name in secret_assignments(row.created_by or ""):
            if name not in seen:
                seen.add(name)
                title = "a secret in the history, where everybody reads it"
                yield Exposure("secret-history", "error", title, None, row.layer, "config", detail=name)
    if not image.config.user or image.config.user.partition(":")[0] in ("0", "root"):
        yield Exposure("root-user", "info", "the container runs as root", None, None, "config")


def is_secret(name: str, value: str) -> bool:
    """Whether a name speaks of a secret and its value is more than a placeholder; how random it looks is not asked."""
    return bool(SECRET_NAME.search(name)) and not PLACEHOLDER.match(value.strip("'\"").strip()[:200])


def secret_assignments(text: str) -> Iterator[str]:
    """Yield the names to which an instruction assigns a secret: `ARG`, `ENV`, build arguments, exports, long options."""
    for found in ASSIGNMENT.finditer(text):
        name, value = found[1].lstrip("-"), found[2]
        if is_secret(name, value):
            yield name
