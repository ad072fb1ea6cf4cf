"""What was odd on the way? Collects notes without letting a hostile input drown the report in them."""

from __future__ import annotations

from collections import Counter

from layerscope.model import Level, Note

KEPT_PER_ID = 20


class Notebook:
    """Notes in the order they came; of one id at most `KEPT_PER_ID`, then a count."""

    def __init__(self) -> None:
        self._notes: list[Note] = []
        self._seen: Counter[tuple[str, Level]] = Counter()

    def add(
        self,
        id: str,  # noqa: A002
        level: Level,
        message: str,
        *,
        path: bytes | None = None,
        offset: int | None = None,
        layer: int | None = None,
    ) -> None:
        """Add a note."""
        self._seen[id, level] += 1
        if self._seen[id, level] <= KEPT_PER_ID:
            self._notes.append(Note(id, level, message, layer, path, offset))

    def info(self, id: str, message: str, *, path: bytes | None = None, offset: int | None = None) -> None:  # noqa: A002
        """Add what a reader may like to know."""
        self.add(id, Level.INFO, message, path=path, offset=offset)

    def warn(self, id: str, message: str, *, path: bytes | None = None, offset: int | None = None) -> None:  # noqa: A002
        """Add what a reviewer should look at; everything was read."""
        self.add(id, Level.WARNING, message, path=path, offset=offset)

    def fail(self, id: str, message: str, *, path: bytes | None = None, offset: int | None = None) -> None:  # noqa: A002
        """Add what could not be read: the report is not complete."""
        self.add(id, Level.ERROR, message, path=path, offset=offset)

    def extend(self, notes: tuple[Note, ...]) -> None:
        """Add notes that were collected elsewhere, as they are."""
        self._notes.extend(notes)

    def freeze(self) -> tuple[Note, ...]:
        """Return the notes, and for each id that was cut short how many more there were."""
        more = (
            Note(id, level, f"{count - KEPT_PER_ID} more notes of this kind")
            for (id, level), count in self._seen.items()  # noqa: A001
            if count > KEPT_PER_ID
        )
        return (*self._notes, *more)
