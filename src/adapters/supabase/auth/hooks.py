"""Auth's send-email hook: Standard Webhooks, as Auth writes them."""

import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from standardwebhooks import Webhook

from application.ports.clock import Clock
from application.ports.hooks import AskedLetter, AskedLetters, LetterHook
from application.ports.payments import BadSignature, MalformedWebhook, StaleSignature
from domain.notifications import Template, address
from domain.shared.errors import Refusal

TOLERANCE = timedelta(minutes=5)
LONGEST_ID, LONGEST_SECRET = 150, 500
LETTERS = {
    "signup": Template.VERIFY,
    "magiclink": Template.MAGIC_LINK,
    "recovery": Template.RESET_PASSWORD,
    "invite": Template.ACCOUNT_INVITE,
    "email_change": Template.ADDRESS_CHANGE,
}
"""By what the user did. Of the rest (codes to type in for reauthentication) the house's pages know nothing."""


class SupabaseLetterHook(LetterHook):
    """Believes calls signed with one of `secrets` within five minutes, before or after."""

    def __init__(self, secrets: Sequence[str], clock: Clock, *, tolerance: timedelta = TOLERANCE) -> None:
        # Auth writes the version before its secret; with it the library never finds anything to fit.
        self._webhooks = tuple(Webhook(secret.removeprefix("v1,")) for secret in secrets)
        self._clock, self._tolerance = clock, tolerance

    def read(self, raw: bytes, headers: Mapping[str, str]) -> AskedLetters:
        said = {name.lower(): value for name, value in headers.items()}
        id, signed_at = said.get("webhook-id", ""), said.get("webhook-timestamp", "")
        if not (0 < len(id) <= LONGEST_ID and id.isascii() and id.isprintable()):
            raise BadSignature("the call is not signed")
        if not (signed_at.isascii() and signed_at.isdigit() and len(signed_at) <= 11):
            raise BadSignature("the call is not signed")
        at = datetime.fromtimestamp(int(signed_at), UTC)
        if not any(self._fits(webhook, raw, id, at, said.get("webhook-signature", "")) for webhook in self._webhooks):
            raise BadSignature("the signature does not fit the call")
        if abs(self._clock.now() - at) > self._tolerance:
            raise StaleSignature("the call was signed too long ago, or in the future")
        return AskedLetters(id, tuple(_letters(raw)))

    @staticmethod
    def _fits(webhook: Webhook, raw: bytes, id: str, at: datetime, header: str) -> bool:
        """Whether one of the signatures in the header is ours. With several secrets Auth separates them by a comma and
        a space, where the standard has a space."""
        try:
            wanted = webhook.sign(id, at, raw.decode()).encode()
        except UnicodeDecodeError:
            return False
        given = header.replace(", ", " ").split(" ")
        return any(hmac.compare_digest(wanted, each.encode("utf-8", "surrogatepass")) for each in given)


def _letters(raw: bytes) -> list[AskedLetter]:
    try:
        told = json.loads(raw)
        user, data = told["user"], told["email_data"]
        template = LETTERS.get(data["email_action_type"])
        if template is None:
            return []
        if template is not Template.ADDRESS_CHANGE:
            return [_letter(template, user["email"], data["token_hash"])]
        return list(_change(user, data))
    except (ValueError, KeyError, TypeError, AttributeError, Refusal) as problem:
        if isinstance(problem, MalformedWebhook):
            raise
        raise MalformedWebhook("the call asks for no letter we can read") from None


def _change(user: Mapping[str, Any], data: Mapping[str, Any]) -> list[AskedLetter]:
    """To the new address, and to the present one where both are asked. Auth's names are crossed: `token_hash_new` is
    for the present address."""
    new = user.get("new_email") or user.get("email_change") or user["email"]
    letters = [_letter(Template.ADDRESS_CHANGE, new, data["token_hash"])]
    if (secret := data.get("token_hash_new")) and new != user["email"]:
        letters.append(_letter(Template.ADDRESS_CHANGE, user["email"], secret))
    return letters


def _letter(template: Template, to: Any, secret: Any) -> AskedLetter:
    if not isinstance(to, str) or not isinstance(secret, str) or not 0 < len(secret) <= LONGEST_SECRET:
        raise MalformedWebhook("the call asks for no letter we can read")
    return AskedLetter(template, address(to), secret)
