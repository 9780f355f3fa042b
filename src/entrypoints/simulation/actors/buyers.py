"""Buyers: they buy plans at the gateway's till, which fail and recover and end there; we only hear of it."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

from domain.billing import SubscriptionState
from domain.shared.errors import Refusal
from entrypoints.container.simulating import Dice
from entrypoints.simulation.actors.customers import PAUSES
from entrypoints.simulation.people import Act, Person, some

PRICES = ("solo_month_eur", "solo_year_eur", "team_month_eur", "team_month_usd")
BAD, GOOD = SubscriptionState.PAST_DUE, SubscriptionState.ACTIVE


async def buy(me: Person, dice: Dice, mark: str) -> None:
    """Buy a plan, at times by asking twice at once; pay for it at once, by a way that takes days, too late, or not."""
    email = dice.choice((f"b{mark.strip('#')}@town.example", "buyer@town.example"))
    wanted = {"price": dice.choice(PRICES), "email": email, "organization_name": f"Business {mark}"}

    def ask() -> Any:
        return me.ask("POST", "/v1/stripe/checkout", wanted, key=mark, signed=False)

    answers = await asyncio.gather(*(ask() for _ in range(dice.choice((1, 1, 2)))))
    urls = {answer.body["url"] for answer in answers if answer is not None and answer.fine}
    if len(urls) > 1:
        me.world.fail("E1 on the wire", f"one key opened {len(urls)} tills: {sorted(urls)}")
    for url in urls:
        await asyncio.sleep(dice.choice(PAUSES))
        await _at_the_till(me, dice, url.rpartition("/")[2])


async def _at_the_till(me: Person, dice: Dice, ref: str) -> None:
    till = me.world.scene.billing
    with suppress(Refusal):  # somebody else has closed it meanwhile
        match dice.choice(("pays", "pays", "pays", "pays", "waits", "leaves", "lapses")):
            case "pays":
                bought = await till.complete(ref, paid=True)
                if bought.subscription_ref is not None and dice.random() < 0.6:
                    await asyncio.sleep(dice.choice((0.0, 1.0, 3600.0)))
                    await _renew(me, dice, bought.subscription_ref)
            case "waits":
                await till.complete(ref, paid=False)
                await asyncio.sleep(dice.choice((60.0, 7200.0, 90_000.0)))
                await till.arrive(ref, paid=dice.random() < 0.7)
            case "lapses":
                await till.lapse(ref)


async def fall_behind(me: Person, dice: Dice, _: str) -> None:
    """A renewal fails at the gateway; most recover, some end, some are told of both at once."""
    ref = _one_of(me, dice, GOOD, SubscriptionState.TRIALING)
    if ref is not None:
        await _renew(me, dice, ref)


async def _renew(me: Person, dice: Dice, ref: str) -> None:
    await me.world.scene.billing.move(ref, BAD)
    await asyncio.sleep(dice.choice((0.0, 0.5, 600.0, 50_000.0)))
    await me.world.scene.billing.move(ref, GOOD if dice.random() < 0.7 else SubscriptionState.CANCELED)


async def end_it(me: Person, dice: Dice, _: str) -> None:
    """Cancel at the gateway: now, or at the end of what is paid for; or change one's mind, or the plan."""
    ref = _one_of(me, dice, GOOD, BAD)
    if ref is None:
        return
    billing = me.world.scene.billing
    match dice.choice(("now", "later", "later, and not", "another plan", "trial")):
        case "now":
            await billing.move(ref, SubscriptionState.CANCELED, kind="subscription.deleted")
        case "later":
            await billing.move(ref, GOOD, ends_with_period=True)
        case "later, and not":
            await billing.move(ref, GOOD, ends_with_period=True)
            await billing.move(ref, GOOD)
        case "another plan":
            await billing.move(ref, GOOD, price_ref=dice.choice(PRICES))
        case _:
            ends = me.world.now + timedelta(days=3)
            await billing.move(ref, SubscriptionState.TRIALING, trial_ends_at=ends, kind="subscription.trial_will_end")


def _one_of(me: Person, dice: Dice, *states: SubscriptionState) -> str | None:
    among = [row["ref"] for row in me.world.scene.gateway_plans("subscriptions") if row["state"] in states]
    ref: str | None = some(dice, among)
    return ref


ACTS: dict[str, Act] = {"buy": buy, "fall_behind": fall_behind, "end_it": end_it}
