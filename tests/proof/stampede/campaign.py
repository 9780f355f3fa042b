"""The stampede itself, and races of fifty that tell how quick an answer is when it is only busy."""

from dataclasses import dataclass, field

from tests.proof.stampede.town import Town, overrun
from tests.proof.stampede.wire import Rush, booking, connected, rush

FIFTY = 50


@dataclass(slots=True)
class Came:
    """What came of it."""

    crowd: int
    stampede: Rush = field(default_factory=Rush)
    fifty: Rush = field(default_factory=Rush)
    rounds: int = 0
    winners: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


async def stampede(crowd: int, rounds: int) -> Came:
    """Everybody at one slot, then fifty at each of some others."""
    came = Came(crowd, rounds=rounds)
    async with overrun(max(crowd, FIFTY)) as town:
        await _fifty(town, came)
        await _everybody(town, came)
        await _judge(town, came)
    return came


async def _everybody(town: Town, came: Came) -> None:
    requests = [
        (port, booking(port, token, town.job_id, town.start(0), f"stampede-{n}"))
        for n, token in enumerate(town.tokens[: came.crowd])
        for port in [town.ports[n % len(town.ports)]]
    ]
    customers = await connected(requests)
    await rush(customers)
    came.stampede.add(customers)
    for customer in customers:
        customer.close()


async def _fifty(town: Town, came: Came) -> None:
    """Fifty at one slot, again and again on connections that are open; the first round warms up."""
    some = [(n, token, town.ports[n % len(town.ports)]) for n, token in enumerate(town.tokens[:FIFTY])]
    customers = await connected([(port, b"") for _, _, port in some])
    for number in range(came.rounds + 1):
        for customer, (n, token, port) in zip(customers, some, strict=True):
            if number:
                customer.again()
            key = f"fifty-{number}-{n}"
            customer.ask(booking(port, token, town.job_id, town.start(1 + number), key))
        for customer in customers:
            await customer.ended
        if number:
            came.fifty.add(customers)
        came.winners.append(sum(customer.status == 201 for customer in customers))
    for customer in customers:
        customer.close()


async def _judge(town: Town, came: Came) -> None:
    """One winner each, everybody else told so, and nothing broken on the way."""
    came.failures += judged(came)
    slots = await town.value("select count(distinct blocked) from bookings where active")
    booked = await town.value("select count(*) from bookings where active")
    if not slots == booked == came.rounds + 2:
        came.failures.append(f"{booked} bookings of {slots} slots are stored, not {came.rounds + 2}")
    deadlocks = await town.value("select deadlocks from pg_stat_database where datname = current_database()")
    if deadlocks or "deadlock detected" in town.server_log:
        came.failures.append(f"{deadlocks} deadlocks")
    came.failures += [f"an API logged: {line[:300]}" for line in town.complaints[:5]]


def judged(came: Came) -> list[str]:
    """What was answered that should not have been."""
    wrong = []
    if came.stampede.statuses != {201: 1, 409: came.crowd - 1}:
        said = f": {came.stampede.odd[0]}" if came.stampede.odd else ""
        wrong.append(f"{came.crowd} at one slot were answered {dict(came.stampede.statuses)}{said}")
    if set(came.winners) - {1} or set(came.fifty.statuses) - {201, 409}:
        wrong.append(f"fifty at one slot: {dict(came.fifty.statuses)}, winners {came.winners}")
    return wrong
