"""Following the gateway: every message about plans, tills and subscriptions is a hint to ask how things stand now."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from application.billing.mirroring import mirror_price, mirror_product
from application.billing.provisioning import Provisioner
from application.ports.billing import Catalog, Subscriptions, Till
from application.ports.clock import Clock
from application.ports.identity import OneTimeSecrets, PasswordHasher
from application.ports.ids import Ids
from application.ports.payments import GatewayUnavailable
from application.ports.unit_of_work import Begin, Work
from domain.billing import GatewayCheckout, GatewaySubscription, Purchase, Subscription
from domain.identity import AccountSuspended, BadEmail
from domain.payments import Outcome, Topic, Webhook, WebhookReceived
from domain.shared.actors import Actor
from domain.shared.errors import NotFound, StaleVersion
from domain.shared.ids import OneTimeTokenId, PurchaseId

T = TypeVar("T")
Verdict = tuple[Outcome, str]
Effect = Callable[[Work], Awaitable[Verdict]]
"""What a message brings about, in the commit that marks it as processed."""

TURNED_DOWN = "async_payment_failed"
TRIAL_ENDS = "trial_will_end"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessBilling:
    """A message about a plan, a till or a subscription is a hint: ask the gateway how that stands now, and follow it.
    Whatever order they come in, and however often, the last answer is the same; the effect and the mark that the
    message was processed are one commit."""

    begin: Begin
    clock: Clock
    ids: Ids
    catalog: Catalog
    till: Till
    subscriptions: Subscriptions
    passwords: PasswordHasher
    one_time_secrets: OneTimeSecrets

    async def __call__(self, actor: Actor, event: WebhookReceived) -> None:
        async with self.begin(actor) as work:
            webhook = await work.webhooks.get(event.webhook_id)
        if webhook.is_processed or webhook.topic is not Topic.PLANS:
            return
        try:
            await self._act(actor, webhook, await self._ask(actor, webhook))
        except (AccountSuspended, BadEmail) as odd:
            await self._act(actor, webhook, _nothing(Outcome.ATTENTION, odd.message))

    async def _act(self, actor: Actor, webhook: Webhook, effect: Effect) -> None:
        async with self.begin(actor) as work:
            kept = await work.webhooks.get(webhook.id)
            outcome, note = await effect(work)
            kept.process(outcome, note=note, now=self.clock.now())

    async def _ask(self, actor: Actor, webhook: Webhook) -> Effect:
        """How the thing stands now, and what follows from it."""
        ref = webhook.thing_ref or ""
        if webhook.sender != self.catalog.name:
            return _nothing(Outcome.IGNORED, f"{webhook.sender} is not the gateway in use")
        match webhook.thing:
            case "product":
                return await self._product(actor, ref)
            case "price":
                return await self._price(actor, ref)
            case "checkout":
                return await self._checkout(ref, failed=webhook.kind.endswith(TURNED_DOWN))
            case "subscription":
                return await self._subscription(actor, ref, trial_ends=webhook.kind.endswith(TRIAL_ENDS))
        return _nothing(Outcome.IGNORED, "not about anything we follow")

    async def _product(self, actor: Actor, ref: str) -> Effect:
        gateway = self.catalog.name
        async with self.begin(actor) as work:
            known = await work.products.first(gateway=gateway, gateway_ref=ref)
        seen, news = known.version if known else 0, await _known(self.catalog.product(ref))

        async def effect(work: Work) -> Verdict:
            await mirror_product(work, gateway, ref, news, seen=seen, ids=self.ids)
            return Outcome.SETTLED, ""

        return effect

    async def _price(self, actor: Actor, ref: str) -> Effect:
        gateway = self.catalog.name
        async with self.begin(actor) as work:
            known = await work.prices.first(gateway=gateway, gateway_ref=ref)
        seen, news = known.version if known else 0, await _known(self.catalog.price(ref))

        async def effect(work: Work) -> Verdict:
            await mirror_price(work, gateway, ref, news, seen=seen, ids=self.ids)
            return Outcome.SETTLED, ""

        return effect

    async def _subscription(self, actor: Actor, ref: str, *, trial_ends: bool) -> Effect:
        """One we know is followed; one we do not know may be what makes us look at its purchase again."""
        async with self.begin(actor) as work:
            known = await self._ours(work, ref)
        news = await _known(self.subscriptions.subscription(ref))
        if news is None:
            return _nothing(Outcome.UNMATCHED, "the gateway does not know it")
        if known is None:
            return await self._subscribed(actor, news)
        seen = known.version

        async def effect(work: Work) -> Verdict:
            subscription = await self._ours(work, ref)
            if subscription is None or subscription.version != seen:
                raise StaleVersion("the subscription was followed meanwhile")
            subscription.follow(news)
            if trial_ends:
                subscription.remind_of_trial()
            return Outcome.SETTLED, ""

        return effect

    async def _subscribed(self, actor: Actor, news: GatewaySubscription) -> Effect:
        async with self.begin(actor) as work:
            purchase = await work.purchases.first(id=news.purchase_id) if news.purchase_id else None
            if purchase is None:
                purchase = await work.purchases.first(gateway=news.gateway, subscription_ref=news.ref)
        if purchase is None or purchase.gateway_ref is None:
            return _nothing(Outcome.UNMATCHED, "no purchase of ours that we know of yet")
        return await self._checkout(purchase.gateway_ref, failed=False)

    async def _checkout(self, ref: str, *, failed: bool) -> Effect:
        news = await _known(self.till.find(ref))
        if news is None:
            return _nothing(Outcome.UNMATCHED, "the gateway does not know it")
        subscribed = None
        if news.paid and news.subscription_ref is not None:
            subscribed = await _known(self.subscriptions.subscription(news.subscription_ref))
            if subscribed is None:
                # Half of what was paid would never come by itself: the message waits until the gateway shows all of it.
                raise GatewayUnavailable("the gateway does not show the subscription of that checkout yet")
        nobodys = self.one_time_secrets.secret(OneTimeTokenId(self.ids.new()))
        password_hash = await self.passwords.hash(nobodys) if news.paid else ""

        async def effect(work: Work) -> Verdict:
            purchase = await self._purchase(work, news)
            if purchase.settle(news, failed=failed):
                provisioner = Provisioner(
                    work=work,
                    ids=self.ids,
                    one_time_secrets=self.one_time_secrets,
                    password_hash=password_hash,
                    now=self.clock.now(),
                )
                await provisioner.provision(purchase, news, subscribed)
            return Outcome.SETTLED, ""

        return effect

    async def _purchase(self, work: Work, news: GatewayCheckout) -> Purchase:
        """Ours by the id it carries (we may not have stored its reference yet), else by its reference, else adopted."""
        if news.purchase_id is not None and (ours := await work.purchases.first(id=news.purchase_id)):
            return ours
        known = await work.purchases.first(gateway=news.gateway, gateway_ref=news.ref)
        if known is None:
            known = Purchase.adopt(news, id=PurchaseId(self.ids.new()), now=self.clock.now())
            work.purchases.add(known)
        return known

    async def _ours(self, work: Work, ref: str) -> Subscription | None:
        return await work.subscriptions.first(gateway=self.catalog.name, gateway_ref=ref)


async def _known(asking: Awaitable[T]) -> T | None:
    """The gateway's answer, or None for what it does not know."""
    try:
        return await asking
    except NotFound:
        return None


def _nothing(outcome: Outcome, note: str) -> Effect:
    async def effect(_: Work) -> Verdict:
        return outcome, note

    return effect
