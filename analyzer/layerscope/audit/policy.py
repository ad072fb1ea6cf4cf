"""What may an image be? Limits, growth, levels of rules, and what is put up with, for a time and for a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date

from layerscope.frozen import frozen

LEVELS = ("error", "warning", "info", "off")


@frozen
class Limit:
    """One limit: `max` and `share` fail only together, `min` alone.

    max    largest number allowed; a floor against noise where `share` stands beside it
    share  largest share allowed: of the image's content, or of the old number where growth is limited
    min    smallest number allowed
    """

    max: float | None = None
    share: float | None = None
    min: float | None = None

    def broken_by(self, actual: float, whole: float) -> bool:
        """Whether a number breaks the limit; `whole` is what `share` is a share of."""
        over = [actual > bound for bound in (self.max, None if self.share is None else self.share * whole) if bound is not None]
        return (bool(over) and all(over)) or (self.min is not None and actual < self.min)


@frozen
class Ignore:
    """What is put up with: findings of a rule, or a failed check, at a path or of a package; until a day, if one is named."""

    rule: str
    reason: str
    path: str | None = None
    package: str | None = None
    until: date | None = None

    def place(self) -> str:
        """Return what it speaks of, for people."""
        return " ".join(part for part in (self.rule, self.path, self.package) if part)


Limits = Mapping[str, Limit]


@frozen
class Scope:
    """Limits by what they speak of; each maps a name, a glob or a path glob to its limit."""

    image: Limits = field(default_factory=dict)
    layer: Limits = field(default_factory=dict)
    package: Limits = field(default_factory=dict)
    owner: Limits = field(default_factory=dict)
    path: Limits = field(default_factory=dict)
    cause: Limits = field(default_factory=dict)


SCOPES = ("layer", "package", "owner", "path", "cause")


@frozen
class DiveRules:
    """The three rules of a `.dive-ci`; None is off."""

    source: str
    lowest_efficiency: float | None = 0.9
    highest_wasted_bytes: int | None = None
    highest_user_wasted_percent: float | None = 0.1


@frozen
class Policy:
    """One policy file, read.

    source  the file it was read from, None if there is none: then any finding of level error fails, and nothing else does
    alone   no policy of ours: only the dive rules decide the verdict
    """

    source: str | None = None
    limits: Scope = field(default_factory=Scope)
    growth: Scope = field(default_factory=Scope)
    rules: Mapping[str, str] = field(default_factory=dict)
    ignores: tuple[Ignore, ...] = ()
    dive: DiveRules | None = None
    alone: bool = False
