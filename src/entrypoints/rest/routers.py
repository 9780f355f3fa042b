"""Every router of the API: functions per context, and the few pages people open in a browser."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter

from entrypoints.rest import admin, identity, invoicing, pages
from entrypoints.rest.billing import billing
from entrypoints.rest.bookings import bookings
from entrypoints.rest.disputes import disputes
from entrypoints.rest.files import files
from entrypoints.rest.invitations import invitations
from entrypoints.rest.jobs import jobs
from entrypoints.rest.messaging import messaging
from entrypoints.rest.notifications import notifications
from entrypoints.rest.onboarding import onboarding
from entrypoints.rest.organizations import organizations
from entrypoints.rest.payees import payees
from entrypoints.rest.payment_methods import payment_methods
from entrypoints.rest.payments import payments
from entrypoints.rest.profiles import profiles
from entrypoints.rest.reviews import reviews
from entrypoints.rest.scheduling import scheduling
from entrypoints.use_cases import UseCases

ROUTERS: tuple[Callable[[UseCases], APIRouter], ...] = (
    identity.users,
    identity.sessions,
    identity.sign_ins,
    identity.identities,
    identity.magic_links,
    identity.passwords,
    identity.addresses,
    profiles,
    organizations,
    invitations,
    onboarding,
    billing,
    jobs,
    scheduling,
    bookings,
    payments,
    payees,
    payment_methods,
    disputes,
    invoicing.quotes,
    invoicing.invoices,
    invoicing.papers,
    reviews,
    messaging,
    files,
    notifications,
    admin.users,
    admin.trail,
    admin.traffic,
    admin.reconciling,
)
"""Under /v1."""

WITH_FACTS: tuple[Callable[[UseCases, dict[str, Any]], APIRouter], ...] = (
    identity.keys,
    pages.front,
    pages.links,
    pages.vouching,
    pages.answering,
    pages.paying,
    pages.invoicing,
    pages.buying,
    pages.onboarding,
    pages.giving,
)
"""Outside of /v1: what also shows something of the settings or the technology behind them."""
