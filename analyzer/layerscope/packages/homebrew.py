"""Which Homebrew formulae are installed, and who asked for them?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layerscope.model import Package
from layerscope.packages.database import MAX_RECORDS, Database, View
from layerscope.packages.paths import parent
from layerscope.packages.purl import purl
from layerscope.packages.text import load_json, text

if TYPE_CHECKING:
    from collections.abc import Iterator

_RECEIPT = b"/INSTALL_RECEIPT.json"


def read(view: View) -> Iterator[Package]:
    """Yield the installed formulae: `Cellar/NAME/VERSION` and all below it."""
    for count, path in enumerate(sorted(path for path in view.files if path.endswith(_RECEIPT))):
        if count == MAX_RECORDS:
            view.note(path, f"only the first {MAX_RECORDS} formulae were read")
            return
        folder = parent(path)
        name, version = (text(part) for part in folder.split(b"/")[-2:])
        receipt = view.parsed(path, _receipt)
        if receipt is None or not name or not version:
            continue
        asked = receipt.get("installed_on_request") is True
        automatic = receipt.get("installed_as_dependency") is True
        needs = receipt.get("runtime_dependencies")
        names = [
            text(one.get("full_name")).rpartition("/")[2]
            for one in (needs if isinstance(needs, list) else ())
            if isinstance(one, dict)
        ]
        yield Package(
            type="brew",
            name=name,
            version=version,
            arch=text(receipt.get("arch")) or None,
            purl=purl("brew", None, name, version),
            origin=path,
            location=folder,
            trees=(folder,),
            requires=tuple(dict.fromkeys(filter(None, names))),
            reason="asked" if asked else "dependency" if automatic else None,
            evidence="brew: installed on request" if asked else "brew: installed as a dependency" if automatic else None,
        )


def _receipt(content: bytes, _problems: list[str]) -> dict[str, Any] | None:
    document = load_json(content)
    return document if isinstance(document, dict) else None


HOMEBREW = Database("homebrew", ("**/Cellar/*/*/INSTALL_RECEIPT.json",), read)
