"""A chain of sealed entries: each seal covers its entry and the seal before, so that nothing can change unnoticed."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import ClassVar, Generic, Protocol, TypeVar
from uuid import UUID

from domain.shared.errors import Conflict

GENESIS = "0" * 64
"""The hash before the first entry."""


class AlreadySealed(Conflict):
    """Another sealer lengthened the chain first; what is left is sealed the next time."""

    code = "audit.already_sealed"

    def __init__(self) -> None:
        super().__init__("another sealer was faster")


class Sealable(Protocol):
    """What is written once and can be put into a chain. `sealed_as` says of what kind it is, and in which form."""

    sealed_as: ClassVar[bytes]

    @property
    def id(self) -> UUID: ...

    def canonical(self) -> bytes:
        """Itself as bytes that are the same on every store."""
        ...


E = TypeVar("E", bound=Sealable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The place an entry has in the chain, and the hash that ties it to all before it."""

    entry_id: UUID
    position: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of the chain so far; position 0 while it is empty."""

    position: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Generic[E]):
    """One sealed entry, its place and its hash, all as they are stored now."""

    position: int
    hash: str
    entry: E


class Fault(StrEnum):
    """What is wrong where a chain breaks."""

    GAP = "gap"
    """A sealed entry is gone, or out of turn."""
    ALTERED = "altered"
    """The entry, or something before it, is not what was sealed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """The first place where the chain does not hold."""

    position: int
    fault: Fault


def link(previous: str, entry: Sealable) -> str:
    """The hash of an entry that follows the entry of hash `previous`: SHA-256, in hexadecimal."""
    return sha256(entry.sealed_as + bytes.fromhex(previous) + entry.canonical()).hexdigest()


def seal(entries: Iterable[Sealable], *, onto: Head) -> list[Seal]:
    """The seals that lengthen the chain by these entries, in this order."""
    seals: list[Seal] = []
    for position, entry in enumerate(entries, start=onto.position + 1):
        onto = Head(position=position, hash=link(onto.hash, entry))
        seals.append(Seal(entry_id=entry.id, position=position, hash=onto.hash))
    return seals


def verify(links: Iterable[Link[E]], *, onto: Head = Head()) -> Break | None:
    """The first break in a stretch of the chain that follows `onto`, or None when all of it holds."""
    for each in links:
        if each.position != onto.position + 1:
            return Break(position=onto.position + 1, fault=Fault.GAP)
        if each.hash != link(onto.hash, each.entry):
            return Break(position=each.position, fault=Fault.ALTERED)
        onto = Head(position=each.position, hash=each.hash)
    return None
