"""Stretches of whole minutes, half-open: the arithmetic of open and taken time."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

Stretch = tuple[int, int]
"""Minutes `[since, until)` since 1970: real ones in UTC, or wall ones as a zone's clocks show them."""


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same minutes, in order, with nothing touching or overlapping; empty stretches vanish."""
    whole: list[Stretch] = []
    for since, until in sorted(stretches):
        if since >= until:
            continue
        if whole and since <= whole[-1][1]:
            if until > whole[-1][1]:
                whole[-1] = (whole[-1][0], until)
        else:
            whole.append((since, until))
    return whole


def without(stretches: Sequence[Stretch], taken: Iterable[Stretch]) -> list[Stretch]:
    """What is left of joined `stretches` when the minutes of `taken` are gone."""
    gone = joined(taken)
    if not gone:
        return list(stretches)
    opens, closes = stretches[0][0] if stretches else 0, stretches[-1][1] if stretches else 0
    kept = [
        (since, until)
        for (_, since), (until, _) in pairwise([(opens, opens), *gone, (closes, closes)])
        if since < until
    ]
    return list(shared(stretches, kept))


def shared(stretches: Sequence[Stretch], others: Iterable[Stretch]) -> Iterator[Stretch]:
    """The minutes of joined `stretches` that also lie in one of `others`, part by part."""
    for since, until in others:
        at = max(bisect_left(stretches, (since, since)) - 1, 0)
        while at < len(stretches) and stretches[at][0] < until:
            low, high = max(since, stretches[at][0]), min(until, stretches[at][1])
            if low < high:
                yield low, high
            at += 1
