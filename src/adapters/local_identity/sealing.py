"""Sealing what must wait and must not be read while it does: AES-SIV (RFC 5297), under a key of the house's secret."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from application.ports.hooks import SealedSecrets
from domain.shared.errors import Unavailable

LABEL = b"guildhall sealed secret"


class HouseSeal(SealedSecrets):
    """It needs no chance: the same secret is sealed alike, which tells nobody anything but that."""

    def __init__(self, key: str) -> None:
        self._cipher = AESSIV(hmac.digest(key.encode(), LABEL, "sha512"))

    def seal(self, secret: str) -> str:
        return urlsafe_b64encode(self._cipher.encrypt(secret.encode(), [LABEL])).decode()

    def open(self, sealed: str) -> str:
        try:
            return self._cipher.decrypt(urlsafe_b64decode(sealed), [LABEL]).decode()
        except (InvalidTag, ValueError):
            raise Unavailable("this was sealed under another secret of the house") from None
