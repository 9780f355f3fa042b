"""Chance from a seed, in streams of their own: what one draws never changes what another does."""

from hashlib import blake2b
from random import Random

Dice = Random


def stream(seed: int, *names: object) -> Dice:
    """The stream of that name: the same numbers again for the same seed and names, on every Python."""
    spelled = "\n".join(str(name) for name in (seed, *names)).encode()
    return Random(int.from_bytes(blake2b(spelled, digest_size=8).digest(), "big"))
