"""Saved cards: given to the gateway, never to us; listed, preferred and forgotten."""

from datetime import datetime

from fastapi import APIRouter

from application.billing import BecomeCustomer, MeetCustomer
from application.payments import (
    BeginSetup,
    GivenCard,
    ListPaymentMethods,
    PreferPaymentMethod,
    RemovePaymentMethod,
    SavePaymentMethod,
)
from domain.shared.ids import PaymentMethodId
from entrypoints.rest.asking import Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.once import Commanded
from entrypoints.rest.out import Out
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.use_cases import UseCases


class PaymentMethodOut(Out):
    """A saved card, by what is printed on a receipt. Of several the first listed is paid with when nothing is said."""

    id: PaymentMethodId
    version: int
    gateway: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    preferred_at: datetime
    created_at: datetime


class SetupOut(Out):
    """What a browser needs to give a card to the gateway: Stripe's own form takes the secret, the simulated gateway has
    a page for it at `/setups/{ref}?secret=...`."""

    gateway: str
    ref: str
    client_secret: str | None


def payment_methods(use: UseCases) -> APIRouter:
    """Routes under /v1/me/payment-methods."""
    router = api_router("/me/payment-methods", tag="payment-methods")
    become, meet, begin = use(BecomeCustomer), use(MeetCustomer), use(BeginSetup)
    list_methods, save, prefer = use(ListPaymentMethods), use(SavePaymentMethod), use(PreferPaymentMethod)
    remove = use(RemovePaymentMethod)

    @router.get("", **speaks(ListPaymentMethods))
    async def mine(actor: Somebody, page: Asked) -> Paged[PaymentMethodOut]:
        return page.project(await list_methods(actor, after=page.after, limit=page.limit), PaymentMethodOut)

    @router.post("/setup", status_code=201, **speaks(BeginSetup, *BecomeCustomer.refuses, *MeetCustomer.refuses))
    async def setup(actor: Somebody, once: Commanded) -> SetupOut:
        customer = await once(lambda: become(actor))
        await once.then(lambda: meet(actor, customer.id))
        return SetupOut.of(await begin(actor))

    @router.post("", status_code=201, **speaks(SavePaymentMethod))
    async def add(actor: Somebody, given_card: GivenCard, once: Commanded) -> PaymentMethodOut:
        return PaymentMethodOut.of(await once(lambda: save(actor, given_card)))

    @router.put("/{method_id}/preferred", **speaks(PreferPaymentMethod))
    async def make_preferred(actor: Somebody, method_id: PaymentMethodId, once: Commanded) -> PaymentMethodOut:
        return PaymentMethodOut.of(await once(lambda: prefer(actor, method_id)))

    @router.delete("/{method_id}", status_code=204, **speaks(RemovePaymentMethod))
    async def forget(actor: Somebody, method_id: PaymentMethodId, once: Commanded) -> None:
        await once(lambda: remove(actor, method_id))

    return router
