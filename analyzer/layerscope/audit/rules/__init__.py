"""Which rules are there? `RULES` holds their declarations; adding one is a declaration in one of the tuples."""

from __future__ import annotations

from layerscope.audit.rules.archive import ARCHIVE
from layerscope.audit.rules.config import CONFIG
from layerscope.audit.rules.files import FILES
from layerscope.audit.rules.rule import Rule
from layerscope.audit.rules.secrets import SECRET_RULES

__all__ = ["RULES", "Rule"]

RULES: tuple[Rule, ...] = (*FILES, *CONFIG, *ARCHIVE, *SECRET_RULES)
