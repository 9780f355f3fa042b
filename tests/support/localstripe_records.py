"""What Stripe lists of itself, made of what `localstripe` keeps.

It has events, intents, refunds and balance transactions. What it lacks is added here: `created` as a filter everywhere,
the newest first, `delivery_success` (nothing counts as delivered until somebody listens), the sources of balance
transactions, a charge's intent and metadata, and invoice payments, of which it has none. Second thoughts of a bank
(`refund_failure`) neither it nor this can show; those are played on the simulated gateway.
"""

from collections.abc import Mapping
from typing import Any

import httpx

_KEPT = ("/v1/events", "/v1/payment_intents", "/v1/refunds", "/v1/balance_transactions")


def is_listing(path: str, query: Mapping[str, str]) -> bool:
    """Whether this is one of the lists that are made here."""
    return path == "/v1/invoice_payments" or (path in _KEPT and "payment_intent" not in query)


async def listed(direct: httpx.AsyncClient, path: str, query: Mapping[str, str], *, heard: bool) -> dict[str, Any]:
    """The page that was asked for."""
    if path not in _KEPT or (query.get("delivery_success") == "false" and heard):
        return _page([], query, path)
    things = await _all(direct, path)
    if path == "/v1/balance_transactions":
        intents = {
            intent["latest_charge"]["id"]: intent for intent in await _intents(direct) if intent["latest_charge"]
        }
        for thing in things:
            thing["source"] = await _source(direct, thing["source"], intents)
    since, until = int(query.get("created[gte]", 0)), int(query.get("created[lt]", 1 << 40))
    within = [thing for thing in things if since <= thing["created"] < until]
    return _page(within, query, path)


async def _source(direct: httpx.AsyncClient, ref: str, intents: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    kind = "charges" if ref.startswith("ch_") else "refunds"
    found: dict[str, Any] = (await direct.get(f"/v1/{kind}/{ref}")).json()
    if kind == "charges" and (intent := intents.get(ref)):
        found |= {"payment_intent": intent["id"], "metadata": intent["metadata"], "amount_captured": found["amount"]}
    if kind == "refunds":
        found["payment_intent"] = intents[found["charge"]]["id"]
    return found


async def _intents(direct: httpx.AsyncClient) -> list[dict[str, Any]]:
    return await _all(direct, "/v1/payment_intents")


async def _all(direct: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    """Everything of a kind, the newest first: it lists some kinds from the oldest and counts whole seconds only."""
    found = (await direct.get(path, params={"limit": "1000"})).json()["data"]
    if path in ("/v1/events", "/v1/payment_intents"):
        found.reverse()
    return list(found)


def _page(things: list[dict[str, Any]], query: Mapping[str, str], path: str) -> dict[str, Any]:
    limit, after = int(query.get("limit", 10)), query.get("starting_after")
    refs = [thing["id"] for thing in things]
    begin = refs.index(after) + 1 if after else 0
    shown = things[begin : begin + limit]
    return {"object": "list", "url": path, "data": shown, "has_more": begin + limit < len(things)}
