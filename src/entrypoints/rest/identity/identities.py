"""Accounts elsewhere by which somebody signs in here."""

from datetime import datetime

from fastapi import APIRouter

from application.identity import ForeignToken, LinkIdentity, LinkProvider, ListIdentities, UnlinkIdentity, Voucher
from domain.identity import Origin
from domain.shared.ids import ExternalIdentityId
from entrypoints.rest.asking import Somebody
from entrypoints.rest.cursors import Asked, Paged
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
    link_identity, link_provider = use(LinkIdentity), use(LinkProvider)
    list_identities, unlink_identity = use(ListIdentities), use(UnlinkIdentity)

    @router.get("", **speaks(ListIdentities))
    async def mine(actor: Somebody, page: Asked) -> Paged[IdentityOut]:
        return page.project(await list_identities(actor, after=page.after, limit=page.limit), IdentityOut)

    @router.post("", status_code=201, **speaks(LinkIdentity))
    async def link(actor: Somebody, token: ForeignToken, once: Commanded) -> IdentityOut:
        return IdentityOut.of(await once(lambda: link_identity(actor, token)))

    @router.post("/vouched", status_code=201, **speaks(LinkProvider))
    async def link_vouched(actor: Somebody, voucher: Voucher, once: Commanded) -> IdentityOut:
        return IdentityOut.of(await once(lambda: link_provider(actor, voucher)))

    @router.delete("/{identity_id}", status_code=204, **speaks(UnlinkIdentity))
    async def unlink(actor: Somebody, identity_id: ExternalIdentityId, once: Commanded) -> None:
        await once(lambda: unlink_identity(actor, identity_id))

    return router
