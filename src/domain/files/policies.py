"""What each bucket takes, from whom, for whose eyes, and what is made of it."""

from dataclasses import dataclass
from enum import StrEnum

from domain.shared.actors import Role

MEBIBYTE = 1024 * 1024
ORIGINAL = "original"
"""The name of a file's full size, beside those of its smaller copies."""


class Bucket(StrEnum):
    """What a file is for: a person's picture, the pictures of a job, or something attached to a message."""

    AVATARS = "avatars"
    JOB_PICTURES = "job-pictures"
    ATTACHMENTS = "attachments"


class Audience(StrEnum):
    """Who may read: everybody, or whoever takes part in the conversation it belongs to (and its owner)."""

    EVERYBODY = "everybody"
    PARTICIPANTS = "participants"


@dataclass(frozen=True, slots=True)
class Size:
    """A smaller copy of a picture: it fits into a square with sides of so many pixels, and is never enlarged."""

    name: str
    side: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePolicy:
    """Who may put which files, how large, for whom; and the smaller copies made of pictures."""

    puts: frozenset[Role]
    audience: Audience
    types: frozenset[str]
    most_bytes: int
    sizes: tuple[Size, ...] = ()


PICTURES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
"""Types that are pictures: decoded, stripped of everything but pixels, and encoded anew."""

EXTENSIONS: dict[str, tuple[str, ...]] = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    "image/gif": (".gif",),
    "application/pdf": (".pdf",),
    "text/plain": (".txt",),
}
"""How the names of such files end."""

_ANYBODY = frozenset(Role)
_SIZES = (Size("thumbnail", 160), Size("medium", 800))

FILE_POLICIES: dict[Bucket, FilePolicy] = {
    Bucket.AVATARS: FilePolicy(
        puts=_ANYBODY, audience=Audience.EVERYBODY, types=PICTURES, most_bytes=5 * MEBIBYTE, sizes=_SIZES
    ),
    Bucket.JOB_PICTURES: FilePolicy(
        puts=frozenset({Role.PROVIDER, Role.ADMIN}),
        audience=Audience.EVERYBODY,
        types=PICTURES,
        most_bytes=10 * MEBIBYTE,
        sizes=_SIZES,
    ),
    Bucket.ATTACHMENTS: FilePolicy(
        puts=_ANYBODY,
        audience=Audience.PARTICIPANTS,
        types=PICTURES | {"application/pdf", "text/plain"},
        most_bytes=20 * MEBIBYTE,
        sizes=_SIZES[:1],
    ),
}
"""The policy of every bucket."""

BIGGEST = max(policy.most_bytes for policy in FILE_POLICIES.values())
"""No bucket takes more than this."""
