"""Our own tokens: whether the database takes them for ours."""

from domain.shared.errors import Refusal
from entrypoints.container.examining.findings import Finding, ok, warn
from entrypoints.container.opening import OpenHouse
from entrypoints.settings import Storage


async def own_tokens(house: OpenHouse, way: str) -> Finding:
    """Whether the issuer they name is the one the database was told; `way` tells it."""
    name, wanted = "own tokens", house.settings.token_issuer
    try:
        told = await _told(house)
    except Refusal as refusal:
        return warn(name, refusal.message, "look again when the database answers")
    if told == wanted:
        return ok(name, f"the database knows them by {told}")
    seen = f"the database knows {told}, they name {wanted}: whoever reads there directly is nobody"
    return warn(name, seen, way)


async def _told(house: OpenHouse) -> str:
    if house.settings.storage is Storage.SUPABASE:
        from adapters.supabase.examination import issuer

        return await issuer(house.container.rest())
    from adapters.postgres.issuer import known

    return await known(house.owner_url)
