"""A storm: which stories are under way at once, and what becomes of their messages before they reach us."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from tests.proof.stories.shares import STORIES
from tests.proof.stories.shop import Told
from tests.proof.stories.tales import Story

MOST_STORIES = 4
SOME = tuple(story for story in STORIES if not story.only_told)
QUICK = tuple(story for story in SOME if not story.takes_time)
LONGEST_DELAY = timedelta(days=3)
DELAYS = (timedelta(seconds=30), timedelta(minutes=20), timedelta(hours=3), LONGEST_DELAY)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it comes: how long after the one before it, and whether what it is about is found as it stood when
    it was written."""

    told: Told
    after: timedelta = timedelta()
    as_it_stood: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """What arrives, in this order. What is lost never does; `forgotten` says that the gateway keeps no list of what it
    could not deliver, `early` that the books are compared before anything is tried again."""

    arrivals: tuple[Arrival, ...]
    lost: tuple[Told, ...] = ()
    hiccups: int = 0
    forgotten: bool = False
    early: bool = False

    @property
    def holds_up(self) -> bool:
        """Whether news comes so late that people are told of other things meanwhile."""
        return bool(self.lost) or any(arrival.after for arrival in self.arrivals)

    def __str__(self) -> str:
        came = ", ".join(
            f"{arrival.told.body['kind']}({arrival.told.id[-6:]})"
            + (f" after {arrival.after}" if arrival.after else "")
            + (" as it stood" if arrival.as_it_stood else "")
            for arrival in self.arrivals
        )
        lost = ", ".join(f"{told.body['kind']}({told.id[-6:]})" for told in self.lost)
        how = [word for word, so in (("forgotten", self.forgotten), ("early", self.early)) if so]
        return f"[{came}] lost [{lost}] hiccups {self.hiccups} {' '.join(how)}"


def a_set(seed: object) -> tuple[Story, ...]:
    """Some stories, told at once; one can be there twice. In at most one of them time passes, and it comes first: what
    others had under way would end in it."""
    chance = Random(f"set {seed}")
    first = chance.choice(SOME)
    return first, *(chance.choice(QUICK) for _ in range(chance.randint(0, MOST_STORIES - 1)))


def storms(seed: object, messages: Sequence[Told], count: int) -> Iterator[Storm]:
    """What can become of these messages."""
    for number in range(count):
        yield storm(Random(f"storm {seed} {number}"), messages)


def storm(chance: Random, messages: Sequence[Told]) -> Storm:
    """One of them."""
    loses, holds_up = chance.random() < 0.6, chance.random() < 0.5
    lost = [told for told in messages if loses and chance.random() < 0.4]
    coming = [told for told in messages if told not in lost]
    copies = [told for told in coming for _ in range(chance.choice((0, 0, 1, 2)))]
    renamed = [told.again(f"{told.id}_{n}") for n, told in enumerate(coming) if chance.random() < 0.3]
    arriving = [*coming, *copies, *renamed]
    chance.shuffle(arriving)
    return Storm(
        arrivals=tuple(
            Arrival(
                told,
                after=chance.choice(DELAYS) if holds_up and chance.random() < 0.2 else timedelta(),
                as_it_stood=chance.random() < 0.4,
            )
            for told in arriving
        ),
        lost=tuple(lost),
        hiccups=chance.choice((0, 0, 2, 3)),
        forgotten=chance.random() < 0.5,
        early=chance.random() < 0.5,
    )


def calm(messages: Sequence[Told]) -> Storm:
    """Everything once, in order, at once."""
    return Storm(arrivals=tuple(Arrival(told) for told in messages))
