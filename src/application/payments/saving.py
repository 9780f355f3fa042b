"""Saved cards: given once, kept by the gateway, and paid with when their owner says so."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.inputs import submitted
from application.payments.paying import own_payment, still_wanted
from application.payments.reading import known
from application.payments.settling import follow, reachable
from application.ports.clock import Clock
from application.ports.criteria import Order, Position
from application.ports.ids import Ids
from application.ports.payments import Declined, GatewaySilent, GatewayUnavailable, PaymentGateway
from application.ports.readers import Page, Readers
from application.ports.unit_of_work import Begin, Work
from application.ports.wallets import ChargeOrder, Wallet
from domain.billing import Customer, NoCustomerYet
from domain.payments import (
    AlreadyPaid,
    GatewayCard,
    GatewayPayment,
    GatewaySetup,
    NotPayable,
    Outcome,
    Payment,
    PaymentCalledOff,
    PaymentMethod,
    PaymentMethodRemoved,
    SetupState,
    Topic,
    Webhook,
    WebhookReceived,
)
from domain.shared.actors import Actor
from domain.shared.errors import Conflict, NotFound, Refusal, Unauthenticated
from domain.shared.ids import PaymentId, PaymentMethodId, UserId

_PREFERRED = Order("preferred_at", descending=True)


class CardNotSaved(Conflict):
    """The gateway does not have the card yet, or never will."""

    code = "payment_method.not_saved"

    def __init__(self, state: SetupState) -> None:
        super().__init__(f"the card is not saved: that is {state.value}", state=state.value)


@submitted
class GivenCard:
    """A card that was given to the gateway."""

    setup_ref: str
    """The reference of the setup under which it was given."""


@submitted
class SavedCard:
    """Which saved card to pay with."""

    method_id: PaymentMethodId | None = None
    """The card; leave it out for the preferred one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodView:
    """A saved card, as its owner knows it."""

    source: ClassVar[str] = "payment_methods"
    id: PaymentMethodId
    version: int
    gateway: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    preferred_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPaymentMethods:
    """Your saved cards; the first is the one that is paid with when nothing is said."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)
    readers: Readers

    async def __call__(self, actor: Actor, *, after: Position | None = None, limit: int) -> Page[PaymentMethodView]:
        known(actor)
        where: dict[str, object] = {} if actor.user_id is None else {"user_id": actor.user_id}
        return await self.readers.page(actor, PaymentMethodView, where, order=_PREFERRED, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginSetup:
    """Give a card to be kept: what your browser needs to show it to the gateway, and to nobody else."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NoCustomerYet,
        Declined,
        GatewaySilent,
        GatewayUnavailable,
    )
    begin: Begin
    ids: Ids
    gateway: PaymentGateway
    wallet: Wallet

    async def __call__(self, actor: Actor) -> GatewaySetup:
        async with self.begin(actor) as work:
            customer_ref = await _customer_ref(work, actor.signed_in(), self.gateway.name)
        return await self.wallet.begin(customer_ref, key=f"setup:{self.ids.new()}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SavePaymentMethod:
    """Keep the card you have just given. The gateway is asked whether it has it; the browser's word is not taken."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NoCustomerYet,
        NotFound,
        CardNotSaved,
        GatewayUnavailable,
    )
    begin: Begin
    clock: Clock
    ids: Ids
    gateway: PaymentGateway
    wallet: Wallet

    async def __call__(self, actor: Actor, given_card: GivenCard) -> PaymentMethod:
        user_id = actor.signed_in()
        async with self.begin(actor) as work:
            customer_ref = await _customer_ref(work, user_id, self.gateway.name)
        setup = await self.wallet.find_setup(given_card.setup_ref)
        if setup.customer_ref != customer_ref:
            raise NotFound.of("setup", given_card.setup_ref)
        if setup.state is not SetupState.SUCCEEDED or setup.card is None:
            raise CardNotSaved(setup.state)
        async with self.begin(actor) as work:
            return work.answer(await _saved(work, user_id, setup.card, ids=self.ids, now=self.clock.now()))


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferPaymentMethod:
    """Pay with this card from now on when nothing is said."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound)
    begin: Begin
    clock: Clock

    async def __call__(self, actor: Actor, method_id: PaymentMethodId) -> PaymentMethod:
        async with self.begin(actor) as work:
            method = await _own_method(work, actor, method_id)
            method.prefer(now=self.clock.now())
            return work.answer(method)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePaymentMethod:
    """Forget a card, here at once and at the gateway soon after."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound)
    begin: Begin

    async def __call__(self, actor: Actor, method_id: PaymentMethodId) -> None:
        async with self.begin(actor) as work:
            method = await _own_method(work, actor, method_id)
            method.remove()
            work.payment_methods.remove(method)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetCard:
    """A card that its owner removed is forgotten by the gateway as well."""

    gateway: PaymentGateway
    wallet: Wallet

    async def __call__(self, actor: Actor, event: PaymentMethodRemoved) -> None:
        reachable(self.gateway, event.gateway)
        await self.wallet.forget(event.gateway_ref)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayWithSaved:
    """Pay an open payment of yours with a saved card, the preferred one if none is named. Your bank may want to hear
    from you first: then it requires action, and you go on as with any card."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NotFound,
        NoCustomerYet,
        AlreadyPaid,
        PaymentCalledOff,
        NotPayable,
        Declined,
        GatewayUnavailable,
    )
    begin: Begin
    clock: Clock
    ids: Ids
    gateway: PaymentGateway
    wallet: Wallet

    async def __call__(self, actor: Actor, payment_id: PaymentId, saved_card: SavedCard = SavedCard()) -> Payment:
        async with self.begin(actor) as work:
            user_id = actor.signed_in()
            payment = await own_payment(work, actor, payment_id)
            await still_wanted(work, payment)
            payment.must_be_payable()
            method = await _chosen(work, actor, saved_card.method_id, self.gateway.name)
            customer_ref = await _customer_ref(work, user_id, self.gateway.name)
        reachable(self.gateway, payment.gateway)
        news = await self._charge(payment, customer_ref, method)
        async with self.begin(actor) as work:
            payment = await work.payments.get(payment_id)
            follow(work, payment, news, ids=self.ids, now=self.clock.now())
            return work.answer(payment)

    async def _charge(self, payment: Payment, customer_ref: str, method: PaymentMethod) -> GatewayPayment:
        ref = payment.gateway_ref or ""
        try:
            return await self.wallet.charge(
                ChargeOrder(
                    payment_id=PaymentId(payment.id),
                    payment_ref=ref,
                    attempt=payment.attempt,
                    customer_ref=customer_ref,
                    card_ref=method.gateway_ref,
                )
            )
        except GatewaySilent:
            return await self.gateway.find(ref)  # it may have paid: how it stands is the answer


