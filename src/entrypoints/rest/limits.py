"""How fast one identity may ask one kind of thing, told in the headers of every answer."""

from collections.abc import Awaitable, Callable

from fastapi import Depends, Request, Response

from application.ports.limits import Rate, RateLimiter
from domain.shared.actors import Actor
from domain.shared.errors import TooMany
from entrypoints.rest.asking import Anybody, address_of

READS = Rate(600, 60)
WRITES = Rate(120, 60)
SIGN_INS = Rate(10, 60)
LETTERS = Rate(5, 60)
MESSAGES = Rate(60, 60)
FILES = Rate(30, 60)
"""Per identity: a signed-in user, or the address of somebody who is not."""


def limited(what: str, rate: Rate) -> Callable[..., Awaitable[None]]:
    """A dependency that counts this request as one `what` of whoever asks, or refuses it."""

    async def count(request: Request, response: Response, actor: Anybody) -> None:
        await take(request, response, rate, what=what, identity=identity_of(request, actor))

    return count


def limited_by_address(what: str, rate: Rate) -> Callable[..., Awaitable[None]]:
    """The same for routes where nobody is signed in yet: counted by network address."""

    async def count(request: Request, response: Response) -> None:
        await take(request, response, rate, what=what, identity=address_of(request))

    return count


async def take_by_email(request: Request, response: Response, rate: Rate, *, what: str, email: str) -> None:
    """Count one against an e-mail address that was named, whoever named it and from wherever."""
    await take(request, response, rate, what=what, identity=f"email:{email.strip().casefold()[:254]}")


async def take(request: Request, response: Response, rate: Rate, *, what: str, identity: str) -> None:
    """Count one, and say in the headers how much is left; a refusal says it too."""
    limiter: RateLimiter = request.app.state.limiter
    allowance = await limiter.take(rate, what=what, identity=identity)
    request.scope["rate"] = {
        "RateLimit-Policy": f'"{what}";q={rate.times};w={rate.seconds}',
        "RateLimit": f'"{what}";r={allowance.remaining};t={allowance.reset_after}',
    }
    response.headers.update(request.scope["rate"])
    if not allowance.allowed:
        raise TooMany("you ask too often; wait a little", retry_after=allowance.reset_after, limit=what)


def identity_of(request: Request, actor: Actor) -> str:
    """The user, or the address of somebody unknown."""
    return actor.principal if actor.user_id is not None else address_of(request)


async def _by_method(request: Request, response: Response, actor: Anybody) -> None:
    reading = request.method in ("GET", "HEAD", "OPTIONS")
    what, rate = ("reads", READS) if reading else ("writes", WRITES)
    await take(request, response, rate, what=what, identity=identity_of(request, actor))


Usual = Depends(_by_method)
"""What routes have that name no rate of their own."""
