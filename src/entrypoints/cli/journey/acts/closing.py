"""The books are looked at, and the house closes."""

from collections import Counter
from typing import Any

import httpx

from entrypoints.cli.journey.checking import Checks
from entrypoints.cli.journey.story import Act, Story


async def books_balance(story: Story, check: Checks) -> None:
    """The ledger sums to zero, and agrees with what was paid and given back"""
    entries = await story.ada.everything("/v1/admin/ledger")
    check.same("four captures and three refunds, two sides each", len(entries), 14)
    sums: Counter[str] = Counter()
    for entry in entries:
        sums[entry["transaction_id"]] += entry["amount"]["amount_minor"]
    check.same("every transaction sums to zero", sorted(set(sums.values())), [0])
    held = sum(entry["amount"]["amount_minor"] for entry in entries if entry["account"].startswith("gateway:"))
    payments = await story.ada.everything("/v1/payments")
    kept = sum(it["captured"]["amount_minor"] - it["refunded"]["amount_minor"] for it in payments)
    check.same("the gateway holds what was captured and not refunded", held, kept)
    first = story.bookings["zoe's booking"]["price"]["amount_minor"]
    check.same("which is 45.00 + 20.00 + 300.00 EUR, and Zoe's all but ten", held, 4500 + 2000 + 30000 + first - 1000)


async def trail_holds(story: Story, check: Checks) -> None:
    """The audit trail tells who did what, and its sealed chain verifies"""
    booking = story.bookings["carla's lesson"]["id"]
    trail = await story.ada.everything("/v1/admin/audit", subject_id=booking)
    check.same(
        "one booking's life, from first to last",
        [entry["action"] for entry in reversed(trail)],
        ["booking.held", "booking.confirmed", "booking.rescheduled", "booking.completed"],
    )
    who = [entry["actor"].partition(":")[0] for entry in reversed(trail)]
    check.same("and who did it", who, ["user", "system", "user", "user"])

    async def unsealed() -> int:
        return sum(entry["hash"] is None for entry in await story.ada.everything("/v1/admin/audit", limit=100))

    await check.soon("every entry gets its place in the chain", unsealed, lambda count: count == 0)
    report = await story.run("audit", "verify")
    check.that("`guildhall audit verify` holds from end to end", report["holds"] and report["verified"] > 100, report)


async def nothing_left_over(story: Story, check: Checks) -> None:
    """Nothing is left over: no dead event, no mail unsent, no webhook unread"""

    async def waiting() -> dict[str, str]:
        return await _figures(story.http, "guildhall_outbox_events")

    await check.soon("the outbox has nothing due", waiting, lambda seen: _of(seen, 'state="due"') == 0)
    check.same("and nothing dead", _of(await waiting(), 'state="dead"'), 0)
    mails = Counter(mail["state"] for mail in await story.ada.everything("/v1/admin/mails", limit=100))
    check.that("every mail was sent, or overtaken by events", set(mails) <= {"sent", "dropped"}, mails)
    check.same("each is in the folder once", story.mail.count(), mails["sent"])
    hooks = await story.ada.everything("/v1/admin/webhooks", limit=100)
    check.that("every webhook was acted on", hooks and all(hook["processed_at"] for hook in hooks), hooks)
    seen = await story.run("doctor")
    failed = [each for each in seen["findings"] if each["verdict"] == "fail"]
    check.same("`guildhall doctor` finds nothing wrong", failed, [])


async def figures(story: Story, check: Checks) -> None:
    """/metrics has figures of it all, and not one server error among them"""
    requests = await _figures(story.http, "guildhall_requests_total")
    check.that("requests are counted by route", any('route="/v1/bookings"' in labels for labels in requests), requests)
    failed = {labels: count for labels, count in requests.items() if 'status="5' in labels}
    check.same("none was answered with 5xx", failed, {})
    check.same("and nothing was logged as an error", story.instance.complaints(), [])
    answer = await story.http.get("/v1/nowhere", headers={"X-Request-ID": "journey-1"})
    told = check.refused("what is not there is a problem too", answer, 404, "no_such_path")
    check.same("and carries the id of its request", told["request_id"], answer.headers["x-request-id"])


async def closes(story: Story, check: Checks) -> None:
    """Told to stop by SIGTERM, the instance finishes its work and exits with 0"""
    check.same("it exits with 0", await story.instance.close(), 0)
    try:
        await story.http.get("/healthz")
    except httpx.TransportError as error:
        check.that("and nobody answers any more", isinstance(error, httpx.ConnectError), error)
    else:
        check.that("and nobody answers any more", False)


async def _figures(http: httpx.AsyncClient, name: str) -> dict[str, str]:
    """The figures of that name, by their labels."""
    lines = (await http.get("/metrics")).text.splitlines()
    pairs = [line.removeprefix(name).rpartition(" ") for line in lines if line.startswith(f"{name}{{")]
    return {labels: count for labels, _, count in pairs}


def _of(figures: dict[str, Any], label: str) -> float:
    return sum(float(count) for labels, count in figures.items() if label in labels)


CLOSING = Act(
    "The books are looked at, and the house closes",
    (books_balance, trail_holds, nothing_left_over, figures, closes),
)
