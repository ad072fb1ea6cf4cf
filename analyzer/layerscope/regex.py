"""What does a text look like? A regular expression that is compiled when it is first used.

A hundred and thirty of them are declared in every run, and most are for what an image does not have. To compile them all takes
longer than to read a small layer.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast

__all__ = ["regex"]


def regex(looks: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Declare what `re.compile` makes of the same arguments."""
    return cast("re.Pattern[AnyStr]", _Expression(looks, flags))


class _Expression:
    """Has what its pattern has, from the first time on that it is asked for it."""

    def __init__(self, looks: str | bytes, flags: int) -> None:
        self.pattern = looks
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        """Return a method of the compiled pattern, and keep it where the next one who asks finds it."""
        found = getattr(re.compile(self.pattern, self._flags), name)
        setattr(self, name, found)
        return found
