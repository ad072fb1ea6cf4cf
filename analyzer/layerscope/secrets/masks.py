"""How is a text shown that may hold a secret: an instruction, a label?"""

from __future__ import annotations

import re
from collections.abc import Iterable

from layerscope.secrets.files import FILES
from layerscope.secrets.names import ASSIGNMENT, SPACED, is_secret
from layerscope.secrets.search import search
from layerscope.secrets.tokens import TOKENS

MASK = "***"
ANYWHERE = (*TOKENS, *(secret for secret in FILES if not secret.names))
"""The kinds of secrets that are known wherever they stand."""


def mask(text: str, known: Iterable[str] = ()) -> str:
    """Return a text in which the values of secrets are `***`, those that are `known` as well; its lines stay as many."""
    text = _mask_forms(text)
    for value in known:
        text = text.replace(value, _stand_in(value))
    spaced = SPACED.match(text)
    if spaced is not None and is_secret(spaced[2], spaced[4]):
        return f"{spaced[1]}{spaced[2]}{spaced[3]}{_stand_in(spaced[4])}"
    return ASSIGNMENT.sub(_assignment, text)


def _mask_forms(text: str) -> str:
    data = text.encode("utf-8", "surrogatepass")
    hits = sorted(search(data, ANYWHERE), key=lambda hit: hit.start)
    parts, at = [], 0
    for hit in hits:
        end = hit.start + hit.length
        if hit.start >= at:
            parts += [data[at : hit.start], _stand_in(data[hit.start : end].decode("latin-1")).encode()]
        at = max(at, end)
    return b"".join([*parts, data[at:]]).decode("utf-8", "surrogatepass") if hits else text


def _stand_in(value: str) -> str:
    return MASK + "\n" * value.count("\n")


def _assignment(found: re.Match[str]) -> str:
    return f"{found[1]}={MASK}" if is_secret(found[1].lstrip("-"), found[2]) else found[0]