@dataclass(frozen=True, slots=True, kw_only=True)
class HearOfCard:
    """A message about a card is a hint: ask how it is kept now. One that was given is saved, one that the bank renewed
    is known by its new digits, one that is kept no longer is forgotten."""

    begin: Begin
    clock: Clock
    ids: Ids
    gateway: PaymentGateway
    wallet: Wallet

    async def __call__(self, actor: Actor, event: WebhookReceived) -> None:
        async with self.begin(actor) as work:
            webhook = await work.webhooks.get(event.webhook_id)
        if webhook.is_processed or webhook.topic is not Topic.MONEY or webhook.thing not in ("setup", "card"):
            return
        card = await self._ask(webhook)
        now = self.clock.now()
        async with self.begin(actor) as work:
            webhook = await work.webhooks.get(event.webhook_id)
            outcome, note = (
                (Outcome.IGNORED, "no card of ours") if card is None else await self._follow(work, card, now)
            )
            webhook.process(outcome, note=note, now=now)

    async def _ask(self, webhook: Webhook) -> GatewayCard | None:
        ref = webhook.thing_ref or ""
        if webhook.sender != self.gateway.name:
            return None
        try:
            if webhook.thing == "card":
                return await self.wallet.find_card(ref)
            setup = await self.wallet.find_setup(ref)
        except NotFound:
            return None
        return setup.card if setup.state is SetupState.SUCCEEDED else None

    async def _follow(self, work: Work, card: GatewayCard | None, now: datetime) -> tuple[Outcome, str]:
        if card is None:
            return Outcome.IGNORED, "no card of ours"
        kept = await work.payment_methods.first(gateway=card.gateway, gateway_ref=card.ref)
        if card.customer_ref is None:
            if kept is not None:
                work.payment_methods.remove(kept)
            return Outcome.SETTLED, "kept no longer"
        customer = await work.customers.first(gateway=card.gateway, gateway_ref=card.customer_ref)
        if customer is None:
            return Outcome.UNMATCHED, "no customer of ours"
        await _saved(work, customer.user_id, card, ids=self.ids, now=now)
        return Outcome.SETTLED, ""


async def _saved(work: Work, user_id: UserId, card: GatewayCard, *, ids: Ids, now: datetime) -> PaymentMethod:
    """The card among those of its owner, once, with what is printed on it now."""
    method = await work.payment_methods.first(gateway=card.gateway, gateway_ref=card.ref)
    if method is None:
        method = PaymentMethod.save(id=PaymentMethodId(ids.new()), user_id=user_id, card=card, now=now)
        work.payment_methods.add(method)
    method.renew(card)
    return method


async def _customer_ref(work: Work, user_id: UserId, gateway: str) -> str:
    customer: Customer | None = await work.customers.first(user_id=user_id, gateway=gateway)
    if customer is None or customer.gateway_ref is None:
        raise NoCustomerYet
    return customer.gateway_ref


async def _own_method(work: Work, actor: Actor, method_id: PaymentMethodId) -> PaymentMethod:
    method = await work.payment_methods.get(method_id)
    if not (actor.is_user(method.user_id) or actor.is_admin):
        actor.signed_in()
        raise NotFound.of("payment method", method_id)
    return method


async def _chosen(work: Work, actor: Actor, method_id: PaymentMethodId | None, gateway: str) -> PaymentMethod:
    if method_id is not None:
        return await _own_method(work, actor, method_id)
    preferred = await work.payment_methods.find(user_id=actor.signed_in(), gateway=gateway, order=_PREFERRED, limit=1)
    if not preferred:
        raise NotFound("you have no saved card")
    return preferred[0]
