"""Stripe as our payment gateway: payment intents, refunds, disputes, saved cards, and its webhooks as hints."""

from adapters.stripe.billing import StripeBilling
from adapters.stripe.disputes import StripeDisputes
from adapters.stripe.gateway import API_VERSION, StripeGateway
from adapters.stripe.payees import StripePayees
from adapters.stripe.records import StripeRecords
from adapters.stripe.wallet import StripeWallet
from adapters.stripe.webhooks import StripeVerifier

__all__ = [
    "API_VERSION",
    "StripeBilling",
    "StripeDisputes",
    "StripeGateway",
    "StripePayees",
    "StripeRecords",
    "StripeVerifier",
    "StripeWallet",
]
