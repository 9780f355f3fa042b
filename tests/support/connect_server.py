"""A stand-in for Stripe Connect on one machine: no counterpart has it. It knows Express accounts, their links,
destination charges with an application fee, what goes back of both, and payouts; it honours idempotency keys."""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from tests.support.localstripe_server import served

Thing = dict[str, Any]
CREATED = 1_772_442_000
"""When everything here was made: a Monday in March."""


@dataclass(slots=True)
class ConnectServer:
    """What Stripe would know."""

    things: dict[str, Thing] = field(default_factory=dict)
    answers: dict[str, Thing] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    api_base: str = ""
    _counts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    async def handle(self, request: web.Request) -> web.Response:
        """One request, as Stripe answers it."""
        form = dict(parse_qsl(await request.text())) | dict(request.query)
        self.asked.append((request.method, request.path, form))
        key = request.headers.get("idempotency-key", "") if request.method == "POST" else ""
        if key in self.answers:
            return web.json_response(self.answers[key])
        for method, pattern, answer in _ROUTES:
            if request.method == method and (found := re.fullmatch(pattern, request.path)):
                told = answer(self, form, *found.groups(), account=request.headers.get("stripe-account", ""))
                if told is None:
                    error = {"type": "invalid_request_error", "code": "resource_missing", "message": "none such"}
                    return web.json_response({"error": error}, status=404)
                if "error" in told:
                    return web.json_response(told, status=400)
                if key:
                    self.answers[key] = told
                return web.json_response(told)
        return web.json_response({"error": {"type": "invalid_request_error", "message": request.path}}, status=404)

    def make(self, prefix: str, object: str, **told: Any) -> Thing:
        """A new thing."""
        self._counts[prefix] += 1
        thing = {"id": f"{prefix}_{self._counts[prefix]}", "object": object, "created": CREATED, **told}
        self.things[str(thing["id"])] = thing
        return thing

    def of(self, object: str, **where: Any) -> list[Thing]:
        """The things of that kind of which all this is true, the newest first, as Stripe lists them."""
        found = [each for each in self.things.values() if each["object"] == object]
        return [each for each in found if all(each.get(name) == value for name, value in where.items())][::-1]

    # --- The hands of those on the other side

    def answer_questions(self, ref: str) -> None:
        """Whoever stands behind the account has said all that was asked."""
        self.things[ref] |= {"charges_enabled": True, "payouts_enabled": True, "details_submitted": True}
        self.things[ref]["requirements"] = {"currently_due": [], "past_due": [], "disabled_reason": None}

    def restrict(self, ref: str, *wanted: str, reason: str = "requirements.past_due") -> None:
        """Stripe wants to know more."""
        self.things[ref] |= {"charges_enabled": False, "payouts_enabled": False, "details_submitted": True}
        self.things[ref]["requirements"] = {"currently_due": list(wanted), "past_due": [], "disabled_reason": reason}

    def pay(self, ref: str) -> None:
        """The customer paid: the charge goes to its destination, and the fee comes from there."""
        intent = self.things[ref]
        charge = self.make("ch", "charge", payment_intent=ref, transfer=None, application_fee=None)
        intent |= {"status": "succeeded", "amount_received": intent["amount"], "latest_charge": charge["id"]}
        if destination := intent["transfer_data"]:
            about = {"currency": intent["currency"], "account": destination["destination"], "charge": charge["id"]}
            transfer = self.make("tr", "transfer", amount=intent["amount"], source_transaction=charge["id"], **about)
            charge["transfer"] = transfer["id"]
            if fee := intent["application_fee_amount"]:
                charge["application_fee"] = self.make("fee", "application_fee", amount=fee, **about)["id"]

    def pay_out(self, ref: str, amount: int) -> str:
        """Money leaves the account for its bank."""
        payout = self.make("po", "payout", amount=amount, currency="eur", status="in_transit", account=ref)
        payout |= {"arrival_date": 1_772_614_800, "failure_code": None}
        return str(payout["id"])

    # --- What is asked

    def _account(self, form: dict[str, str], **_: str) -> Thing:
        return self.make(
            "acct",
            "account",
            metadata=_metadata(form),
            email=form.get("email"),
            charges_enabled=False,
            payouts_enabled=False,
            details_submitted=False,
            requirements={"currently_due": ["external_account"], "past_due": [], "disabled_reason": None},
        )

    def _accounts(self, form: dict[str, str], **_: str) -> Thing:
        return _listed("/v1/accounts", self.of("account"))

    def _thing(self, form: dict[str, str], ref: str, *, account: str) -> Thing | None:
        found = self.things.get(ref)
        if found and found["object"] == "payout" and found["account"] != account:
            return None
        if found and "expand[0]" in form and found.get("latest_charge"):
            return {**found, "latest_charge": self._whole(found["latest_charge"])}
        return found

    def _whole(self, ref: str) -> Thing:
        """A charge with its transfer and its fee, and at most two of each that came back of them."""
        charge = dict(self.things[ref])
        for name, list_name, listed in (
            ("transfer", "reversals", self._reversals),
            ("application_fee", "refunds", self._returned),
        ):
            if there := charge[name]:
                found = listed({}, there)
                few = {**found, "data": found["data"][:2], "has_more": len(found["data"]) > 2}
                charge[name] = {**self.things[there], list_name: few}
        return charge

    def _link(self, form: dict[str, str], **_: str) -> Thing | None:
        if form["account"] not in self.things:
            return None
        return {"object": "account_link", "url": f"https://connect.example/{form['account']}", "expires_at": 1}

    def _intent(self, form: dict[str, str], **_: str) -> Thing:
        destination = form.get("transfer_data[destination]")
        account = self.things.get(destination or "")
        if destination and not (account and account["charges_enabled"]):
            return {"error": {"type": "invalid_request_error", "code": "insufficient_capabilities", "message": "no"}}
        intent = self.make(
            "pi",
            "payment_intent",
            amount=int(form["amount"]),
            amount_received=0,
            currency=form["currency"],
            status="requires_payment_method",
            last_payment_error=None,
            metadata=_metadata(form),
            latest_charge=None,
            transfer_data={"destination": destination} if destination else None,
            application_fee_amount=int(form["application_fee_amount"]) if "application_fee_amount" in form else None,
        )
        intent["client_secret"] = f"{intent['id']}_secret"
        return intent

    def _refund(self, form: dict[str, str], **_: str) -> Thing:
        intent = self.things[form["payment_intent"]]
        charge, amount = self.things[intent["latest_charge"]], int(form["amount"])
        if form.get("reverse_transfer") == "true":
            gone = self.of("transfer_reversal", transfer=charge["transfer"])
            about = {"currency": intent["currency"], "transfer": charge["transfer"]}
            self.make("trr", "transfer_reversal", amount=amount, **about)
            if form.get("refund_application_fee") == "true" and charge["application_fee"]:
                fee, whole = self.things[charge["application_fee"]], intent["amount"]
                before = sum(each["amount"] for each in self.of("fee_refund", fee=fee["id"]))
                in_all = round(fee["amount"] * (amount + sum(each["amount"] for each in gone)) / whole)
                self.make("fr", "fee_refund", amount=in_all - before, currency=fee["currency"], fee=fee["id"])
        return self.make(
            "re",
            "refund",
            amount=amount,
            currency=intent["currency"],
            status="succeeded",
            payment_intent=intent["id"],
            metadata=_metadata(form),
        )

    def _payouts(self, form: dict[str, str], *, account: str) -> Thing | None:
        """Those of the account that is asked in the name of, a page at a time."""
        if account not in self.things:
            return None
        since, until = int(form.get("created[gte]", 0)), int(form.get("created[lt]", 1 << 40))
        found = [each for each in self.of("payout", account=account) if since <= each["created"] < until]
        if after := form.get("starting_after"):
            found = found[[each["id"] for each in found].index(after) + 1 :]
        limit = int(form.get("limit", 10))
        return {**_listed("/v1/payouts", found[:limit]), "has_more": len(found) > limit}

    def _reversals(self, form: dict[str, str], ref: str, **_: str) -> Thing:
        return _listed(f"/v1/transfers/{ref}/reversals", self.of("transfer_reversal", transfer=ref))

    def _returned(self, form: dict[str, str], ref: str, **_: str) -> Thing:
        return _listed(f"/v1/application_fees/{ref}/refunds", self.of("fee_refund", fee=ref))


