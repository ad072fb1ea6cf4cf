"""How is an audit told? `AUDIT_FORMATS` maps the name of each format to the function that writes it."""

from __future__ import annotations

from collections.abc import Callable

from layerscope.audit import Audit
from layerscope.render.audit.document import audit_json, baseline_json
from layerscope.render.audit.markdown import audit_markdown
from layerscope.render.audit.places import exit_code
from layerscope.render.audit.table import audit_csv
from layerscope.render.audit.text import audit_text
from layerscope.render.options import Options

__all__ = ["AUDIT_FORMATS", "baseline_json", "exit_code"]

AUDIT_FORMATS: dict[str, Callable[[Audit, Options], str]] = {
    "text": audit_text,
    "json": audit_json,
    "markdown": audit_markdown,
    "csv": audit_csv,
}
