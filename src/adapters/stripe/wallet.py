"""Saved cards on Stripe: setup intents, and payment methods of its customers, charged off-session."""

from typing import Any

import stripe

from adapters.stripe.gateway import NAME, StripeGateway, after_reading, after_writing, payment_of
from application.ports.payments import Declined, GatewayUnavailable
from application.ports.wallets import ChargeOrder, Wallet
from domain.payments import GatewayCard, GatewayPayment, GatewaySetup, SetupState
from domain.shared.errors import NotFound

_STATES = {
    "requires_action": SetupState.REQUIRES_ACTION,
    "succeeded": SetupState.SUCCEEDED,
    "canceled": SetupState.CANCELLED,
}


class StripeWallet(Wallet):
    """Asks the Stripe that the gateway talks to, over its connections."""

    def __init__(self, gateway: StripeGateway) -> None:
        self._gateway, self._stripe = gateway, gateway.client

    async def begin(self, customer_ref: str, *, key: str) -> GatewaySetup:
        params: Any = {"customer": customer_ref, "usage": "off_session", "payment_method_types": ["card"]}
        try:
            setup = await self._stripe.v1.setup_intents.create_async(params=params, options={"idempotency_key": key})
        except stripe.StripeError as error:
            raise after_writing(error) from error
        return await self._setup(setup)

    async def find_setup(self, ref: str) -> GatewaySetup:
        try:
            return await self._setup(await self._stripe.v1.setup_intents.retrieve_async(ref))
        except stripe.StripeError as error:
            raise after_reading(error, "setup", ref) from error

    async def find_card(self, ref: str) -> GatewayCard:
        try:
            method = await self._stripe.v1.payment_methods.retrieve_async(ref)
        except stripe.StripeError as error:
            raise after_reading(error, "card", ref) from error
        card = getattr(method, "card", None)
        if card is None:
            raise NotFound.of("card", ref)
        customer = getattr(method, "customer", None)
        return GatewayCard(
            gateway=NAME,
            ref=method.id,
            customer_ref=customer if customer is None or isinstance(customer, str) else customer.id,
            brand=card.brand,
            last4=card.last4 or "",
            exp_month=card.exp_month,
            exp_year=card.exp_year,
        )

    async def forget(self, card_ref: str) -> None:
        try:
            await self._stripe.v1.payment_methods.detach_async(card_ref)
        except stripe.InvalidRequestError:
            return  # kept for nobody, or not at all
        except stripe.StripeError as error:
            raise GatewayUnavailable("Stripe does not answer", status=error.http_status) from error

    async def charge(self, order: ChargeOrder) -> GatewayPayment:
        try:
            await self._stripe.v1.payment_intents.update_async(
                order.payment_ref, params={"customer": order.customer_ref, "payment_method": order.card_ref}
            )
            intent = await self._stripe.v1.payment_intents.confirm_async(
                order.payment_ref,
                params={"off_session": True},
                options={"idempotency_key": f"charge:{order.payment_id}:v{order.attempt}:{order.card_ref}"},
            )
        except stripe.CardError:
            # The card's bank said no, or wants to hear from its owner: the intent says which.
            return await self._gateway.find(order.payment_ref)
        except stripe.InvalidRequestError as error:
            raise Declined(error.code or "not_payable", error.user_message or "Stripe refused") from error
        except stripe.StripeError as error:
            raise after_writing(error) from error
        return payment_of(intent)

    async def _setup(self, setup: stripe.SetupIntent) -> GatewaySetup:
        method, customer = setup.payment_method, setup.customer
        state = _STATES.get(setup.status, SetupState.OPEN)
        card = None
        if state is SetupState.SUCCEEDED and method is not None:
            card = await self.find_card(method if isinstance(method, str) else method.id)
        return GatewaySetup(
            gateway=NAME,
            ref=setup.id,
            customer_ref=customer if customer is None or isinstance(customer, str) else customer.id,
            state=state,
            client_secret=setup.client_secret,
            card=card,
        )
