"""Passwords: argon2id on threads of their own; hashes brought from elsewhere are read, and made anew on first use."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import bcrypt
from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher

from application.ports.identity import PasswordHasher, Verdict
from domain.shared.errors import TooMany

T = TypeVar("T")

BCRYPT_BYTES = 72
"""bcrypt never looked further, and its makers now refuse more."""


@dataclass(frozen=True, slots=True)
class HashCost:
    """What one hash costs, and whoever tries to guess: memory in KiB, passes over it, and lanes."""

    memory_kib: int = 19 * 1024
    passes: int = 2
    lanes: int = 1

    @classmethod
    def least(cls) -> "HashCost":
        """The cheapest there is, for tests: such hashes are made anew under any other cost."""
        return cls(memory_kib=8, passes=1, lanes=1)


class LocalPasswords(PasswordHasher):
    """Hashes on at most `threads` threads; more than `waiting` at once are turned away, so that a flood of sign-ins
    does not take everybody else's answers with it."""

    def __init__(self, cost: HashCost = HashCost(), *, threads: int = 2, waiting: int = 200) -> None:
        argon2 = Argon2Hasher(time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes)
        self._hashes = PasswordHash((argon2, _ImportedBcrypt()))
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="passwords")
        self._most, self._pending = threads + waiting, 0
        self._nobodys = self._hashes.hash("nobody has this password, and nobody ever will")

    async def hash(self, password: str) -> str:
        return await self._aside(partial(self._hashes.hash, password))

    async def verify(self, password: str, hash: str | None) -> bool:
        return (await self._aside(partial(self._judge, password, hash))).matches

    async def verify_and_upgrade(self, password: str, hash: str | None) -> Verdict:
        return await self._aside(partial(self._judge, password, hash, upgrade=True))

    def close(self) -> None:
        """Let the threads go, when what they are at is done."""
        self._threads.shutdown(wait=True)

    def _judge(self, password: str, hash: str | None, *, upgrade: bool = False) -> Verdict:
        try:
            password.encode()
            if hash is not None:
                if upgrade:
                    return Verdict(*self._hashes.verify_and_update(password, hash))
                return Verdict(self._hashes.verify(password, hash))
        except (UnknownHashError, UnicodeEncodeError):
            pass
        self._hashes.verify("somebody tries", self._nobodys)
        return Verdict(matches=False)

    async def _aside(self, work: Callable[[], T]) -> T:
        if self._pending >= self._most:
            raise TooMany("too many people sign in at this moment; try again in a few seconds", retry_after=2)
        self._pending += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._pending -= 1


class _ImportedBcrypt(BcryptHasher):
    """Hashes made elsewhere by bcrypt, which went by the first 72 bytes only."""

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        tried = password.encode() if isinstance(password, str) else password
        kept = hash.encode() if isinstance(hash, str) else hash
        try:
            return bcrypt.checkpw(tried[:BCRYPT_BYTES], kept)
        except ValueError:
            return False
