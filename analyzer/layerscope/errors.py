"""Which errors can a caller meet?

    LayerscopeError
    |- ArchiveError          not an image, or a damaged one: what, where, what to try
    |  |- UnsupportedError   understood, not handled (an encrypted layer, a schema 1 manifest)
    |  '- LimitError         would pass a limit; names the limit that raises it
    |- SelectionError        several images to choose from, or none by that name
    |- PolicyError           the policy file is wrong
    '- ExtraMissingError     an optional dependency is not installed

Anything odd but survivable is a `layerscope.model.Note` on the image instead.
"""

from __future__ import annotations


class LayerscopeError(Exception):
    """Base of every error that layerscope raises on purpose."""


class ArchiveError(LayerscopeError):
    """The input is no image, or is damaged beyond a partial report."""

    def __init__(self, message: str, *, id: str = "", offset: int | None = None) -> None:  # noqa: A002
        super().__init__(message)
        self.id = id
        self.offset = offset


class UnsupportedError(ArchiveError):
    """The input is understood, and is of a kind that layerscope does not read."""


class LimitError(ArchiveError):
    """Reading on would pass a limit.

    `limit` is the limit's name, as `--limit NAME=VALUE` takes it.
    """

    def __init__(self, message: str, *, limit: str, offset: int | None = None, id: str = "E10") -> None:  # noqa: A002
        super().__init__(f"{message} (--limit {limit}=VALUE raises the limit)", id=id, offset=offset)
        self.limit = limit


class SelectionError(LayerscopeError):
    """The archive holds several images and none was chosen, or the chosen one is not there.

    `choices` are lines for people: one image each.
    """

    def __init__(self, message: str, choices: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.choices = choices


class PolicyError(LayerscopeError):
    """The policy file is wrong: file, key, what was expected."""


class ExtraMissingError(LayerscopeError):
    """An optional dependency is missing; the message says what to install."""


def no_such_layer(asked: int, layers: int) -> SelectionError:
    """Return what to say of a layer's position that an image of so many layers does not have."""
    return SelectionError(
        f"there is no layer {asked}: " + (f"the last one is {layers - 1}" if layers else "the image has none")
    )
