"""The payee ports on Stripe Connect: Express accounts, their onboarding links, what destination charges moved, and
payouts. Every write carries a key made of our own ids."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import stripe

from adapters.stripe.amounts import AmountNotTaken, from_stripe
from adapters.stripe.gateway import NAME, StripeGateway, after_reading, after_writing, text_in
from application.ports.payees import PayeeDesk, PayeeOrder, Shares
from domain.payments import GatewayPayee, GatewayPayout, GatewayShare, Movement, PayoutState, SourceKind
from domain.shared.errors import NotFound

_PAGE = 100
_ALL_THAT_MOVED = ["latest_charge.transfer", "latest_charge.application_fee"]
_PAYOUT_STATES = {
    "pending": PayoutState.PENDING,
    "in_transit": PayoutState.IN_TRANSIT,
    "paid": PayoutState.PAID,
    "failed": PayoutState.FAILED,
    "canceled": PayoutState.CANCELLED,
}


class StripePayees(PayeeDesk, Shares):
    """Asks the Stripe that the gateway talks to, over its connections."""

    def __init__(self, gateway: StripeGateway) -> None:
        self._stripe = gateway.client

    @property
    def name(self) -> str:
        return NAME

    async def enrol(self, order: PayeeOrder) -> str:
        if made := await self._made_before(order):
            return made
        params: Any = {
            "type": "express",
            "capabilities": {"card_payments": {"requested": True}, "transfers": {"requested": True}},
            "business_profile": {"name": order.name},
            "metadata": {"payee_id": str(order.payee_id), "organization_id": str(order.organization_id)},
        }
        if order.email:
            params["email"] = order.email
        try:
            account = await self._stripe.v1.accounts.create_async(
                params=params, options={"idempotency_key": f"payee:{order.payee_id}"}
            )
        except stripe.StripeError as error:
            raise after_writing(error) from error
        return account.id

    async def link(self, ref: str, *, return_url: str, refresh_url: str) -> str:
        try:
            # No key: a link works once, and whoever asks again needs another.
            link = await self._stripe.v1.account_links.create_async(
                params={
                    "account": ref,
                    "type": "account_onboarding",
                    "return_url": return_url,
                    "refresh_url": refresh_url,
                }
            )
        except stripe.StripeError as error:
            raise after_reading(error, "payee", ref) from error
        return link.url

    async def find(self, ref: str) -> GatewayPayee:
        try:
            account = await self._stripe.v1.accounts.retrieve_async(ref)
        except stripe.PermissionError as error:
            # So Stripe says of an account that is gone, or has taken its permission back.
            raise NotFound.of("payee", ref) from error
        except stripe.StripeError as error:
            raise after_reading(error, "payee", ref) from error
        return _payee(account)

    async def share(self, payment_ref: str) -> GatewayShare:
        try:
            intent = await self._stripe.v1.payment_intents.retrieve_async(
                payment_ref, params={"expand": _ALL_THAT_MOVED}
            )
            charge: Any = getattr(intent, "latest_charge", None)
            moved = [each async for each in self._moved(charge)] if charge is not None else []
        except stripe.StripeError as error:
            raise after_reading(error, "payment", payment_ref) from error
        return GatewayShare(gateway=NAME, payment_ref=payment_ref, moved=tuple(moved))

    async def behind(self, kind: SourceKind, ref: str) -> str:
        try:
            if kind is SourceKind.TRANSFER:
                transfer = await self._stripe.v1.transfers.retrieve_async(ref)
                charge_ref = _ref(getattr(transfer, "source_transaction", None))
            else:
                fee = await self._stripe.v1.application_fees.retrieve_async(ref)
                charge_ref = _ref(getattr(fee, "charge", None))
            charge = await self._stripe.v1.charges.retrieve_async(charge_ref) if charge_ref else None
        except stripe.StripeError as error:
            raise after_reading(error, kind.value, ref) from error
        payment_ref = _ref(getattr(charge, "payment_intent", None))
        if payment_ref is None:
            raise NotFound.of(kind.value, ref)
        return payment_ref

    async def payout(self, payee_ref: str, ref: str) -> GatewayPayout:
        try:
            payout = await self._stripe.v1.payouts.retrieve_async(ref, options={"stripe_account": payee_ref})
        except stripe.PermissionError as error:
            raise NotFound.of("payout", ref) from error
        except stripe.StripeError as error:
            raise after_reading(error, "payout", ref) from error
        return payout_of(payout)

    async def _made_before(self, order: PayeeOrder) -> str | None:
        """The account of that order, if Stripe made it and we were not told, or its key has been forgotten since."""
        since = int(order.since.timestamp()) - 1
        try:
            made = await self._stripe.v1.accounts.list_async(params={"created": {"gte": since}, "limit": _PAGE})
            async for account in made.auto_paging_iter():
                if text_in(account.metadata, "payee_id") == str(order.payee_id):
                    return account.id
        except stripe.StripeError as error:
            raise after_reading(error, "payees", "all") from error
        return None

    async def _moved(self, charge: Any) -> AsyncIterator[Movement]:
        """What a charge moved to its payee and what came back of it; the first few are told with the charge."""
        if transfer := getattr(charge, "transfer", None):
            yield _movement(SourceKind.TRANSFER, transfer)
            back = transfer.reversals
            if back.has_more:
                back = await self._stripe.v1.transfers.reversals.list_async(transfer.id, params={"limit": _PAGE})
            async for reversal in back.auto_paging_iter():
                yield _movement(SourceKind.TRANSFER_REVERSED, reversal)
        if fee := getattr(charge, "application_fee", None):
            yield _movement(SourceKind.FEE, fee)
            returned = fee.refunds
            if returned.has_more:
                returned = await self._stripe.v1.application_fees.refunds.list_async(fee.id, params={"limit": _PAGE})
            async for each in returned.auto_paging_iter():
                yield _movement(SourceKind.FEE_RETURNED, each)


def _movement(kind: SourceKind, moved: Any) -> Movement:
    try:
        return Movement(kind=kind, ref=moved.id, amount=from_stripe(moved.amount, moved.currency))
    except AmountNotTaken as foreign:
        raise NotFound.of(kind.value, moved.id) from foreign


def _payee(account: Any) -> GatewayPayee:
    asked = getattr(account, "requirements", None)
    wanted = {*(getattr(asked, "currently_due", None) or ()), *(getattr(asked, "past_due", None) or ())}
    disabled = getattr(asked, "disabled_reason", None) or ""
    return GatewayPayee(
        gateway=NAME,
        ref=account.id,
        takes_charges=bool(account.charges_enabled),
        pays_out=bool(account.payouts_enabled),
        submitted=bool(account.details_submitted),
        rejected=disabled.startswith("rejected"),
        wanted=tuple(sorted(wanted)),
    )


def payout_of(payout: Any) -> GatewayPayout:
    try:
        amount = from_stripe(payout.amount, payout.currency)
    except AmountNotTaken as foreign:
        raise NotFound.of("payout", payout.id) from foreign
    arrives = getattr(payout, "arrival_date", None)
    return GatewayPayout(
        gateway=NAME,
        ref=payout.id,
        state=_PAYOUT_STATES.get(payout.status, PayoutState.PENDING),
        amount=amount,
        arrives_at=None if arrives is None else datetime.fromtimestamp(arrives, UTC),
        failure=getattr(payout, "failure_code", None) or "",
    )


def _ref(thing: Any) -> str | None:
    """A reference, whether it came alone or with what it refers to."""
    return thing if thing is None or isinstance(thing, str) else str(thing.id)
