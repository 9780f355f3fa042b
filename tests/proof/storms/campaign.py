"""Playing storms: a set of stories is played once, then its messages are told calmly, and by storm after storm."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from adapters.simulated_gateway import SimulatedRecords
from application.payments import Reconcile, ReplayWebhook
from application.ports.payments import GatewayUnavailable
from application.ports.reconciling import Sheet, Unheard
from domain.payments import Reconciliation
from domain.shared.ids import WebhookId
from domain.shared.time import Span
from tests.planted.payments import PLANTED, instead
from tests.planted.reconciling import CARELESS
from tests.proof.stories.quiet import quietly
from tests.proof.stories.shop import ADMIN, SETTLES_IN, Moment, Shop
from tests.proof.stories.tales import Story
from tests.proof.stories.telling import Final, difference, final, must_be_sound, opened
from tests.proof.storms.weather import Storm, a_set, calm, storms

PER_SET = 5
"""Storms over one set of stories, once it is played."""
MOST_PLANTED = 60
"""Sets in which a planted bug has to show."""
AWAY_AT_MOST = 5
"""How often a gateway can be away while the books are compared; each time it goes on where it was left."""
ASIDE = (
    "a dispute booked with every message",
    "evidence taken for given after its deadline",
    "more taken than was decided",
    "what waited for a dispute forgotten",
)
"""Bugs that show in stories no storm tells: of disputes only messages tell, and those of captures are told in order."""
MENDED = (
    "a refund before its payment is nobody's",
    "a returned refund stays gone",
    "an account stands as the message says",
)
"""Bugs of hearing that show in no storm, because comparing the books mends what they do."""
_WHATEVER_IS_HEARD = ("notices", "mails", "sent")

Replaced = Mapping[type, Callable[[Shop], Any]]
Walk = Callable[[Shop, Span], Any]


@dataclass(slots=True)
class Stormy:
    """What came of some storms."""

    sets: int = 0
    storms: int = 0
    messages: int = 0
    lost: int = 0
    fetched: int = 0
    repaired: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, other: "Stormy") -> None:
        """Take that in."""
        for name in ("sets", "storms", "messages", "lost", "fetched", "repaired"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.failures += other.failures


class Forgetful(SimulatedRecords):
    """A gateway that keeps no list of what it could not deliver."""

    async def unheard(self, span: Span, after: str | None) -> Sheet[Unheard]:
        return Sheet([])


def played(seeds: range) -> Stormy:
    """Those sets, in a process of their own."""
    quietly()
    came = Stormy()
    for seed in seeds:
        came.add(asyncio.run(stormed(seed)))
    return came


def noticed(name: str) -> int | None:
    """After how many storms that planted bug is noticed; None when it is not."""
    quietly()
    return asyncio.run(_noticed(name))


async def _noticed(name: str) -> int | None:
    replaced = instead(PLANTED[name]) if name in PLANTED else None
    tried = 0
    for seed in range(MOST_PLANTED):
        came = await stormed(f"planted {seed}", replaced=replaced, walk=CARELESS.get(name, reconciled))
        tried += came.storms
        if came.failures:
            return tried
    return None


async def stormed(seed: object, *, replaced: Replaced | None = None, walk: Walk | None = None) -> Stormy:
    """One set of stories in `PER_SET` storms; the last word has to be that of calm weather."""
    stories, came = a_set(seed), Stormy(sets=1)
    async with opened(replaced) as shop:
        first = shop.clock.now()
        for number, story in enumerate(stories):
            if number:
                await shop.next_story()
            await story.play(shop)
        messages = await shop.untold()
        moment, finals = Moment(shop), {}
        for storm in (calm(messages), *storms(seed, messages, PER_SET)):
            moment.restore(shop)
            came.storms += bool(finals)
            came.messages += len(storm.arrivals)
            came.lost += len(storm.lost)
            try:
                run = await weathered(shop, storm, first, walk or reconciled)
                end = await _end(stories, shop)
            except Exception as error:
                came.failures.append(_told(stories, f"{type(error).__name__}: {error}", storm))
                return came
            came.fetched, came.repaired = came.fetched + run.fetched, came.repaired + run.repaired
            finals.setdefault(end if not storm.holds_up else _core(end), storm)
            if not finals_agree(finals):
                came.failures.append(_told(stories, _unlike(finals), storm))
                return came
    return came


async def weathered(shop: Shop, storm: Storm, first: Any, walk: Walk) -> Reconciliation:
    """The storm passes, what was put off is tried again, the books are compared; then they must be as they should."""
    shop.ports["gateway_records"] = Forgetful(shop.books) if storm.forgotten else SimulatedRecords(shop.books)
    shop.use._built.clear()
    shop.gateway.hiccups = storm.hiccups
    for arrival in storm.arrivals:
        for wait in _steps(arrival.after):
            await shop.later(wait)
        await shop.hear(arrival.told, as_it_stood=arrival.as_it_stood)
    shop.gateway.hiccups = 0
    run = None
    if storm.early:
        run = await walk(shop, Span(first, shop.clock.now() + timedelta(seconds=1)))
    for wait in SETTLES_IN:
        await shop.later(wait)
        for told in await shop.untold():
            await shop.hear(told, as_it_stood=False)
    late = await walk(shop, Span(first, shop.clock.now() + timedelta(seconds=1)))
    await shop.later(timedelta(hours=1))
    for told in await shop.untold():
        await shop.hear(told, as_it_stood=False)
    await _nothing_left(shop, first)
    return late if run is None else run


def _steps(whole: timedelta) -> Iterator[timedelta]:
    """Time does not leap: whatever is due on the way is done on the way."""
    for step in SETTLES_IN:
        if whole > timedelta():
            yield min(step, whole)
            whole -= step
    if whole > timedelta():
        yield whole


async def reconciled(shop: Shop, span: Span) -> Reconciliation:
    """Our books are held against the gateway's, as often as it takes, and what follows from it follows."""
    shop.clock.set(span.ends_at)
    for _ in range(AWAY_AT_MOST):
        with suppress(GatewayUnavailable):
            run = await shop.use(Reconcile)(ADMIN, span)
            await shop.work()
            return run
    raise AssertionError("it does not come to an end")


