"""How is a text of the image shown that may hold a secret: an instruction, a label?"""

from __future__ import annotations

import re

from layerscope.analysis.told import ASSIGNMENT, is_secret
from layerscope.audit.secrets.files import FILES
from layerscope.audit.secrets.search import search
from layerscope.audit.secrets.tokens import TOKENS

MASK = "***"
_SHOWN = (*TOKENS, *(secret for secret in FILES if not secret.names))


def mask(text: str) -> str:
    """Return a text in which the values of secrets are `***`."""
    text = ASSIGNMENT.sub(_assignment, text)
    data = text.encode("utf-8", "surrogatepass")
    hits = sorted(search(data, _SHOWN), key=lambda hit: hit.start)
    if not hits:
        return text
    parts, at = [], 0
    for hit in hits:
        if hit.start >= at:
            parts += [data[at : hit.start], MASK.encode()]
        at = max(at, hit.start + hit.length)
    return b"".join([*parts, data[at:]]).decode("utf-8", "surrogatepass")


def _assignment(found: re.Match[str]) -> str:
    return f"{found[1]}={MASK}" if is_secret(found[1].lstrip("-"), found[2]) else found[0]
