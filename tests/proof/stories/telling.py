"""Telling a story in every order, and comparing how it ends."""

import math
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice, permutations
from random import Random
from typing import Any

import httpx

from application.payments import ReplayWebhook
from domain.shared.ids import WebhookId
from tests.proof.stories.shop import ADMIN, SETTLES_IN, Moment, Shop, Told
from tests.proof.stories.tales import Story

LONGEST_IN_FULL = 7
"""Stories of up to that many messages are told in every order."""
SAMPLED = 1_500
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
Final = tuple[tuple[str, Any], ...]


@dataclass(slots=True)
class Telling:
    """What came of telling one story."""

    name: str
    messages: int = 0
    orders: int = 0
    runs: int = 0
    finals: dict[Final, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Way:
    """One way of telling: in this order, some messages more than once, with fresh news or old."""

    messages: tuple[Told, ...]
    as_it_stood: bool
    hiccups: int

    def __str__(self) -> str:
        kinds = ", ".join(f"{told.body['kind']}({told.id[-4:]})" for told in self.messages)
        return f"[{kinds}] {'as it stood' if self.as_it_stood else 'asked anew'}, hiccups {self.hiccups}"


@asynccontextmanager
async def opened(instead: Mapping[type, Callable[[Shop], Any]] | None = None, **house: Any) -> AsyncIterator[Shop]:
    """A shop, its gateway's own deliveries unheard."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(503))) as client:
        shop = Shop(client, instead=instead, **house)
        try:
            yield await shop.settle_in()
        finally:
            shop.books.close()


async def tell(
    story: Story,
    *,
    most: int | None = None,
    instead: Mapping[type, Callable[[Shop], Any]] | None = None,
    until_failed: bool = False,
) -> Telling:
    """Tell it in every order (or `most` of them, a seeded sample), on the memory store."""
    result = Telling(story.name)
    async with opened(instead) as shop:
        await story.play(shop)
        messages = messages_of(story, await shop.untold())
        moment = Moment(shop)
        result.messages = len(messages)
        for order in orders(story, messages, most):
            result.orders += 1
            for way in ways(story, order, result.orders):
                moment.restore(shop)
                await _one(story, shop, way, result)
                if len(result.failures) > (0 if until_failed else 3) or (until_failed and len(result.finals) > 1):
                    return _judged(result)
    if story.promptly:
        async with opened(instead) as shop:
            shop.promptly = True
            await story.play(shop)
            await _one(story, shop, Way((), False, 0), result)
    return _judged(result)


def _judged(result: Telling) -> Telling:
    if len(result.finals) > 1:
        result.failures.append(difference(result.finals))
    return result


def messages_of(story: Story, told: list[Told]) -> list[Told]:
    """What is to be told: each change, and where the story has twins, each under a second id too, as far as all orders
    can be told."""
    twins = [each.again(f"{each.id}_twin") for each in told] if story.twins else []
    return told + twins[: max(0, LONGEST_IN_FULL - 1 - len(told))]


def orders(story: Story, messages: list[Told], most: int | None) -> Iterator[tuple[Told, ...]]:
    """Every order of these messages; of too many, a seeded sample."""
    number = math.factorial(len(messages))
    limit = most if most is not None else (number if len(messages) <= LONGEST_IN_FULL else SAMPLED)
    if limit >= number:
        yield from islice(permutations(messages), limit)
        return
    chance = Random(story.name)
    for _ in range(limit):
        yield tuple(chance.sample(messages, len(messages)))


def ways(story: Story, order: tuple[Told, ...], number: int) -> Iterator[Way]:
    """This order once each and with duplicates, with fresh and old news; of many orders, two of the four in turn."""
    doubled = list(order)
    chance = Random(f"{story.name} {number}")
    for told in order:
        if chance.random() < 0.6:
            doubled.insert(chance.randint(doubled.index(told) + 1, len(doubled)), told)
    all_ways = [
        Way(order, False, 0),
        Way(tuple(doubled), True, 3),
        Way(order, True, 0),
        Way(tuple(doubled), False, 2),
    ]
    if len(order) <= 5:
        yield from all_ways
    else:
        yield from all_ways[:2] if number % 2 else all_ways[2:]


async def _one(story: Story, shop: Shop, way: Way, result: Telling) -> None:
    result.runs += 1
    try:
        final = await told_so(story, shop, way)
    except Exception as error:
        result.failures.append(f"{story.name}: {type(error).__name__}: {error} after {way}"[:900])
        return
    result.finals.setdefault(final, str(way))


async def told_so(story: Story, shop: Shop, way: Way) -> Final:
    """How it ends, told that way."""
    shop.gateway.hiccups = way.hiccups
    for told in way.messages:
        await shop.hear(told, as_it_stood=way.as_it_stood)
    shop.gateway.hiccups = 0
    for wait in SETTLES_IN:
        await shop.later(wait)
        for told in await shop.untold():
            await shop.hear(told, as_it_stood=False)
    for row in await shop.all("webhooks"):
        if row["outcome"] == "attention":
            # What needs a person gets one, who looks at it once everything has been told.
            await shop.use(ReplayWebhook)(ADMIN, WebhookId(row["id"]))
            await shop.work()
    await must_be_sound(shop)
    await must_end(story, shop)
    return await final(story, shop)


async def must_be_sound(shop: Shop) -> None:
    """The books balance and say what the gateway says; nothing is left undone, nothing was given up."""
    sums: Counter[str] = Counter()
    gateway = organization = 0
    for row in await shop.all("ledger"):
        sums[str(row["transaction_id"])] += row["amount_minor"]
        if row["source_kind"].startswith(("capture", "refund", "dispute")):
            gateway += row["amount_minor"] if row["account"].startswith("gateway:") else 0
            organization += row["amount_minor"] if row["account"].endswith(":receivable") else 0
    assert not any(sums.values()), "M1: a ledger transaction does not sum to zero"
    payments = await shop.all("payments")
    held = sum(row["captured_minor"] - row["refunded_minor"] - row["disputed_minor"] for row in payments)
    held -= sum(row["fee_minor"] - row["fee_returned_minor"] for row in await shop.all("disputes"))
    assert gateway == held == -organization, f"the ledger says {gateway}, the payments {held}"
    there = await shop.books.do(
        lambda books: books.execute(
            "select (select coalesce(sum(captured - refunded), 0) from payments)"
            " - (select coalesce(sum(taken - returned + fee), 0) from disputes)"
        ).fetchone()[0]
    )
    assert gateway == there, f"M5: the ledger says {gateway}, the gateway {there}"
    await must_be_shared(shop)
    assert all(row["refunding_minor"] == 0 for row in payments), "a refund is still under way"
    for row in await shop.all("outbox"):
        assert row["dead_at"] is None, f"given up: {row['name']}: {row['last_error']}"
        assert row["finished_at"] or row["due_at"] > shop.clock.now(), f"undone: {row['name']}: {row['last_error']}"
    unsettled = [(row["kind"], row["outcome"]) for row in await shop.all("webhooks") if row["outcome"] != "settled"]
    assert not unsettled, f"not settled: {unsettled}"


async def must_be_shared(shop: Shop) -> None:
    """What is on an organization's account, and what was paid out, is what the gateway says; the fee is as agreed."""
    account = sum(row["amount_minor"] for row in await shop.all("ledger") if row["account"].endswith(":account"))
    there = 0
    for row in await shop.all("payees"):
        there += (await shop.payees.balance(row["gateway_ref"])).get("EUR", 0)
        stands = await shop.payees.find(row["gateway_ref"])
        assert (row["takes_charges"], row["pays_out"]) == (stands.takes_charges, stands.pays_out), "it stands otherwise"
    assert account == there, f"M5: the ledger has {account} on the account, the gateway {there}"
    paid = sum(row["amount_minor"] for row in await shop.all("payouts") if row["state"] == "paid")
    bank = sum(row["amount_minor"] for row in await shop.all("ledger") if row["account"].endswith(":bank"))
    assert bank == paid, f"M4: the ledger has {bank} paid out, the payouts {paid}"
    earned = -sum(row["amount_minor"] for row in await shop.all("ledger") if row["account"] == "platform:fees")
    agreed = 0
    for row in await shop.all("payments"):
        if row["share"] is not None and row["state"] == "captured":
            fee, whole = row["share"]["fee"]["amount_minor"], row["captured_minor"]
            returned = (2 * fee * row["refunded_minor"] + whole) // (2 * whole)
            agreed += fee - (returned if row["share"]["back"] == "in_proportion" else 0)
    assert earned == agreed, f"M6: the platform keeps {earned}, agreed on were {agreed}"


async def must_end(story: Story, shop: Shop) -> None:
    """The story ends as it should."""
    booking = next(row for row in await shop.all("bookings") if row["customer_id"] == shop.carl.user_id)
    payment = next(row for row in await shop.all("payments") if row["booking_id"] == booking["id"])
    figures = tuple(payment[f"{figure}_minor"] for figure in ("captured", "refunded", "disputed"))
    ended = (booking["state"], payment["state"], *figures)
    ends = story.ends
    wanted = (ends.booking, ends.payment, ends.captured, ends.refunded, ends.disputed)
    assert ended == wanted, f"it ended {ended}, not {wanted}"
    for row in await shop.all("disputes"):
        told = (row["state"], row["submitted_at"] is not None)
        assert told == (ends.dispute, ends.answered), f"the dispute ended {told}"


async def final(story: Story, shop: Shop, *, alone: bool = True) -> Final:
    """All that is left of a story, without ids and instants. Of several told at once (not `alone`) one may tell more
    often what is passing in another."""
    users = {row["id"]: row["email"] for row in await shop.all("users")}
    notices = Counter((users[row["user_id"]], row["kind"]) for row in await shop.all("notifications"))
    twice = [notice for notice, many in notices.items() if notice[1] in story.passing and many > _most(notice[1])]
    assert not (alone and twice), f"told too often: {twice}"
    mails = [row for row in await shop.all("mails") if row["template"] not in story.passing]
    sent = Counter((mail.template, mail.to, tuple(file.name for file in mail.attachments)) for mail in shop.mailer.sent)
    assert len(shop.mailer.sent) == sum(row["state"] == "sent" for row in await shop.all("mails"))
    keys = Counter((row["template"], row["transition"], row["to"]) for row in await shop.all("mails"))
    assert not keys or max(keys.values()) == 1, "a mail was sent twice"
    balances: Counter[str] = Counter()
    for row in await shop.all("ledger"):
        first, _, rest = row["account"].partition(":")
        balances[f"{first} {rest.rpartition(':')[2]}"] += row["amount_minor"]
    parts: dict[str, list[Any]] = {
        "bookings": [
            (users[row["customer_id"]], row["state"], row["active"], row["paid"], row["refund_minor"])
            for row in await shop.all("bookings")
        ],
        "payments": [
            (row["state"], row["captured_minor"], row["refunding_minor"], row["refunded_minor"], row["failure"])
            for row in await shop.all("payments")
        ],
        "refunds": [
            (row["amount_minor"], row["state"], row["reason"], row["failure"]) for row in await shop.all("refunds")
        ],
        "ledger": [(account, amount) for account, amount in balances.items() if amount],
        "payees": [(row["state"], row["takes_charges"]) for row in await shop.all("payees")],
        "payouts": [(row["amount_minor"], row["state"], row["failure"]) for row in await shop.all("payouts")],
        "disputes": [
            (row["state"], row["taken_minor"], row["returned_minor"], row["fee_minor"], row["failure"])
            for row in await shop.all("disputes")
        ],
        "warnings": [(row["reason"], row["actionable"]) for row in await shop.all("fraud_warnings")],
        "notices": [(notice, many) for notice, many in notices.items() if notice[1] not in story.passing],
        "mails": [(row["template"], _UUID.sub("*", row["transition"]), row["to"], row["state"]) for row in mails],
        "sent": [(mail, many) for mail, many in sent.items() if mail[0] not in story.passing],
    }
    return tuple((name, tuple(sorted(part, key=repr))) for name, part in parts.items())


def _most(kind: str) -> int:
    """How often passing news may come: a card is refused, and an account stands otherwise, several times; money comes
    and goes once."""
    return 3 if kind in ("payment.failed", "payee.moved") else 1


def difference(finals: dict[Final, str]) -> str:
    """What tells the first two final states apart, and how each came about."""
    (one, way), (other, way_other), *_ = finals.items()
    parts = [f"{name}: {a} <> {dict(other)[name]}" for name, a in one if dict(other)[name] != a]
    return f"{len(finals)} final states; {'; '.join(parts)}; told {way} and {way_other}"[:1500]
