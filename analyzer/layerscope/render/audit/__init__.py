"""How is an audit told? `AUDIT_FORMATS` maps the name of each format to the function that writes it."""

from __future__ import annotations

from collections.abc import Callable

from layerscope.audit import Audit
from layerscope.render.audit.document import audit_json, baseline_json
from layerscope.render.audit.github import audit_github, summary_github
from layerscope.render.audit.gitlab import audit_gitlab
from layerscope.render.audit.junit import audit_junit
from layerscope.render.audit.markdown import audit_markdown
from layerscope.render.audit.places import exit_code
from layerscope.render.audit.sarif import audit_sarif
from layerscope.render.audit.scanning import audit_scanning
from layerscope.render.audit.table import audit_csv
from layerscope.render.audit.text import audit_text
from layerscope.render.options import Options

__all__ = ["AUDIT_FORMATS", "baseline_json", "exit_code", "summary_github"]

AUDIT_FORMATS: dict[str, Callable[[Audit, Options], str]] = {
    "text": audit_text,
    "json": audit_json,
    "markdown": audit_markdown,
    "csv": audit_csv,
    "sarif": audit_sarif,
    "junit": audit_junit,
    "github": audit_github,
    "gitlab": audit_gitlab,
    "container-scanning": audit_scanning,
}
