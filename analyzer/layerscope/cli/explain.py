"""What does an id of a report mean?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from layerscope.cli.answer import Answer
from layerscope.cli.choices import choose
from layerscope.render.explanations import EXPLANATIONS
from layerscope.render.glossary import (
    Explanation,
    explain_causes,
    explain_notes,
    explanation_text,
    explanations_text,
)
from layerscope.render.options import Options

REGISTRIES: Mapping[str, Callable[[], tuple[Explanation, ...]]] = {"causes": explain_causes, "notes": explain_notes}
"""Where ids are looked up, in this order."""


def explain(wish: str | None, listed: Collection[str], options: Options) -> Answer:
    """Return what there is to say about an id; without one the list of all, or of some kinds."""
    found = {name: registry() for name, registry in REGISTRIES.items() if wish or not listed or name in listed}
    if wish is None:
        return Answer(explanations_text(found, options))
    known = {row.id.lower(): row for rows in found.values() for row in rows}
    listed = "`layerscope explain` and `layerscope explain --rules` list them."
    chosen = choose(wish.lower(), (*known, *EXPLANATIONS), "id that can be explained", listed)
    return Answer(explanation_text(known[chosen], options) if chosen in known else EXPLANATIONS[chosen]())


def complete() -> list[str]:
    """Return all ids, for the shell's completion."""
    return [*(row.id for registry in REGISTRIES.values() for row in registry()), *EXPLANATIONS]
