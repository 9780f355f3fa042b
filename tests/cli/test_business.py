"""Operators run the business from the command line: the same use cases, inputs, refusals and audit as everybody."""

import asyncio
import json
from uuid import UUID

import pytest

from tests.cli.conftest import Office

ANA, BEN, DEV, ROSA, PIET = (f"{name}@town.example" for name in ("ana", "ben", "dev", "rosa", "piet"))


def job_id(town: Office, title: str) -> str:
    """The id of the job of that title."""
    found = town.json("job", "search", "--text", title)["items"]
    return str(next(job["id"] for job in found if job["title"] == title))


def slot(town: Office, job: str, nth: int = 0) -> str:
    """A start that is free."""
    return str(town.json("availability", "slots", job)["slots"][nth]["starts_at"])


def booked(town: Office, title: str, *, by: str = ANA, nth: int = 0) -> str:
    """A fresh booking's id."""
    job = job_id(town, title)
    answer = town.json("booking", "book", "--as", by, "--job-id", job, "--starts-at", slot(town, job, nth))
    return str(answer["id"])


# --- Users -----------------------------------------------------------------------------------------------------------


def test_the_first_admin_comes_from_the_command_line(office: Office) -> None:
    said = office(
        "user", "create-admin", "--email", "boss@example.org", "--name", "Boss", "--json", typed="a decent secret\n"
    )
    assert said.json["role"] == "admin"
    assert "secret" not in said.out
    assert office.one("user", "list", "--role", "admin")["email"] == "boss@example.org"


def test_a_weak_password_is_refused_with_the_numbers(office: Office) -> None:
    said = office("user", "create-admin", "--email", "b@example.org", "--name", "B", "--password", "short", "--json")
    assert said.code == 1
    assert said.refusal["code"] == "identity.weak_password"
    assert said.refusal["shortest"] == 10


def test_users_are_made_found_suspended_restored_and_given_roles(town: Office) -> None:
    made = town.json(
        *("user", "create", "--email", "zoe@example.org", "--name", "Zoe", "--password", "ten or more of them")
    )
    assert town.json("user", "show", "zoe@example.org")["id"] == made["id"]
    assert town.json("user", "suspend", "zoe@example.org", "--reason", "away")["suspended_at"]
    refused = town("user", "list", "--as", "zoe@example.org", "--json")
    assert (refused.code, refused.refusal["code"]) == (1, "identity.suspended")
    assert town.json("user", "restore", made["id"])["suspended_at"] is None
    assert town.json("user", "role", "zoe@example.org", "--role", "provider")["role"] == "provider"


def test_a_version_that_is_no_longer_the_present_one_is_refused(town: Office) -> None:
    said = town("user", "role", BEN, "--role", "provider", "--expected-version", "77", "--json")
    assert said.code == 1
    assert said.refusal["code"] == "outdated"


def test_acting_as_a_user_is_bound_by_what_that_user_may(town: Office) -> None:
    said = town("user", "list", "--as", ANA, "--json")
    assert (said.code, said.refusal["code"]) == (1, "forbidden")
    assert len(town.json("user", "list", "--as", "ada@town.example")["items"]) >= 12


@pytest.mark.parametrize("who", ["nobody@example.org", "01a15e19-9dd8-7863-9cd5-673a1ee596b4"])
def test_acting_as_somebody_who_is_not_there_is_refused(town: Office, who: str) -> None:
    said = town("booking", "list", "--as", who, "--json")
    assert (said.code, said.refusal["code"]) == (1, "not_found")


def test_what_is_neither_address_nor_id_is_a_usage_error(town: Office) -> None:
    assert town("user", "show", "ana").code == 2
    assert town("booking", "list", "--as", "ana").code == 2


# --- Jobs ------------------------------------------------------------------------------------------------------------


