"""Every refusal of the business, in five families.

Refusal
├── NotFound      it is not there, or not for you to know
├── Forbidden     you may not
│   └── Unauthenticated   we do not know who you are
├── Conflict      not now: the state of things stands against it
│   ├── StaleVersion      somebody else changed it while we did; the whole command may be tried again
│   └── Outdated          you decided on a version that is no longer the present one
├── Invalid       this can never be right, whatever the state (also a ValueError)
└── Unavailable   a part we depend on does not answer; ask again later
    └── TooMany           you ask faster than you may

A refusal carries a stable `code` for programs, a sentence for people and its numbers in `details`.
"""

from collections.abc import Mapping
from typing import ClassVar


class Refusal(Exception):
    """The business says no. `details` holds the numbers behind the sentence, JSON-ready."""

    code: ClassVar[str] = "refused"

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details: Mapping[str, object] = details


class NotFound(Refusal):
    """It does not exist, or the asker may not know that it does."""

    code = "not_found"

    @classmethod
    def of(cls, what: str, id: object) -> "NotFound":
        """The refusal for one missing thing, by its kind and id."""
        return cls(f"there is no such {what}", what=what, id=str(id))


class Forbidden(Refusal):
    """The asker is known and may not do this."""

    code = "forbidden"


class Unauthenticated(Forbidden):
    """The asker is not known: no token, a bad one, or wrong credentials."""

    code = "unauthenticated"


class Conflict(Refusal):
    """The request is sound, the present state stands against it."""

    code = "conflict"


class StaleVersion(Conflict):
    """The thing was changed by somebody else since it was read."""

    code = "stale_version"


class Outdated(Conflict):
    """The asker named the version they had seen, and it is no longer the present one."""

    code = "outdated"

    def __init__(self, expected: int, present: int) -> None:
        super().__init__("this was changed since you read it", expected=expected, present=present)


class Invalid(Refusal, ValueError):
    """The request can never be right. `field` names the offending input where there is one."""

    code = "invalid"


class Unavailable(Refusal):
    """Something we depend on does not answer; nothing was done; the same request may work later."""

    code = "unavailable"


class TooMany(Unavailable):
    """The asker exceeded a limit; `retry_after` in the details says the seconds to wait."""

    code = "too_many_requests"