_ROUTES: tuple[tuple[str, str, Callable[..., Thing | None]], ...] = (
    ("POST", "/v1/accounts", ConnectServer._account),
    ("GET", "/v1/accounts", ConnectServer._accounts),
    ("GET", "/v1/payouts", ConnectServer._payouts),
    ("POST", "/v1/account_links", ConnectServer._link),
    ("POST", "/v1/payment_intents", ConnectServer._intent),
    ("POST", "/v1/refunds", ConnectServer._refund),
    ("GET", "/v1/transfers/([^/]+)/reversals", ConnectServer._reversals),
    ("GET", "/v1/application_fees/([^/]+)/refunds", ConnectServer._returned),
    ("GET", "/v1/[a-z_]+/([^/]+)", ConnectServer._thing),
)


def _metadata(form: dict[str, str]) -> dict[str, str]:
    return {name[9:-1]: value for name, value in form.items() if name.startswith("metadata[")}


def _listed(url: str, things: list[Thing]) -> Thing:
    return {"object": "list", "url": url, "has_more": False, "data": things}


@asynccontextmanager
async def connected() -> AsyncIterator[ConnectServer]:
    """One that listens on a free port."""
    server = ConnectServer()
    async with served(server.handle) as api_base:
        server.api_base = api_base
        yield server