def test_a_job_is_drafted_revised_published_and_archived(town: Office) -> None:
    job = town.json(
        *("job", "create", "--as", ROSA, "--title", "Organ lesson", "--category", "Music"),
        *("--price", "1,250.50 EUR", "--duration", "90", "--remote", "--policy", "strict"),
    )
    assert job["price"] == {"amount_minor": 125050, "currency": "EUR"}
    assert (job["state"], job["remote"], job["category"]) == ("draft", True, "music")
    assert town.json("job", "list", "--state", "draft", "--as", ROSA)["items"][0]["id"] == job["id"]
    revised = town.json(
        "job",
        "revise",
        job["id"],
        "--price",
        '{"amount_minor": 9000, "currency": "EUR"}',
        "--no-remote",
        "--place",
        "Lisbon",
    )
    assert revised["price"]["amount_minor"] == 9000
    assert revised["title"] == "Organ lesson"
    assert town.json("job", "publish", job["id"])["state"] == "published"
    assert town.json("job", "show", job["id"])["provider_name"] == "Rosa Almeida"
    assert town.json("job", "archive", job["id"])["state"] == "archived"


def test_a_policy_of_ones_own_is_given_as_json(town: Office) -> None:
    policy = {"tiers": [{"hours_before": 48, "refund_percent": 80}], "no_show_percent": 10}
    words = ("job", "create", "--as", ROSA, "--title", "Harp lesson", "--category", "music", "--price", "JPY 5000")
    job = town.json(*words, "--duration", "60", "--custom-policy", json.dumps(policy), "--remote")
    assert job["policy"] == policy
    assert job["price"] == {"amount_minor": 5000, "currency": "JPY"}
    assert town("job", "delete", job["id"]).code == 0
    assert town("job", "show", job["id"], "--json").refusal["code"] == "not_found"


@pytest.mark.parametrize(
    ("price", "code"), [("45", 2), ("45.001 EUR", 2), ("5.5 JPY", 2), ("many EUR", 2), ("45.00 XXX", 1), ("-5 EUR", 1)]
)
def test_money_that_is_none_is_told_apart_from_money_that_is_refused(town: Office, price: str, code: int) -> None:
    words = ("job", "create", "--as", ROSA, "--title", "A job", "--category", "music", "--duration", "60", "--remote")
    assert town(*words, "--price", price).code == code


def test_a_customer_offers_no_jobs(town: Office) -> None:
    words = (
        "job",
        "create",
        "--as",
        ANA,
        "--title",
        "A job",
        "--category",
        "x",
        "--price",
        "1 EUR",
        "--duration",
        "60",
    )
    assert town(*words, "--json").refusal["code"].endswith("not_a_provider")


def test_jobs_are_searched_and_sorted_like_by_rest(town: Office) -> None:
    cheapest = town.json("job", "search", "--currency", "EUR", "--sort", "price", "--category", "plumbing")["items"]
    assert [job["title"] for job in cheapest] == ["Bathroom check", "Emergency plumbing"]
    dearest = town.json("job", "search", "--currency", "EUR", "--sort", "-price", "--limit", "1")
    assert dearest["items"][0]["title"] == "Emergency plumbing"
    assert dearest["more"] is True
    assert town("job", "search", "--sort", "price", "--json").refusal["field"] == "currency"
    assert town("job", "search", "--sort", "loudness").code == 2


# --- Availability ----------------------------------------------------------------------------------------------------


def test_hours_are_set_changed_for_a_day_and_taken_off(town: Office) -> None:
    hours = town.json(
        *("availability", "set", PIET, "--zone", "Europe/Berlin", "--monday", "08:00-12:00,13:00-17:00"),
        *("--tuesday", "08:00-12:00", "--tuesday", "13:00-15:00"),
    )
    assert hours["weekly"]["monday"] == ["08:00-12:00", "13:00-17:00"]
    assert hours["weekly"]["tuesday"] == ["08:00-12:00", "13:00-15:00"]
    assert hours["weekly"]["friday"] == []
    day = town.json("availability", "day", PIET, "2026-12-24", "--windows", "08:00-10:00")
    assert day["overrides"] == [{"day": "2026-12-24", "windows": ["08:00-10:00"]}]
    assert town.json("availability", "clear-day", PIET, "2026-12-24")["overrides"] == []
    off = town.json("availability", "time-off", PIET, "--first", "2026-08-01", "--last", "2026-08-15")["time_off"]
    assert town.json("availability", "cancel-time-off", PIET, off[0]["id"])["time_off"] == []
    assert town.json("availability", "show", PIET)["zone"] == "Europe/Berlin"


