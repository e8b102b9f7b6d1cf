"""One client's sessions in the order they were made, with the indexes that lists are answered from."""

from bisect import bisect_right
from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from sandbox.numbers import Buckets, Numbers, Row


class Listed(Protocol):
    """What a register needs to know of a session."""

    @property
    def number(self) -> int: ...

    @property
    def id(self) -> str: ...

    @property
    def created_at(self) -> datetime: ...


T = TypeVar("T", bound=Listed)


class Register(Generic[T]):
    """Sessions by number, by id, by status and by what they carry. Never scans."""

    def __init__(self) -> None:
        self._sessions: list[T] = []
        self._made_at: list[datetime] = []
        self._by_id: dict[str, T] = {}
        self._by_status: dict[str, Buckets] = {}
        # A mark that only one session bears (most do) is kept as a bare number: a list each would double the memory.
        self._by_mark: dict[Hashable, int | list[int]] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __getitem__(self, number: int) -> T:
        return self._sessions[number]

    def find(self, session_id: str) -> T | None:
        return self._by_id.get(session_id)

    def add(self, session: T, status: str, marks: list[Hashable]) -> None:
        self._sessions.append(session)
        self._made_at.append(session.created_at)
        self._by_id[session.id] = session
        self.with_status(status).add(session.number)
        for mark in marks:
            self._mark(mark, session.number)

    def _mark(self, mark: Hashable, number: int) -> None:
        borne = self._by_mark.get(mark)
        if borne is None:
            self._by_mark[mark] = number
        elif isinstance(borne, list):
            borne.append(number)
        else:
            self._by_mark[mark] = [borne, number]

    def move(self, session: T, old: str, new: str) -> None:
        self.with_status(old).remove(session.number)
        self.with_status(new).add(session.number)

    def all(self) -> Numbers:
        return Row(range(len(self._sessions)))

    def with_status(self, status: str) -> Buckets:
        return self._by_status.setdefault(status, Buckets())

    def with_mark(self, mark: Hashable) -> Numbers:
        borne = self._by_mark.get(mark, [])
        return Row(borne if isinstance(borne, list) else [borne])

    def first_made_after(self, when: datetime) -> int:
        """The number of the first session made later than this."""
        return bisect_right(self._made_at, when)

    def select(self, wanted: Callable[[T], bool]) -> Callable[[int], bool]:
        """A test on sessions as a test on their numbers."""
        return lambda number: wanted(self._sessions[number])
