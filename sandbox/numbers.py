"""Sets of session numbers that stay in order, so that a page of a list costs the page and not the list."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Protocol

_SHIFT = 10  # buckets of 1,024 numbers: a change moves at most that many


class Numbers(Protocol):
    """Ascending whole numbers that can be walked from either end, within bounds, from the n-th on."""

    def __len__(self) -> int: ...

    def walk(self, low: int, high: int, *, newest_first: bool, skip: int = 0) -> Iterator[int]:
        """Those with low <= number < high."""
        ...


class Row:
    """Numbers that are a sequence already (a list that only grows, or a range)."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def walk(self, low: int, high: int, *, newest_first: bool, skip: int = 0) -> Iterator[int]:
        start, stop = bisect_left(self._numbers, low), bisect_left(self._numbers, high)
        places = range(stop - 1 - skip, start - 1, -1) if newest_first else range(start + skip, stop)
        return map(self._numbers.__getitem__, places)


class Buckets:
    """Numbers that come and go. Whole buckets are skipped unread, so deep pages are cheap too."""

    def __init__(self) -> None:
        self._buckets: list[list[int]] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, number: int) -> None:
        place = number >> _SHIFT
        while len(self._buckets) <= place:
            self._buckets.append([])
        insort(self._buckets[place], number)
        self._count += 1

    def remove(self, number: int) -> None:
        bucket = self._buckets[number >> _SHIFT]
        del bucket[bisect_left(bucket, number)]
        self._count -= 1

    def walk(self, low: int, high: int, *, newest_first: bool, skip: int = 0) -> Iterator[int]:
        first, last = max(low, 0) >> _SHIFT, min(max(high, 0) >> _SHIFT, len(self._buckets) - 1)
        places = range(last, first - 1, -1) if newest_first else range(first, last + 1)
        for place in places:
            bucket = self._buckets[place]
            if place in {first, last}:
                bucket = bucket[bisect_left(bucket, low) : bisect_left(bucket, high)]
            if skip >= len(bucket):
                skip -= len(bucket)
                continue
            yield from islice(reversed(bucket) if newest_first else iter(bucket), skip, None)
            skip = 0