def test_slots_are_shown_on_the_clocks_one_asks_for(town: Office) -> None:
    job = job_id(town, "Piano lesson")
    words = ("availability", "slots", job, "--first", "2026-03-28", "--last", "2026-03-30", "--zone", "Europe/Berlin")
    free = town.json(*words)
    assert free["shown_in"] == "Europe/Berlin"
    # Saturday is winter, Monday summer: 10:00 in Lisbon is 11:00 in Berlin on both, and not in UTC.
    shown = [one["shown_start"] for one in free["slots"]]
    assert shown[0] == "2026-03-28T11:00:00+01:00"
    assert "2026-03-30T10:00:00+02:00" in shown
    assert "11:00" in town(*words).out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--zone", "Europe/Atlantis"), "invalid"),
        (("--zone", "UTC", "--monday", "25:00-26:00"), "availability.bad_window"),
    ],
)
def test_hours_that_cannot_be_are_refused(town: Office, words: tuple[str, ...], code: str) -> None:
    said = town("availability", "set", PIET, *words, "--json")
    assert said.code == 1
    assert said.refusal["code"] == code


# --- Bookings --------------------------------------------------------------------------------------------------------


def test_a_request_is_accepted_or_declined_by_the_provider(town: Office) -> None:
    request = booked(town, "Emergency plumbing", nth=4)
    assert town.json("booking", "show", request)["state"] == "requested"
    wrong = town("booking", "accept", request, "--as", ANA, "--json")
    assert (wrong.code, wrong.refusal["code"]) == (1, "booking.wrong_side")
    assert town.json("booking", "accept", request, "--as", PIET)["state"] == "confirmed"
    other = booked(town, "Emergency plumbing", nth=20)
    declined = town.json("booking", "decline", other, "--reason", "on holiday")
    assert (declined["state"], declined["cancel_reason"]) == ("cancelled", "on holiday")


def test_a_booking_is_moved_and_called_off(town: Office) -> None:
    job = job_id(town, "Passport pictures")
    booking = booked(town, "Passport pictures", nth=3)
    later = slot(town, job, 9)
    assert town.json("booking", "reschedule", booking, "--starts-at", later, "--as", ANA)["span"]["starts_at"] == later
    gone = town.json("booking", "cancel", booking, "--as", ANA, "--reason", "no need")
    assert (gone["state"], gone["cancelled_by"]) == ("cancelled", "customer")
    again = town("booking", "cancel", booking, "--json")
    assert again.code == 1
    assert again.refusal["code"].startswith("booking.")


def test_a_slot_is_booked_by_one_only(town: Office) -> None:
    job = job_id(town, "Beard trim")
    start = slot(town, job, 5)
    assert town("booking", "book", "--as", ANA, "--job-id", job, "--starts-at", start).code == 0
    said = town("booking", "book", "--as", BEN, "--job-id", job, "--starts-at", start, "--json")
    assert (said.code, said.refusal["code"]) == (1, "booking.slot_taken")


def test_the_same_key_finds_the_first_answer_and_books_nothing_more(town: Office) -> None:
    job = job_id(town, "Beard trim")
    words = ("booking", "book", "--as", DEV, "--job-id", job, "--starts-at", slot(town, job, 12), "--key", "once-only")
    first, second = town.json(*words), town.json(*words)
    assert first["id"] == second["id"]
    assert "done before" in town(*words).err
    other = town(*words, "--note", "something else", "--json")
    assert (other.code, other.refusal["code"]) == (1, "idempotency.key_reused")


def test_an_operator_books_for_nobody(town: Office) -> None:
    job = job_id(town, "Beard trim")
    said = town("booking", "book", "--job-id", job, "--starts-at", slot(town, job, 15), "--json")
    assert (said.code, said.refusal["code"]) == (1, "unauthenticated")


def test_bookings_are_listed_by_state_and_side(town: Office) -> None:
    listed = town.json("booking", "list", "--states", "completed,no_show", "--limit", "3")
    assert {one["state"] for one in listed["items"]} <= {"completed", "no_show"}
    assert listed["more"] is True
    mine = town.json("booking", "list", "--as", ROSA, "--side", "provider", "--all")
    assert {one["provider_id"] for one in mine["items"]} == {town.json("user", "show", ROSA)["id"]}
    assert mine["more"] is False
    assert "Europe/Lisbon" in town("booking", "list", "--as", ROSA, "--side", "provider").out


