"""Stripe's disputes, files and early fraud warnings on this machine: neither counterpart we run has them. What they
answer is shaped as Stripe's API reference shows it."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from tests.support.localstripe_server import served

FEE = 1_500
DECIDED = frozenset({"won", "lost"})


@dataclass(slots=True)
class StripeBanks:
    """Disputes by id, what was uploaded, and the hands of the banks behind them. `silent` answers are lost on the way
    back."""

    api_base: str = ""
    now: int = 1_772_442_000
    disputes: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: list[tuple[str, bytes]] = field(default_factory=list)
    silent: int = 0
    _numbers: Any = field(default_factory=lambda: itertools.count(1))
    _answers: dict[str, tuple[str, int, Any]] = field(default_factory=dict)

    def dispute(self, intent: str, amount: int, *, currency: str = "eur", balance: str = "eur", **told: Any) -> str:
        """A bank takes the money of a payment back; the balance may be kept in another currency."""
        ref = f"dp_{next(self._numbers)}"
        self.disputes[ref] = {
            "id": ref,
            "object": "dispute",
            "amount": amount,
            "currency": currency,
            "payment_intent": intent,
            "charge": f"ch_{intent}",
            "status": "needs_response",
            "reason": "fraudulent",
            "created": self.now,
            "metadata": {},
            "evidence": {},
            "evidence_details": {
                "due_by": self.now + 14 * 86_400,
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
            },
            "balance_transactions": [self._moved(-amount, balance, fee=FEE)],
            **told,
        }
        return ref

    def decide(self, ref: str, *, won: bool) -> None:
        """The bank decides."""
        dispute = self.disputes[ref]
        dispute["status"] = "won" if won else "lost"
        if won:
            balance = dispute["balance_transactions"][0]["currency"]
            dispute["balance_transactions"].append(self._moved(dispute["amount"], balance))

    def warn(self, intent: str) -> str:
        """A bank warns of a payment."""
        ref = f"issfr_{next(self._numbers)}"
        self.warnings[ref] = {
            "id": ref,
            "object": "radar.early_fraud_warning",
            "actionable": True,
            "charge": f"ch_{intent}",
            "payment_intent": intent,
            "fraud_type": "made_with_stolen_card",
            "created": self.now,
        }
        return ref

    async def handle(self, request: web.Request) -> web.Response:
        """Any request; the same key has the same answer."""
        uploads = request.path.endswith("/files")
        body = b"" if uploads else await request.read()
        key = request.headers.get("idempotency-key")
        print_ = sha256(request.path.encode() + body).hexdigest()
        if request.method == "POST" and key and (known := self._answers.get(key)):
            if known[0] != print_:
                return _refused(400, "idempotency_error", None)
            self._maybe_silent(request)
            return web.json_response(known[2], status=known[1])
        status, answer = await self._answer(request, body)
        if request.method == "POST" and key and status != 400:
            self._answers[key] = (print_, status, answer)
        self._maybe_silent(request)
        return web.json_response(answer, status=status)

    def _maybe_silent(self, request: web.Request) -> None:
        if self.silent and request.method == "POST" and "disputes" in request.path:
            self.silent -= 1
            assert request.transport
            request.transport.abort()

    async def _answer(self, request: web.Request, body: bytes) -> tuple[int, Any]:
        match request.method, request.path.split("/")[2:]:
            case "GET", ["disputes", ref] if ref in self.disputes:
                return 200, self.disputes[ref]
            case "POST", ["disputes", ref] if ref in self.disputes:
                return self._take(self.disputes[ref], dict(parse_qsl(body.decode())))
            case "GET", ["radar", "early_fraud_warnings", ref] if ref in self.warnings:
                return 200, self.warnings[ref]
            case "POST", ["files"]:
                form = await request.post()
                file = form["file"]
                assert isinstance(file, web.FileField)
                assert form["purpose"] == "dispute_evidence"
                self.files.append((file.filename, file.file.read()))
                return 200, {"id": f"file_{len(self.files)}", "object": "file", "purpose": "dispute_evidence"}
        return 404, {"error": {"type": "invalid_request_error", "code": "resource_missing", "message": "No such thing"}}

    def _take(self, dispute: dict[str, Any], form: dict[str, str]) -> tuple[int, Any]:
        details = dispute["evidence_details"]
        if dispute["status"] in DECIDED or details["submission_count"] or self.now > details["due_by"]:
            error = {"type": "invalid_request_error", "message": "This dispute is already closed."}
            return 400, {"error": error}
        dispute["evidence"] |= {name[9:-1]: said for name, said in form.items() if name.startswith("evidence[")}
        dispute["metadata"] |= {name[9:-1]: said for name, said in form.items() if name.startswith("metadata[")}
        if form.get("submit") == "true":
            details |= {"has_evidence": True, "submission_count": 1}
            dispute["status"] = "under_review"
        return 200, dispute

    def _moved(self, amount: int, currency: str, *, fee: int = 0) -> dict[str, Any]:
        return {
            "id": f"txn_{next(self._numbers)}",
            "object": "balance_transaction",
            "amount": amount,
            "currency": currency,
            "fee": fee,
            "net": amount - fee,
            "type": "adjustment",
        }


@asynccontextmanager
async def stripe_banks() -> AsyncIterator[StripeBanks]:
    """One on a free port of the loopback interface."""
    banks = StripeBanks()
    async with served(banks.handle) as api_base:
        banks.api_base = api_base
        yield banks


def _refused(status: int, kind: str, code: str | None) -> web.Response:
    error = {"type": kind, "message": "Keys can only be used with the same parameters."} | (
        {"code": code} if code else {}
    )
    return web.json_response({"error": error}, status=status)
