"""A state for every rule in which it is broken, written past every guard; named after the rule."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from adapters.persistence.schema.tables import Row
from tests.rules.lives import Town

Plant = Callable[[Town], object]
STRANGER = UUID(int=999)
DAYS = timedelta(days=2)


def _confirmed(row: Row) -> bool:
    return row["state"] == "confirmed" and row["capacity"] == 1


def _shared(row: Row) -> bool:
    return row["state"] == "confirmed" and row["capacity"] > 1


def _captured(row: Row) -> bool:
    return row["state"] == "captured"


def _capture(row: Row) -> bool:
    return row["source_kind"] == "capture"


def _overlap(town: Town) -> None:
    booking = town.some("bookings", _confirmed)
    town.add("bookings", booking, reference="OTHER", occupancy=STRANGER, state="held", payment_id=None)


def _overfull(town: Town) -> None:
    booking = town.some("bookings", _shared)
    town.set("bookings", booking, seats=booking["capacity"] + 1)


def _miscounted(town: Town) -> None:
    tally = town.some("tallies", lambda row: row["name"].startswith("seats:"))
    town.set("tallies", tally, value=tally["value"] + 1)


def _sometime(table: str, **columns: object) -> Plant:
    """Some row of that table, with these columns instead."""
    return lambda town: town.set(table, town.some(table), **columns)


def _ended_early(town: Town) -> None:
    booking = town.some("bookings", lambda row: row["state"] == "expired")
    town.set("bookings", booking, expires_at=booking["expires_at"] + DAYS)


def _again(table: str, where: Callable[[Row], bool] = lambda _: True, **columns: object) -> Plant:
    """Some row of that table a second time, but for these columns."""
    return lambda town: town.add(table, town.some(table, where), **columns)


def _when(table: str, where: Callable[[Row], bool], **columns: object) -> Plant:
    """A row like that, with these columns instead."""
    return lambda town: town.set(table, town.some(table, where), **columns)


def _raised(table: str, column: str, where: Callable[[Row], bool] = lambda _: True) -> Plant:
    """A number of some row, one higher."""

    def plant(town: Town) -> None:
        row = town.some(table, where)
        town.set(table, row, **{column: row[column] + 1})

    return plant


def _two_captures(town: Town) -> None:
    town.add("ledger", town.some("ledger", _capture), source_id="simulated:another")


def _homeless(town: Town) -> None:
    booking = town.some("bookings", lambda row: row["paid"])
    town.set("bookings", booking, paid=False)


def _rival(town: Town) -> None:
    town.add("payments", town.some("payments", _captured), state="open", gateway_ref="another")


def _rival_of_invoice(town: Town) -> None:
    payment = town.some("payments", lambda row: row["invoice_id"] is not None)
    for ref in ("one", "another"):
        town.add("payments", payment, state="open", gateway_ref=ref)


def _overtaken(town: Town) -> None:
    events = [row for row in town.tables["outbox"].values() if not row["scheduled"]]

    def subject(row: Row) -> tuple[object, ...]:
        return (row["subject_table"], row["subject_id"])

    pairs = ((one, two) for one in events for two in events if subject(one) == subject(two))
    first = next(one for one, two in pairs if one["subject_version"] < two["subject_version"])
    town.set("outbox", first, finished_at=None)


def _reacted(row: Row) -> bool:
    return row["principal"] == "system" and row["expires_at"] is None


def _answered_late(town: Town) -> None:
    dispute = town.some("disputes", lambda row: row["submitted_at"] is not None)
    town.set("disputes", dispute, due_at=dispute["opened_at"] - DAYS)


def _two_current(town: Town) -> None:
    town.set("refresh_tokens", town.some("refresh_tokens", lambda row: row["rotated_at"]), rotated_at=None)
    token = next(row for row in town.tables["refresh_tokens"].values() if row["revoked_at"])
    town.set("refresh_tokens", token, revoked_at=None)


def _ended(row: Row) -> bool:
    return row["revoked_at"] is not None


def _used(row: Row) -> bool:
    return row["used_at"] is not None


def _survivor(town: Town) -> None:
    session = town.some("sessions", _ended)
    token = next(row for row in town.tables["refresh_tokens"].values() if row["session_id"] == session["id"])
    town.set("refresh_tokens", token, revoked_at=None, rotated_at=None)


def _lingering(town: Town) -> None:
    town.remove("audit", town.some("audit", lambda row: row["action"] == "user.sessions_ended"))


def _another_mailbox(town: Town) -> None:
    user = town.some("users")
    town.add("users", user, email=user["email"].upper())


def _merged(town: Town) -> None:
    identity = town.some("external_identities")
    other = town.some("users", lambda row: row["created_at"] != identity["created_at"])
    town.set("external_identities", identity, user_id=other["id"])


def _unproven(town: Town) -> None:
    linked = town.some("audit", lambda row: row["action"] == "identity.linked")
    told = {**linked["details"], "origin": "verified_email", "email_verified": False}
    town.set("audit", linked, details=told)


def _moved(town: Town, kind: str, minor: int) -> None:
    """A movement of some captured payment's money on its organization's own account."""
    capture = town.some("ledger", _capture)
    account = f"organization:{capture['organization_id']}:account"
    told = {"account": account, "books": "organization", "source_kind": kind, "source_id": f"simulated:{kind}"}
    town.add("ledger", capture, **told, amount_minor=minor, position=None, hash=None)


def _back_for_nothing(town: Town) -> None:
    _moved(town, "transfer", 100)
    _moved(town, "transfer_reversed", -101)


def _unshared(town: Town) -> None:
    share = {"payee_ref": "sa_1", "fee": {"amount_minor": 1, "currency": "EUR"}, "back": "kept"}
    refunds = town.tables["refunds"].values()
    by_hand = "made at the gateway"
    attended = {row["payment_id"] for row in refunds if row["state"] != "succeeded" or row["reason"] == by_hand}
    payment = town.some("payments", lambda row: _captured(row) and row["id"] not in attended)
    town.set("payments", payment, share=share)


def _unbooked_payout(town: Town) -> None:
    capture = town.some("ledger", _capture)
    payee = {
        "id": STRANGER,
        "version": 1,
        "organization_id": capture["organization_id"],
        "gateway": "simulated",
        "gateway_ref": "sa_1",
        "state": "enabled",
        "takes_charges": True,
        "pays_out": True,
        "wanted": [],
        "created_at": town.now,
    }
    town.add("payees", payee)
    payout = {
        "id": STRANGER,
        "version": 1,
        "payee_id": next(iter(town.tables["payees"])),
        "organization_id": capture["organization_id"],
        "gateway": "simulated",
        "gateway_ref": "so_1",
        "amount_minor": 900,
        "amount_currency": "EUR",
        "state": "paid",
        "failure": "",
        "arrives_at": None,
        "created_at": town.now,
        "settled_at": town.now,
    }
    town.add("payouts", payout)


def _torn(town: Town) -> None:
    town.remove("ledger", town.some("ledger", lambda row: row["position"] == 2))


def _unsealed_entry(town: Town) -> None:
    last = max(row["position"] for row in town.tables["ledger"].values())
    entry = town.some("ledger", lambda row: row["position"] == last)
    town.set("ledger", entry, position=None, hash=None, created_at=town.now - DAYS)


def _gap(town: Town) -> None:
    town.remove("audit", town.some("audit", lambda row: row["position"] == 7))


def _untold_version(town: Town) -> None:
    row = town.some("audit", lambda row: row["subject_table"] == "bookings" and row["subject_version"] == 1)
    versions = [other for other in town.tables["audit"].values() if other["subject_id"] == row["subject_id"]]
    for each in versions:
        if each["subject_version"] == 1:
            town.remove("audit", each)


def _stranger_in(town: Town) -> None:
    message = town.some("messages")
    town.set("messages", message, sender_id=STRANGER)


def _left_out(town: Town) -> None:
    town.remove("participants", town.some("participants"))


def _someone_elses(town: Town) -> None:
    row = town.some("conversations", lambda row: row["kind"] == "booking")
    provider = town.tables["bookings"][row["booking_id"]]["provider_id"]
    town.set("conversations", row, created_by=provider)


def _overdue(town: Town) -> None:
    town.set("outbox", town.some("outbox"), finished_at=None, due_at=town.now - DAYS)


def _given_up(town: Town) -> None:
    town.set("outbox", town.some("outbox"), finished_at=None, dead_at=town.now - DAYS)


def _doubtful(table: str) -> Plant:
    def plant(town: Town) -> None:
        town.set(table, town.some(table), state="unknown", created_at=town.now - DAYS)

    return plant


def _unheard(town: Town) -> None:
    town.set("webhooks", town.some("webhooks"), processed_at=None, received_at=town.now - DAYS)


def _unsealed(town: Town) -> None:
    town.set("audit", town.some("audit"), position=None, hash=None, at=town.now - DAYS)


def _waiting_again(town: Town) -> None:
    town.set("bookings", town.some("bookings", lambda row: row["state"] == "expired"), state="held")


def _unsent(town: Town) -> None:
    file = town.some("files")
    town.set("files", file, state="uploading", belongs_to=None, audience="participants", expires_at=town.now - DAYS)


PLANTS: dict[str, Plant] = {
    # bookings
    "no_two_active_bookings_overlap": _overlap,
    "active_is_what_its_state_says": _when("bookings", _confirmed, active=False),
    "a_session_shares_one_key": _when("bookings", _shared, occupancy=STRANGER),
    "seats_never_exceed_capacity": _overfull,
    "seats_are_counted_as_taken": _miscounted,
    "confirmed_means_free_paid_or_later": _when("bookings", _confirmed, terms="prepaid"),
    "paid_means_captured": _when("payments", _captured, captured_minor=1),
    "the_history_is_a_path": _when("bookings", lambda row: row["state"] == "completed", state="no_show"),
    "what_is_blocked_is_the_time_and_its_buffers": _raised("bookings", "buffer_after"),
    "the_snapshot_decides_the_refund": _when("bookings", lambda row: row["paid"], refund_minor=1),
    "news_is_told_once": _again("notifications", lambda row: row["kind"] == "booking.confirmed"),
    "no_more_goes_back_than_was_decided": _raised(
        "refunds", "amount_minor", lambda row: row["reason"] == "the booking was cancelled"
    ),
    "no_hold_ends_before_its_time": _ended_early,
    "a_move_is_told": _raised("bookings", "sequence"),
    "a_reference_is_one_booking": _again("bookings"),
    "the_price_is_what_is_asked": _raised("payments", "amount_minor"),
    "no_hold_outlives_its_time": _waiting_again,
    # payments
    "transactions_sum_to_zero": _raised("ledger", "amount_minor"),
    "no_more_goes_back_than_came": _when("payments", _captured, refunded_minor=10**9),
    "figures_are_those_of_the_refunds": _sometime("refunds", state="pending"),
    "figures_are_those_of_the_ledger": lambda town: town.remove("ledger", town.some("ledger", _capture)),
    "the_ledger_s_chain_has_no_gap": _torn,
    "the_ledger_is_sealed": _unsealed_entry,
    "one_effect_per_gateway_object": _again("ledger"),
    "a_payment_is_captured_once": _two_captures,
    "no_more_comes_back_than_was_shared": _back_for_nothing,
    "captured_money_is_shared_as_agreed": _unshared,
    "a_payout_is_booked_as_it_stands": _unbooked_payout,
    "a_gateway_payment_is_one_of_ours": _again("payments"),
    "a_gateway_refund_is_one_of_ours": _again("refunds"),
    "a_gateway_dispute_is_one_of_ours": _again("disputes"),
    "figures_are_those_of_the_disputes": _raised("disputes", "taken_minor"),
    "evidence_keeps_its_deadline": _answered_late,
    "a_webhook_is_kept_once": _again("webhooks"),
    "captured_money_has_a_place": _homeless,
    "one_currency_all_the_way": _sometime("refunds", amount_currency="USD"),
    "unknown_payments_are_on_their_way": _sometime("payments", state="unknown"),
    "unknown_refunds_are_on_their_way": _sometime("refunds", state="unknown"),
    "one_live_payment_per_booking": _rival,
    "no_payment_stays_unknown": _doubtful("payments"),
    "no_refund_stays_unknown": _doubtful("refunds"),
    # invoicing
    "papers_are_numbered_without_gaps": _raised("papers", "sequence"),
    "what_is_asked_for_is_on_the_paper": _raised("invoices", "total_minor", lambda row: row["paper_id"] is not None),
    "an_accepted_quote_becomes_one_invoice": _when("invoices", lambda row: row["quote_id"] is not None, quote_id=None),
    "paid_is_what_settlements_add_up_to": lambda town: town.remove("settlements", town.some("settlements")),
    "credited_is_what_credit_notes_add_up_to": _raised(
        "papers", "total_minor", lambda row: row["kind"] == "credit_note"
    ),
    "captured_money_of_an_invoice_is_counted": lambda town: town.remove(
        "settlements", town.some("settlements", lambda row: row["kind"] == "gateway")
    ),
    "what_is_too_much_goes_back": _raised("payments", "captured_minor", lambda row: row["invoice_id"] is not None),
    "one_live_payment_per_invoice": _rival_of_invoice,
    # events
    "one_receipt_per_key": _again("receipts"),
    "processed_says_what_came_of_it": _sometime("webhooks", processed_at=None),
    "waiting_webhooks_are_on_their_way": _sometime("webhooks", outcome="waiting"),
    "requested_payments_are_on_their_way": _sometime("payments", state="requested"),
    "requested_refunds_are_on_their_way": _sometime("refunds", state="requested"),
    "queued_mails_are_on_their_way": _sometime("mails", state="queued"),
    "a_mail_is_written_once": _again("mails"),
    "no_event_without_its_commit": _when("outbox", lambda row: not row["scheduled"], name="booking.invented"),
    "no_reaction_without_its_event": _when("receipts", _reacted, key="no event"),
    "events_keep_their_order": _overtaken,
    "every_event_is_delivered": _overdue,
    "no_event_is_given_up": _given_up,
    "no_webhook_waits": _unheard,
    # reviews
    "one_review_per_side": _again("reviews"),
    "only_completed_work_is_reviewed": _when("bookings", lambda row: row["state"] == "completed", state="confirmed"),
    "the_author_was_a_party": _sometime("reviews", author_id=STRANGER),
    "summaries_equal_recomputation": _raised("ratings", "count"),
    "the_average_is_of_the_summary": _raised("ratings", "average_hundredths"),
    # messages
    "only_participants_write": _stranger_in,
    "a_conversation_is_between_its_two": _left_out,
    "a_bookings_conversation_is_its_customers": _someone_elses,
    "messages_are_numbered_without_gaps": _raised("messages", "sequence"),
    "nobody_has_read_what_was_not_written": _sometime("participants", read_sequence=99),
    # files
    "deleted_files_are_on_their_way": _sometime("files", state="deleted", belongs_to=None),
    "what_is_shown_is_kept": _sometime("files", belongs_to=STRANGER),
    "what_is_kept_is_counted": _raised("tallies", "value", lambda row: row["name"].startswith("files:")),
    "a_file_is_what_it_is_kept_as": _sometime("files", found_type="application/pdf"),
    "uploads_come_or_are_given_up": _unsent,
    # identity
    "one_current_refresh_token": _two_current,
    "an_end_is_told_once_and_stays": _when("sessions", _ended, revoked_at=None),
    "an_ended_session_has_no_token_left": _survivor,
    "a_link_works_once": _when("one_time_tokens", _used, used_at=None),
    "only_living_links_are_used": _when("one_time_tokens", _used, user_id=None),
    "a_password_change_ends_sessions": _lingering,
    "epochs_count_the_endings": _raised("users", "epoch"),
    "no_session_is_ahead_of_its_user": _sometime("sessions", epoch=9),
    "refresh_tokens_are_hashes": _sometime("refresh_tokens", token_hash="as it was sent"),
    "links_are_hashes": _sometime("one_time_tokens", token_hash="as it was sent"),
    "passwords_are_hashes": _sometime("credentials", password_hash="hunter2hunter2"),
    "no_receipt_keeps_tokens": _sometime("receipts", answer_table="sessions"),
    "an_address_is_one_user": _another_mailbox,
    "a_newcomer_is_a_user_of_their_own": _merged,
    "an_address_joins_only_when_confirmed": _unproven,
    # organizations and what they buy
    "an_organization_counts_its_owners": _raised("organizations", "owners"),
    "accepted_invitations_were_so_once": _when("invitations", lambda row: row["state"] == "accepted", state="pending"),
    "invitations_are_hashes": _sometime("invitations", token_hash="as it was sent"),
    "one_subscription_per_gateway_object": _again("subscriptions"),
    "provisioned_purchases_were_so_once": _sometime("purchases", state="open"),
    # audit
    "every_row_is_told_as_it_is": _raised("profiles", "version"),
    "every_version_is_told": _untold_version,
    "the_chain_has_no_gap": _gap,
    "the_trail_is_sealed": _unsealed,
}
