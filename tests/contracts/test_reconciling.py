"""Organizations' accounts are reconciled the same on every store."""

from datetime import timedelta

import pytest

from application.payments import Reconcile, SealLedger, VerifyLedger
from application.payments.reconciling import walking
from domain.payments import PayoutState
from domain.shared.time import Span
from tests.application.test_reconciling import records
from tests.contracts.stores import Backend, backend
from tests.proof.stories.shop import ADMIN
from tests.proof.stories.telling import opened

__all__ = ["backend"]


async def test_accounts_and_payouts_nobody_told_us_of_are_found_on_every_store(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "PAGE", 1)
    async with opened(store=backend.store, views=backend.views, job_search=backend.job_search) as shop:
        records(shop).without = {"unheard"}
        for _ in range(2):
            ref = await shop.shares()
            await shop.paid()
            await shop.pays_out(ref, PayoutState.PAID)
            await shop.payees.restrict(ref, "proof_of_address")
            await shop.untold()
            await shop.next_story()
        now = shop.clock.now() + timedelta(seconds=1)
        shop.clock.set(now)
        stretch = Span(now - timedelta(days=5), now)
        run = await shop.use(Reconcile)(ADMIN, stretch)
        assert (run.repaired, run.filed) == (4, 0)
        assert {row["state"] for row in await shop.all("payees")} == {"restricted"}
        assert [row["state"] for row in await shop.all("payouts")] == ["paid"] * 2
        again = await shop.use(Reconcile)(ADMIN, stretch)
        assert (again.repaired, again.filed) == (0, 0)
        while await shop.use(SealLedger)():
            pass
        assert (await shop.use(VerifyLedger)(ADMIN)).holds
