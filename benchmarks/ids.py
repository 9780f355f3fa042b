"""Ids and references for those who are measured beside Guildhall, made as cheaply as they can be."""

import os
import time
from random import choices
from uuid import UUID

ALPHABET = "23456789ACDEFGHJKMNPQRTVWXY"


def fresh_id() -> UUID:
    """A version 7 UUID, so that indexes grow at one end for everybody."""
    chance = int.from_bytes(os.urandom(10), "big")
    return UUID(
        int=time.time_ns() // 1_000_000 << 80
        | 0x7 << 76
        | (chance >> 64 & 0xFFF) << 64
        | 1 << 63
        | chance >> 18 & (1 << 62) - 1
    )


def fresh_reference() -> str:
    """A reference such as K7QM-3XTR."""
    drawn = "".join(choices(ALPHABET, k=8))
    return f"{drawn[:4]}-{drawn[4:]}"
