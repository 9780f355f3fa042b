"""Accounts elsewhere by which somebody signs in here."""

from datetime import datetime

from fastapi import APIRouter

from application.identity import ForeignToken, LinkIdentity
from domain.identity import Origin
from domain.shared.ids import ExternalIdentityId
from entrypoints.rest.asking import Somebody
from entrypoints.rest.once import Commanded
from entrypoints.rest.out import Out
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.use_cases import UseCases


class IdentityOut(Out):
    """An account elsewhere. `origin` says how it came to its user."""

    id: ExternalIdentityId
    issuer: str
    subject: str
    origin: Origin
    email: str | None
    email_verified: bool
    created_at: datetime
    last_seen_at: datetime


def identities(use: UseCases) -> APIRouter:
    """Routes under /v1/identities."""
    router = api_router("/identities", tag="identities")
    link_identity = use(LinkIdentity)

    @router.post("", status_code=201, **speaks(LinkIdentity))
    async def link(actor: Somebody, token: ForeignToken, once: Commanded) -> IdentityOut:
        return IdentityOut.of(await once(lambda: link_identity(actor, token)))

    return router
