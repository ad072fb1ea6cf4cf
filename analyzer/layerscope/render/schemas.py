"""Which keys does each JSON document have? The JSON Schema files, as they are installed with the program."""

from __future__ import annotations

from importlib.resources import files

SCHEMAS = ("audit", "baseline", "compare", "diff", "files", "history", "images", "packages", "report", "whatif", "why")


def schema_text(name: str) -> str:
    """Return the JSON Schema of the documents by that name."""
    return (files(__package__) / "schema" / f"{name}.schema.json").read_text(encoding="utf-8")