def test_work_is_done_or_missed_only_once_it_began(town: Office) -> None:
    booking = booked(town, "Beard trim", nth=20)
    for verb in ("complete", "no-show"):
        said = town("booking", verb, booking, "--json")
        assert (said.code, said.refusal["code"]) == (1, "booking.not_started")


# --- Payments, reviews, messages -------------------------------------------------------------------------------------


def test_money_is_given_back_in_part_and_never_more_than_is_left(town: Office) -> None:
    payment = town.one("payment", "list", "--state", "captured")
    assert town.json("payment", "show", payment["id"])["captured"] == payment["amount"]
    refund = town.json("payment", "refund", payment["id"], "--amount-minor", "1000", "--reason", "came late")
    assert refund["amount"] == {"amount_minor": 1000, "currency": "EUR"}
    assert "client_secret" not in town("payment", "show", payment["id"], "--json").out
    too_much = town("payment", "refund", payment["id"], "--amount-minor", "999999", "--json")
    assert (too_much.code, too_much.refusal["code"]) == (1, "payment.refund_too_large")
    assert town.one("payment", "refunds", "--payment-id", payment["id"])["reason"] == "came late"
    town.settle()
    entries = town.json("payment", "ledger", "--payment-id", payment["id"])["items"]
    assert sum(entry["amount"]["amount_minor"] for entry in entries) == 0


def test_the_books_are_shown_and_verified(town: Office) -> None:
    from application.payments import SealLedger

    async def seal() -> None:
        while await town.house.use(SealLedger)():
            pass

    asyncio.run(seal())
    balances = town.json("payment", "balances")["items"]
    assert sum(each["amount"]["amount_minor"] for each in balances if each["amount"]["currency"] == "EUR") == 0
    platform = town.json("payment", "balances", "--books", "platform")["items"]
    assert {each["books"] for each in platform} == {"platform"}
    report = town.json("payment", "verify-books")
    assert (report["holds"], report["first_break"], report["wrong_balances"]) == (True, None, [])
    assert report["verified"] > 0
    rows = town.house.container.store().tables["ledger"].rows
    id, row = next((id, row) for id, row in rows.items() if row["position"] == 2)
    rows[id] = {**row, "amount_minor": row["amount_minor"] + 1}
    broken = town("payment", "verify-books", "--json")
    rows[id] = row
    assert (broken.code, json.loads(broken.out)["first_break"]) == (1, {"position": 2, "fault": "altered"})


def test_a_review_is_hidden_and_shown_again(town: Office) -> None:
    found = town.one("review", "list", "--provider", "yara@town.example")
    assert town.json("review", "hide", found["id"], "--reason", "names somebody")["state"] == "hidden"
    assert found["id"] not in town("review", "list", "--job", found["job_id"], "--json").out
    again = town("review", "hide", found["id"], "--reason", "twice", "--json")
    assert again.code == 1
    assert town.json("review", "restore", found["id"], "--reason", "a mistake")["state"] == "published"
    assert town.json("review", "show", found["id"])["stars"] == found["stars"]
    assert "moderation_reason" not in town("review", "show", found["id"], "--json").out


def test_reviews_are_listed_by_whose_they_are(town: Office) -> None:
    assert town("review", "list").code == 2
    assert town.json("review", "list", "--as", ANA)["items"]
    assert town.json("review", "list", "--as", ANA, "--received")["items"] == []


def test_parties_post_reviews_once(town: Office) -> None:
    chloe = "chloe@town.example"
    done = next(
        one
        for one in town.json("booking", "list", "--as", chloe, "--states", "completed")["items"]
        if one["job_title"] == "Bathroom check"
    )
    words = ("review", "post", done["id"], "--as", chloe, "--stars", "4", "--text", "Tidy")
    assert town.json(*words)["stars"] == 4
    assert town(*words, "--json").refusal["code"] == "review.already_reviewed"


def test_messages_are_sent_by_those_who_take_part(town: Office) -> None:
    job = job_id(town, "Colour")
    talk = town.json("message", "start", "--job-id", job, "--as", BEN)
    sent = town.json("message", "send", talk["id"], "--text", "Copper?", "--as", BEN)
    assert sent["sequence"] == 1
    assert town.one("message", "list", talk["id"], "--as", "hugo@town.example")["text"] == "Copper?"
    assert town("message", "send", talk["id"], "--text", "Me too", "--as", ANA, "--json").refusal["code"] == "not_found"
    assert town("message", "list", talk["id"], "--json").refusal["code"] == "unauthenticated"


