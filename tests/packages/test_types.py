"""Are the types of packages those that the databases write?"""

from __future__ import annotations

import re
from pathlib import Path

from layerscope import packages
from layerscope.packages.classes import TYPES


def test_each_type_that_a_database_writes_is_listed():
    written = set()
    for module in Path(packages.__file__).parent.glob("*.py"):
        written |= set(re.findall(r'\btype="([a-z]+)"', module.read_text(encoding="utf-8")))
    assert written == set(TYPES)
