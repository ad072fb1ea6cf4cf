"""A stand-in for the API, so that the command line is tested alone."""

from __future__ import annotations

import sys
import types
from dataclasses import dataclass

import layerscope.cli
import pytest
from render import specimens


@dataclass
class Summary:
    names: tuple
    platform: str
    config_digest: str
    layers: int
    complete: bool
    layout: str


@pytest.fixture
def api(monkeypatch):
    fake = types.ModuleType("layerscope.api")
    fake.made = specimens.fat_report()
    fake.calls = []

    def load(source, **options):
        fake.calls.append((source, options))
        if getattr(fake, "error", None):
            raise fake.error
        return fake.made.image

    fake.load = load
    fake.analyze = lambda image, **options: fake.made
    fake.list_files = lambda image, **options: specimens.some_files()
    fake.list_images = lambda source, **options: (
        Summary(("a:1", specimens.HOSTILE), "linux/amd64", "sha256:" + "a" * 64, 3, True, "docker"),
        Summary((), "linux/arm64", "sha256:" + "b" * 64, 3, False, "docker"),
    )
    monkeypatch.setitem(sys.modules, "layerscope.api", fake)
    monkeypatch.setattr(layerscope, "api", fake, raising=False)
    _forget_verbs()
    yield fake
    _forget_verbs()


def _forget_verbs():
    sys.modules.pop("layerscope.cli.verbs", None)
    vars(layerscope.cli).pop("verbs", None)
