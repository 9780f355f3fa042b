"""Supabase's send-email hook: who may ask for letters, which letters those are, and what waits of them."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from adapters.local_identity import HouseSeal
from adapters.memory.mail import MemoryMailer
from adapters.supabase.auth import SupabaseLetterHook
from adapters.templates.calendars import CalendarInvites
from adapters.templates.letters import JinjaLetters
from application.notifications import QueueAskedLetters
from application.ports.mail import Mailbox
from application.ports.payments import BadSignature, MalformedWebhook, StaleSignature
from domain.notifications import MailQueued, Template
from domain.shared.actors import SYSTEM
from domain.shared.errors import Unavailable
from tests.application.front_door import FrontDoor
from tests.support.house import MONDAY, House

KEYS = {name: base64.b64encode(name.encode() * 8).decode() for name in ("old", "new", "bad")}
SECRETS = [f"v1,whsec_{KEYS['old']}", f"v1,whsec_{KEYS['new']}"]


def asked(action: str = "signup", **more: Any) -> bytes:
    """What Auth asks for."""
    user = {"id": "4711", "email": "ann@example.com", "new_email": more.pop("new_email", "")}
    data = {"token": "123456", "token_hash": "hash-of-it", "email_action_type": action, "redirect_to": "", **more}
    return json.dumps({"user": user, "email_data": data}).encode()


def signed(raw: bytes, *keys: str, at: int | None = None, id: str = "msg_1", glue: str = ", ") -> dict[str, str]:
    """The headers as Auth writes them; with several secrets it joins signatures by a comma and a space."""
    stamp = str(int(MONDAY.timestamp()) if at is None else at)
    signatures = []
    for key in keys or ("new",):
        digest = hmac.digest(base64.b64decode(KEYS[key]), f"{id}.{stamp}.".encode() + raw, hashlib.sha256)
        signatures.append(f"v1,{base64.b64encode(digest).decode()}")
    return {"webhook-id": id, "webhook-timestamp": stamp, "Webhook-Signature": glue.join(signatures)}


@pytest.fixture
def house() -> House:
    """A house that Supabase may ask for letters."""
    house = FrontDoor()
    house.ports.update(
        letter_hook=SupabaseLetterHook(SECRETS, house.clock),
        mailer=MemoryMailer(),
        printer=None,
        letters=JinjaLetters(),
        invites=CalendarInvites(),
        sender=Mailbox("Guildhall", "hello@house.example"),
    )
    return house


async def ask(house: House, raw: bytes, headers: dict[str, str] | None = None) -> int:
    """One call."""
    return await house.use(QueueAskedLetters)(SYSTEM, raw, signed(raw) if headers is None else headers)


@pytest.mark.parametrize(
    ("action", "template", "path"),
    [
        ("signup", "verify", "/verify"),
        ("magiclink", "magic_link", "/magic"),
        ("recovery", "reset_password", "/reset"),
        ("invite", "account_invite", "/reset"),
        ("email_change", "address_change", "/verify"),
    ],
)
async def test_each_kind_of_letter_leaves_with_a_link_to_the_page_that_spends_it(
    house: House, action: str, template: str, path: str
) -> None:
    assert await ask(house, asked(action)) == 1
    (queued,) = house.rows("mails")
    assert (queued["template"], queued["to"]) == (template, "ann@example.com")
    assert "hash-of-it" not in json.dumps(queued["context"])
    await house.deliver(MailQueued).all()
    (sent,) = house.ports["mailer"].sent
    assert f"https://house.example{path}?token=hash-of-it" in sent.text
    assert sent.html.count("hash-of-it") >= 2


async def test_a_change_of_address_is_confirmed_from_both_sides_and_auths_names_are_crossed(house: House) -> None:
    raw = asked("email_change", new_email="new@example.com", token_hash="for-new", token_hash_new="for-present")
    assert await ask(house, raw) == 2
    await house.deliver(MailQueued).all()
    texts = {mail.to: mail.text for mail in house.ports["mailer"].sent}
    assert "for-new" in texts["new@example.com"]
    assert "for-present" in texts["ann@example.com"]


async def test_the_same_call_again_queues_nothing_more(house: House) -> None:
    assert [await ask(house, asked()), await ask(house, asked())] == [1, 0]
    raw = asked()
    assert await ask(house, raw, signed(raw, id="msg_2")) == 1


async def test_what_the_houses_pages_know_nothing_of_is_no_letter(house: House) -> None:
    assert await ask(house, asked("reauthentication")) == 0


@pytest.mark.parametrize("keys", [("old",), ("new",), ("bad", "old"), ("old", "new"), ("bad", "new")])
@pytest.mark.parametrize("glue", [", ", " "])
async def test_either_secret_is_believed_however_the_signatures_are_joined(
    house: House, keys: tuple[str, ...], glue: str
) -> None:
    raw = asked()
    assert await ask(house, raw, signed(raw, *keys, glue=glue)) == 1


@pytest.mark.parametrize("seconds", [-301, 301, -(10**9), 10**9])
async def test_a_call_of_another_time_is_stale(house: House, seconds: int) -> None:
    raw = asked()
    with pytest.raises(StaleSignature):
        await ask(house, raw, signed(raw, at=int(MONDAY.timestamp()) + seconds))


GOOD = signed(asked())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed(asked(), "bad"),
        {**GOOD, "webhook-id": ""},
        {**GOOD, "webhook-id": "x" * 151},
        {**GOOD, "webhook-id": "msg_2"},
        {**GOOD, "webhook-timestamp": ""},
        {**GOOD, "webhook-timestamp": "soon"},
        {**GOOD, "webhook-timestamp": "-1"},
        {**GOOD, "webhook-timestamp": "٣"},
        {**GOOD, "webhook-timestamp": "9" * 40},
        {**GOOD, "Webhook-Signature": ""},
        {**GOOD, "Webhook-Signature": "v1"},
        {**GOOD, "Webhook-Signature": "v1,"},
        {**GOOD, "Webhook-Signature": "v1,not base64 at all"},
        {**GOOD, "Webhook-Signature": "v2," + GOOD["Webhook-Signature"].removeprefix("v1,")},
        {**GOOD, "Webhook-Signature": ",,, ,v1,\udcff"},
        {**GOOD, "Webhook-Signature": GOOD["Webhook-Signature"] + "x"},
    ],
    ids=range(17),
)
async def test_what_is_not_signed_by_auth_is_refused_whatever_it_looks_like(
    house: House, headers: dict[str, str]
) -> None:
    with pytest.raises(BadSignature):
        await ask(house, asked(), headers)
    assert house.rows("mails") == []


async def test_a_body_that_was_changed_on_the_way_is_refused(house: House) -> None:
    with pytest.raises(BadSignature):
        await ask(house, asked("recovery"), signed(asked("signup")))
    with pytest.raises(BadSignature):
        await ask(house, b"\xff\xfe", signed(b"\xff\xfe", "bad"))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"not json",
        b'{"user": {}, "email_data": {}}',
        b'{"user": {"email": 7}, "email_data": {"email_action_type": "signup", "token_hash": "h"}}',
        b'{"user": {"email": "a@b.c"}, "email_data": {"email_action_type": "signup", "token_hash": ""}}',
        b'{"user": {"email": "a@b.c\\nBcc: x@y.z"}, "email_data": {"email_action_type": "signup", "token_hash": "h"}}',
        b'{"user": "ann", "email_data": {"email_action_type": "signup", "token_hash": "h"}}',
        b'{"user": {"email": "a@b.c"}, "email_data": {"email_action_type": ["signup"], "token_hash": "h"}}',
    ],
)
async def test_what_is_signed_and_cannot_be_read_is_told_so(house: House, raw: bytes) -> None:
    with pytest.raises(MalformedWebhook):
        await ask(house, raw)


def test_what_waits_is_sealed_for_this_house_only() -> None:
    ours, theirs = HouseSeal("a secret of this house, long enough"), HouseSeal("a secret of another house, as long")
    sealed = ours.seal("hash-of-it")
    assert ours.open(sealed) == "hash-of-it"
    assert "hash-of-it" not in sealed
    for house, what in ((theirs, sealed), (ours, sealed[:-6] + "AAAAA="), (ours, "not sealed"), (ours, "")):
        with pytest.raises(Unavailable):
            house.open(what)


def test_every_letter_of_an_account_can_be_asked_for() -> None:
    from adapters.supabase.auth.hooks import LETTERS

    assert set(LETTERS.values()) >= {Template.VERIFY, Template.MAGIC_LINK, Template.RESET_PASSWORD}
