"""What is a secret's rule? A declaration: where to look, what it must look like, what proves it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

Proof = Callable[[re.Match[bytes]], bool]


def always(_found: re.Match[bytes]) -> bool:
    """Nothing to prove: the form says it."""
    return True


@dataclass(frozen=True, slots=True)
class Secret:
    """One kind of secret.

    id, title  of the finding
    level      of a secret that nothing speaks against
    literals   without one of these in the content the pattern is not tried
    pattern    bounded in every repeat, so that hostile content costs no more than its length; group `secret`, if there is
               one, is the secret, else the whole match
    proof      what the form must keep besides: a checksum, a structure
    doubt      level where the proof fails; None: then it is no finding
    lead       how far before the literal the pattern may begin; 0: it begins with it
    hint       what stands wherever the pattern matches, where the literals are in so many texts that they say nothing
    names      the file's name or path must end like one of these; none: any file
    why        what somebody can do with it
    fix        where to make it invalid
    """

    id: str
    title: str
    literals: tuple[bytes, ...]
    pattern: bytes
    level: str = "error"
    proof: Proof = always
    doubt: str | None = None
    lead: int = 0
    hint: bytes = b""
    names: tuple[bytes, ...] = ()
    why: str = "Whoever has the image can use it, until it is made invalid."
    fix: str = ""
    severity: float = 8.0

    @property
    def regex(self) -> re.Pattern[bytes]:
        """The pattern, compiled when it is first asked for: most runs meet none of its literals."""
        return _compile(self.pattern)


_compile = cache(re.compile)


def token(
    id_: str, title: str, literals: str, pattern: str, *, level: str = "error", proof: Proof = always, doubt: str | None = None,
    fix: str = "", lead: int = 0,
) -> Secret:  # fmt: skip
    """Return the rule of a token that stands alone: no letter, digit or underscore before it, none after it."""
    return Secret(
        id_,
        title,
        tuple(literals.encode().split()),
        rb"(?<![A-Za-z0-9_])(?:" + pattern.encode() + rb")(?![A-Za-z0-9_])",
        level=level,
        proof=proof,
        doubt=doubt,
        lead=lead,
        fix=fix,
    )