# --- The house -------------------------------------------------------------------------------------------------------


def test_what_an_operator_does_is_in_the_audit_trail_under_their_name(town: Office) -> None:
    town("user", "suspend", BEN, "--reason", "tried out")
    town("user", "restore", BEN)
    entry = town.one("audit", "list", "--subject-table", "users", "--action", "user.suspended")
    assert entry["actor"].startswith("operator:")


def test_the_audit_trail_is_verified(town: Office) -> None:
    from application.audit import SealAudit

    async def seal() -> None:
        while await town.house.use(SealAudit)():
            pass

    asyncio.run(seal())
    report = town.json("audit", "verify")
    assert report["holds"] is True
    assert report["verified"] > 100
    rows = town.house.container.store().tables["audit"].rows
    victim = next(row for row in rows.values() if row["position"] == 7)
    kept = victim["actor"]
    victim["actor"] = "operator:somebody else"
    said = town("audit", "verify", "--json")
    victim["actor"] = kept
    assert said.code == 1
    assert json.loads(said.out)["first_break"] == {"position": 7, "fault": "altered"}


def test_dead_events_are_seen_replayed_and_skipped(town: Office) -> None:
    outbox = town.house.container.store().tables["outbox"]
    two = [row for row in outbox.rows.values() if row["name"] == "mail.queued"][:2]
    for row in two:
        outbox.put({**row, "finished_at": None, "dead_at": row["created_at"], "last_error": "the moon"})
    assert {each["id"] for each in town.json("events", "dead")["items"]} == {str(row["id"]) for row in two}
    assert "the moon" in town("events", "dead").out
    assert town("events", "replay", str(two[0]["id"])).code == 0
    assert town("events", "skip", str(two[1]["id"])).code == 0
    town.settle()
    assert town.json("events", "dead")["items"] == []
    gone = town("events", "replay", str(two[0]["id"]), "--json")
    assert (gone.code, gone.refusal["code"]) == (1, "not_found")
    assert town("events", "skip", str(two[0]["id"]), "--as", ANA, "--json").refusal["code"] == "forbidden"
    noted = town.house.container.store().tables["security_events"].rows.values()
    assert {"event.replayed", "event.skipped"} <= {row["kind"] for row in noted}


def test_events_are_listed_by_name_and_what_they_are_about(town: Office) -> None:
    some = town.json("events", "list", "--name", "booking.confirmed", "--limit", "2")
    assert [each["name"] for each in some["items"]] == ["booking.confirmed"] * 2
    about = some["items"][0]["subject_id"]
    assert all(each["subject_id"] == about for each in town.json("events", "list", "--subject", about)["items"])
    assert all(not each["finished_at"] for each in town.json("events", "list", "--waiting")["items"])


def test_mails_are_listed_and_only_failed_ones_sent_again(town: Office) -> None:
    mail = town.one("mail", "list", "--state", "sent")
    said = town("mail", "resend", mail["id"], "--json")
    assert said.code == 1
    assert said.refusal["code"].startswith("mail.")
    mails = town.house.container.store().tables["mails"]
    mails.put({**mails.rows[UUID(mail["id"])], "state": "failed"})
    assert town.json("mail", "resend", mail["id"])["state"] == "queued"


def test_webhooks_are_listed_and_replayed(town: Office) -> None:
    from application.payments import ReceiveWebhook
    from domain.shared.actors import ANONYMOUS

    async def deliver() -> None:
        deliveries = town.house.container.simulated_deliveries()
        rows = await deliveries._books.do(deliveries._claim)
        from adapters.simulated_gateway.signature import HEADER, signed

        for row in rows:
            raw = row["body"].encode()
            clock = town.house.container.clock()
            headers = {HEADER: signed(raw, town.house.container.secret(), clock.now())}
            await town.house.use(ReceiveWebhook)(ANONYMOUS, "simulated", raw, headers)

    asyncio.run(deliver())
    town.settle()
    webhook = town.one("webhooks", "list", "--sender", "simulated")
    assert webhook["outcome"] == "settled"
    assert "payload" not in webhook
    assert town.json("webhooks", "replay", webhook["id"])["processed_at"] is None
