"""Which secrets stand in an image's config and history, and what do these texts say without them?

Whoever loads an image gets it veiled: what comes after, every renderer and whatever is remembered, never has the secrets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace

from layerscope.model import Config, Image, Told
from layerscope.secrets.context import weigh
from layerscope.secrets.masks import ANYWHERE, MASK, mask
from layerscope.secrets.names import bare, is_secret, secret_assignments
from layerscope.secrets.search import search

_LEAST = 6
"""Letters of a secret that is looked for in other texts: a shorter one is part of too many words."""
_MOST = 100
_LONG = 15
Mask = Callable[[str], str]


def veil(image: Image) -> Image:
    """Return an image in whose texts secrets are `***`; its `told` says which stood there, and where."""
    known = _known(image)

    def shown(text: str) -> str:
        return mask(text, known)

    def maybe(text: str | None) -> str | None:
        return None if text is None else shown(text)

    return replace(
        image,
        config=_veil_config(image.config, shown),
        history=tuple(
            replace(row, instruction=shown(row.instruction), created_by=maybe(row.created_by), comment=maybe(row.comment))
            for row in image.history
        ),
        layers=tuple(
            replace(layer, instruction=shown(layer.instruction), created_by=maybe(layer.created_by)) for layer in image.layers
        ),
        told=(*_named(image), *_formed(image)),
    )


def _known(image: Image) -> list[str]:
    """Return the values of secrets that their names give away, longest first: they may stand elsewhere without the name."""
    pairs = [*_variables(image.config), *image.config.labels.items(), *image.config.annotations.items()]
    values = {bare(value) for name, value in pairs if is_secret(name, value)}
    for row in image.history:
        values.update(value for _, value in secret_assignments(row.created_by or ""))
    return sorted((value for value in values if len(value) >= _LEAST), key=lambda value: (-len(value), value))[:_MOST]


def _variables(config: Config) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (variable.partition("=") for variable in config.env)]


def _veil_config(config: Config, shown: Mask) -> Config:
    """Return a config in which every text is masked; of a name that gives its value away the whole value."""

    def value_of(name: str, value: str) -> str:
        return MASK if is_secret(name, value) else shown(value)

    changed: dict[str, object] = {"env": tuple(f"{name}={value_of(name, value)}" for name, value in _variables(config))}
    for field in fields(config):
        held = getattr(config, field.name)
        if isinstance(held, Mapping):
            changed[field.name] = {name: value_of(name, value) for name, value in held.items()}
        elif isinstance(held, tuple):
            changed.setdefault(field.name, tuple(map(shown, held)))
        elif isinstance(held, str):
            changed[field.name] = shown(held)
    return replace(config, **changed)  # type: ignore[arg-type] # each of the kind that it was


def _named(image: Image) -> Iterator[Told]:
    """Yield secrets by their names, wherever the config has texts."""
    seen = set()
    for name, value in _variables(image.config):
        if is_secret(name, value):
            seen.add(name)
            yield Told("secret-env", "error", "a secret in the image's environment", name)
    for name, value in (*image.config.labels.items(), *image.config.annotations.items()):
        if is_secret(name, value):
            yield Told("secret-label", "error", "a secret in a label", name)
    for row in image.history:
        for name, _ in secret_assignments(row.created_by or ""):
            if name not in seen:
                seen.add(name)
                yield Told("secret-history", "error", "a secret in the history, where everybody reads it", name, row.layer)


def _formed(image: Image) -> Iterator[Told]:
    """Yield secrets by their form: tokens, keys, passwords in addresses."""
    for text, where, layer in _texts(image):
        for hit in search(text.encode("utf-8", "surrogatepass"), ANYWHERE):
            level = weigh(hit.level, b"", hit.value, free=hit.secret.id == "url-credentials")
            if level is not None:
                yield Told(hit.secret.id, level, hit.secret.title, where, layer)


def _texts(image: Image) -> Iterator[tuple[str, str, int | None]]:
    """Yield every text of the config, what it is, for people, and the layer that it made."""
    config = image.config
    for name, value in _variables(config):
        yield value, f"ENV {name}", None
    for kind, table in (("label", config.labels), ("annotation", config.annotations)):
        for name, value in table.items():
            yield value, f"{kind} {name}", None
    yield "\0".join((*config.cmd, *config.entrypoint)), "CMD or ENTRYPOINT", None
    yield "\0".join((config.healthcheck or "", *config.onbuild)), "HEALTHCHECK or ONBUILD", None
    told = sorted({value for _, value in _variables(config) if len(value) > _LONG}, key=len)[-_MOST:]
    for number, row in enumerate(image.history):
        text = row.created_by or ""
        if not any(value in text for value in told):
            yield text, f"row {number} of the history", row.layer
