"""Letters somebody else asks us to send: what is asked, and how the secrets in it wait."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from domain.notifications import Template


@dataclass(frozen=True, slots=True)
class AskedLetter:
    """One letter to one address; `secret` makes its link work, and is nobody's else."""

    template: Template
    to: str
    secret: str


@dataclass(frozen=True, slots=True)
class AskedLetters:
    """What one call asks for; the same call again carries the same `id`."""

    id: str
    letters: tuple[AskedLetter, ...]


class LetterHook(Protocol):
    """Tells the calls of whoever keeps our accounts from everybody else's."""

    def read(self, raw: bytes, headers: Mapping[str, str]) -> AskedLetters:
        """What is asked, when the signature over the raw bytes is good and fresh; else `BadSignature`,
        `StaleSignature` or `MalformedWebhook`."""
        ...


class SealedSecrets(Protocol):
    """Secrets of others that must wait in a queue: what is stored of them is of use to this house only."""

    def seal(self, secret: str) -> str:
        """The secret, sealed; the same each time."""
        ...

    def open(self, sealed: str) -> str:
        """The secret again; `Unavailable` when it was sealed by another house."""
        ...
