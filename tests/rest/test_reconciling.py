"""What does not fit between our books and the gateway's, as an admin deals with it over the API."""

from datetime import timedelta
from uuid import UUID

from application.payments import Reconcile
from application.ports.payments import OpenOrder
from domain.shared.actors import SYSTEM
from domain.shared.ids import BookingId, PaymentId
from domain.shared.money import Money
from domain.shared.time import Span
from tests.rest.world import World


async def a_strangers_charge(world: World) -> None:
    """Somebody uses our account for something else, and the books are compared."""
    house = world.house
    gateway, clock = house.container.gateway(), house.container.clock()
    # What other tests had paid here is of rows that are gone.
    await house.container.simulated_books().do(lambda books: books.execute("delete from journal"))
    order = OpenOrder(
        payment_id=PaymentId(UUID(int=1)), booking_id=BookingId(UUID(int=2)), attempt=1, amount=Money(777, "EUR")
    )
    stray = await gateway.open(order)
    await gateway.confirm(stray.ref, stray.client_secret, "ok")
    clock.advance(timedelta(seconds=1))
    await house.use(Reconcile)(SYSTEM, Span(clock.now() - timedelta(days=1), clock.now()))


async def test_an_admin_sees_what_does_not_fit_and_says_how_it_was_settled(world: World) -> None:
    await a_strangers_charge(world)
    admin, vera = await world.admin(), await world.provider()
    (run,) = (await admin.get("/v1/admin/reconciliations")).json()["items"]
    assert (run["stage"], run["filed"], run["repaired"]) == ("done", 1, 0)
    (found,) = (await admin.get("/v1/admin/discrepancies")).json()["items"]
    assert (found["kind"], found["about"], found["said"]) == (
        "stranger",
        "payment",
        "7.77 EUR captured, for nothing of ours",
    )
    assert (await admin.get("/v1/admin/discrepancies", params={"kind": "missing"})).json()["items"] == []
    address = f"/v1/admin/discrepancies/{found['id']}/close"
    assert (await admin.post(address, json={"reason": " "})).status_code == 422
    closed = await admin.post(address, json={"reason": "Refunded at the gateway's desk."})
    assert (closed.status_code, closed.json()["closed_by"]) == (200, f"user:{admin.user_id}")
    again = await admin.post(address, json={"reason": "Once more."})
    assert (again.status_code, again.json()["code"]) == (409, "discrepancy.closed")
    assert (await admin.get("/v1/admin/discrepancies")).json()["items"] == []
    assert len((await admin.get("/v1/admin/discrepancies", params={"closed": True})).json()["items"]) == 1
    for path in ("discrepancies", "reconciliations"):
        assert (await vera.get(f"/v1/admin/{path}")).status_code == 403
        assert (await world.anybody.get(f"/v1/admin/{path}")).status_code == 401
    assert (await vera.post(address, json={"reason": "no"})).status_code == 403