async def _nothing_left(shop: Shop, first: Any) -> None:
    """What needs a person gets one; then another look finds nothing, and the books are sound."""
    for row in await shop.all("webhooks"):
        if row["outcome"] == "attention":
            await shop.use(ReplayWebhook)(ADMIN, WebhookId(row["id"]))
            await shop.work()
    last = await reconciled(shop, Span(first, shop.clock.now() + timedelta(seconds=1)))
    assert (last.fetched, last.repaired, last.filed) == (0, 0, 0), "a second look still found something"
    filed = [row["said"] for row in await shop.all("discrepancies") if row["closed_at"] is None]
    assert not filed, f"left to a person: {filed}"
    await must_be_sound(shop)


async def _end(stories: tuple[Story, ...], shop: Shop) -> Final:
    passing = frozenset().union(*(story.passing for story in stories))
    told = Story(name="all of them", play=stories[0].play, ends=stories[0].ends, passing=passing)
    return await final(told, shop, alone=len(stories) == 1)


def _core(end: Final) -> Final:
    """Without what people were told: late news has them told of other things meanwhile."""
    return tuple((name, part) for name, part in end if name not in _WHATEVER_IS_HEARD)


def finals_agree(finals: Mapping[Final, Storm]) -> bool:
    """Whether all ends are one, as far as each tells."""
    return len({_core(end) for end in finals}) == 1 and len({end for end in finals if _core(end) != end}) <= 1


def _unlike(finals: Mapping[Final, Storm]) -> str:
    whole = {end: str(storm) for end, storm in finals.items() if _core(end) != end}
    if len(whole) > 1:
        return difference(whole)
    return difference({_core(end): str(storm) for end, storm in finals.items()})


def _told(stories: tuple[Story, ...], what: str, storm: Storm) -> str:
    return f"{' + '.join(story.name for story in stories)}: {what} in {storm}"[:1600]
