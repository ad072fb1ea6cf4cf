"""The README's table of limits is the program's."""

import re
from dataclasses import fields
from pathlib import Path

from layerscope.archive.limits import Limits


def test_every_limit_stands_in_the_readme():
    text = (
        (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8").partition("## Limits")[2].partition("\n## ")[0]
    )
    told = re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", text, re.MULTILINE)
    assert told == [limit.name for limit in fields(Limits)]
