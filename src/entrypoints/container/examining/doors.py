"""Whether whoever keeps the accounts answers, and lets in only whom it should."""

from collections.abc import Iterator

import httpx

from entrypoints.container.examining.findings import Finding, fail, ok, warn
from entrypoints.settings import IdentityName, Settings

PART = "front door"


def providers(settings: Settings) -> Iterator[Finding]:
    """By way of whom people may sign in, and the address each of them has to know."""
    known = {"google": settings.google_client_id, "github": settings.github_client_id}
    for name in (name for name, id in known.items() if id):
        callback = f"{settings.public_url}/v1/sign-ins/{name}/callback"
        if not settings.return_origins:
            fix = "name the origins of your front ends in GUILDHALL_RETURN_ORIGINS"
            yield warn(name, f"comes back to {callback}, and no front end may be told", fix)
            continue
        yield ok(name, f"comes back to {callback}; it has to be registered there")


async def keeper(settings: Settings, client: httpx.AsyncClient | None = None) -> Finding | None:
    """Supabase's Auth, asked for its settings; None where the house keeps accounts itself."""
    if settings.identity is not IdentityName.SUPABASE:
        return None
    address = f"{settings.supabase_url}/auth/v1/settings"
    try:
        async with client or httpx.AsyncClient(timeout=5) as asking:
            answer = await asking.get(address, headers={"apikey": settings.supabase_publishable_key or ""})
            answer.raise_for_status()
            said = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        seen = f"{address}: {str(error) or type(error).__name__}"
        return fail(PART, seen, "see SUPABASE_URL and SUPABASE_PUBLISHABLE_KEY")
    if not isinstance(said, dict):
        return fail(PART, f"{address} answers with something else", "see SUPABASE_URL")
    if said.get("mailer_autoconfirm"):
        fix = "switch on the confirmation of addresses in the project: here they count as confirmed"
        return warn(PART, "Supabase confirms every address without asking", fix)
    if not settings.supabase_auth_hook_secret:
        fix = "point the send-email hook at /webhooks/supabase/send-email, and set SUPABASE_AUTH_HOOK_SECRET"
        return warn(PART, "Supabase sends its own letters, with links to its own pages", fix)
    return ok(PART, "Supabase keeps the accounts, and confirms addresses")
