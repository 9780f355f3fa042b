"""One port for every kind of access token: what it promises, whoever issued the token."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest

from adapters.jwt_issuers import (
    ALGORITHMS,
    AcceptedTokens,
    AnyOfKeys,
    FetchedKeys,
    Issuer,
    SharedSecret,
    clerk,
    supabase,
)
from adapters.local_identity import FixedKeyring, LocalAccessTokens, SigningKey
from adapters.system.clock import StandingClock
from adapters.system.ids import SeededIds
from application.ports.identity import AccessClaims, BearerTokens, ForeignClaims, ForeignOrganization
from domain.identity import BadToken, Client, Session, SignInMethod, TokenExpired, User
from domain.shared.actors import Role
from domain.shared.ids import SessionId, UserId
from tests.planted.issuers import AlgorithmFromHeader
from tests.support.issuers import (
    ANN,
    CLERK,
    PAGE,
    SECRET,
    SUPABASE,
    Key,
    KeyServer,
    b64,
    clerk_claims,
    compact,
    es256,
    rs256,
    secretly,
    supabase_claims,
    token,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUSE = "guildhall"
OWN = FixedKeyring(json.dumps({"keys": [SigningKey.generate(now=NOW).stored()]}))
OWN_KEY = Key(OWN.keys[0].kid, "ES256", OWN.keys[0].private)


def own_claims(now: datetime, **told: Any) -> dict[str, Any]:
    at = int(now.timestamp())
    said = {
        "iss": HOUSE,
        "aud": HOUSE,
        "sub": ANN,
        "sid": ANN,
        "role": "customer",
        "iat": at,
        "exp": at + 600,
        "jti": ANN,
    } | told
    return {name: value for name, value in said.items() if value is not None}


@dataclass(slots=True)
class House:
    """A house that accepts its own tokens, Supabase's by keys and by secret, and Clerk's."""

    clock: StandingClock
    supabase: KeyServer
    clerk: KeyServer
    tokens: BearerTokens


def house(keys: Callable[[FetchedKeys], Any] = lambda keys: keys) -> House:
    clock = StandingClock(NOW)
    servers = KeyServer([es256().jwk(), rs256().jwk()]), KeyServer([rs256("ins_1").jwk()])

    def fetched(name: str, issuer: str, server: KeyServer) -> Any:
        url = f"{issuer}/.well-known/jwks.json"
        return keys(FetchedKeys(url, client=server.client, clock=clock, algorithms=ALGORITHMS[name]))

    issuers: tuple[Issuer, ...] = (
        supabase(SUPABASE, AnyOfKeys(SharedSecret(SECRET), fetched("supabase", SUPABASE, servers[0]))),
        clerk(CLERK, fetched("clerk", CLERK, servers[1]), parties=[PAGE]),
    )
    own = LocalAccessTokens(OWN, clock, SeededIds(clock, seed=1), issuer=HOUSE, audience=HOUSE)
    return House(clock, *servers, AcceptedTokens(own, issuers, clock))


@pytest.fixture
def here() -> House:
    return house()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of token: its key, and what it says."""

    key: Key
    claims: Callable[..., dict[str, Any]]
    typ: str = "JWT"

    def good(self, now: datetime = NOW, **told: Any) -> str:
        return token(self.key, self.claims(now, **told), typ=self.typ)

    def headed(self, **header: Any) -> str:
        return token(self.key, self.claims(NOW), **{"typ": self.typ} | header)


KINDS = {
    "ours": Kind(OWN_KEY, own_claims, "at+jwt"),
    "supabase es256": Kind(es256(), supabase_claims),
    "supabase rs256": Kind(rs256(), supabase_claims),
    "clerk": Kind(rs256("ins_1"), clerk_claims),
}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen: Kind = request.param
    return chosen


# --- What every kind promises -----------------------------------------------------------------------------------------


async def test_a_good_token_says_who_it_is(here: House, kind: Kind) -> None:
    claims = await here.tokens.verify(kind.good())
    if isinstance(claims, AccessClaims):
        assert (claims.user_id, claims.role) == (UserId(UUID(ANN)), Role.CUSTOMER)
    else:
        assert (claims.issuer, claims.subject) in ((SUPABASE, ANN), (CLERK, "user_2ann"))
    assert claims.issued_at == NOW


@pytest.mark.parametrize("seen_before", [True, False])
async def test_it_expires_by_our_clock_with_a_little_patience(here: House, kind: Kind, seen_before: bool) -> None:
    good = kind.good()
    if seen_before:
        await here.tokens.verify(good)
    left = kind.claims(NOW)["exp"] - int(NOW.timestamp())
    here.clock.advance(timedelta(seconds=left + 4))
    await here.tokens.verify(good)
    here.clock.advance(timedelta(seconds=1))
    for _ in range(2):
        with pytest.raises(TokenExpired):
            await here.tokens.verify(good)


async def test_a_token_from_the_future_is_refused_but_for_clocks_that_differ(here: House, kind: Kind) -> None:
    await here.tokens.verify(kind.good(NOW + timedelta(seconds=5), nbf=int(NOW.timestamp()) + 5))
    with pytest.raises(BadToken):
        await here.tokens.verify(kind.good(NOW + timedelta(seconds=6)))


async def test_a_token_somebody_else_signed_is_refused(here: House, kind: Kind) -> None:
    other = es256("other") if kind.key.algorithm == "ES256" else rs256("other")
    forged = token(Key(kind.key.kid, other.algorithm, other.private), kind.claims(NOW), typ=kind.typ)
    with pytest.raises(BadToken):
        await here.tokens.verify(forged)


async def test_one_issuers_key_signs_nothing_in_anothers_name(here: House, kind: Kind) -> None:
    for name, other in KINDS.items():
        if name.split()[0] == next(n for n, k in KINDS.items() if k is kind).split()[0]:
            continue
        with pytest.raises(BadToken):
            await here.tokens.verify(token(other.key, kind.claims(NOW), typ=kind.typ))
        renamed = Key(kind.key.kid, other.key.algorithm, other.key.private)
        with pytest.raises(BadToken):
            await here.tokens.verify(token(renamed, kind.claims(NOW), typ=kind.typ))


def _tampered(good: str, part: int, change: Callable[[str], str]) -> str:
    parts = good.split(".")
    parts[part] = change(parts[part])
    return ".".join(parts)


def _last_bits(segment: str) -> str:
    """Another way to write the same bytes, where the last character carries bits that belong to none."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return segment[:-1] + letters[letters.index(segment[-1]) ^ 1]


def _raw(kind: Kind, header: str, claims: str) -> str:
    signed = f"{b64(header.encode())}.{b64(claims.encode())}"
    return f"{signed}.{b64(kind.key.signature(signed.encode()))}"


def _twice(kind: Kind, name: str, first: Any) -> str:
    """Claims that name something twice, properly signed: two readers, two answers."""
    said = json.dumps(kind.claims(NOW))
    header = json.dumps({"alg": kind.key.algorithm, "typ": kind.typ, "kid": kind.key.kid})
    return _raw(kind, header, f"{{{json.dumps(name)}:{json.dumps(first)},{said[1:]}")


def _header(kind: Kind, text: str) -> str:
    return _raw(kind, text, json.dumps(kind.claims(NOW)))


def _claims(kind: Kind, text: str) -> str:
    header = json.dumps({"alg": kind.key.algorithm, "typ": kind.typ, "kid": kind.key.kid})
    return _raw(kind, header, text)


def _public(kind: Kind) -> bytes:
    return json.dumps(kind.key.jwk()).encode()


AT = int(NOW.timestamp())
HOSTILE: Mapping[str, Callable[[Kind], str]] = {
    # Shape
    "nothing": lambda kind: "",
    "one dot": lambda kind: ".",
    "two dots": lambda kind: "..",
    "three dots": lambda kind: "...",
    "a word": lambda kind: "token",
    "an encrypted token's five parts": lambda kind: kind.good() + ".AAAA.AAAA",
    "two parts": lambda kind: kind.good().rpartition(".")[0],
    "no signature": lambda kind: kind.good().rpartition(".")[0] + ".",
    "an empty header": lambda kind: _tampered(kind.good(), 0, lambda part: ""),
    "empty claims": lambda kind: _tampered(kind.good(), 1, lambda part: ""),
    "a space before it": lambda kind: " " + kind.good(),
    "a line's end behind it": lambda kind: kind.good() + "\n",
    "a NUL in it": lambda kind: kind.good() + "\0",
    "half a character": lambda kind: kind.good() + "\ud800",
    "letters of another alphabet": lambda kind: kind.good().replace(".", ".А", 1),
    "padding": lambda kind: kind.good() + "=",
    "padding inside": lambda kind: _tampered(kind.good(), 0, lambda part: part + "=="),
    "the other base64": lambda kind: _tampered(kind.good(), 1, lambda part: "+/" + part),
    "a signature written otherwise": lambda kind: _tampered(kind.good(), 2, _last_bits),
    "half a byte more": lambda kind: kind.good() + "A",
    "a signature cut": lambda kind: kind.good()[:-4],
    "a signature doubled": lambda kind: kind.good() + kind.good().rpartition(".")[2],
    "a signature of zeros": lambda kind: _tampered(kind.good(), 2, lambda part: b64(bytes(64))),
    "a signature in DER": lambda kind: _tampered(kind.good(), 2, lambda part: b64(b"\x30\x06\x02\x01\x01\x02\x01\x01")),
    "far too long": lambda kind: kind.good() + "A" * 10_000,
    "far too long inside": lambda kind: token(kind.key, kind.claims(NOW) | {"pad": "a" * 10_000}, typ=kind.typ),
    # JSON
    "a header that is a list": lambda kind: _header(kind, "[]"),
    "a header that is no JSON": lambda kind: _header(kind, "{alg:ES256}"),
    "a header that is not UTF-8": lambda kind: _tampered(kind.good(), 0, lambda part: b64(b"\xff\xfe{}")),
    "claims that are a list": lambda kind: _claims(kind, "[1]"),
    "claims that are null": lambda kind: _claims(kind, "null"),
    "claims nested without end": lambda kind: _claims(kind, '{"a":' + "[" * 1900 + "]" * 1900 + "}"),
    "claims with something behind": lambda kind: _claims(kind, json.dumps(kind.claims(NOW)) + "{}"),
    "a subject named twice": lambda kind: _twice(kind, "sub", "somebody else"),
    "an expiry named twice": lambda kind: _twice(kind, "exp", 1),
    "an algorithm named twice": lambda kind: _header(
        kind, f'{{"alg":"none","alg":"{kind.key.algorithm}","kid":"{kind.key.kid}","typ":"{kind.typ}"}}'
    ),
    "an expiry that is NaN": lambda kind: _claims(kind, json.dumps(kind.claims(NOW) | {"exp": float("nan")})),
    "an expiry that is endless": lambda kind: _claims(kind, json.dumps(kind.claims(NOW) | {"exp": float("inf")})),
    # Algorithms and keys
    "no algorithm": lambda kind: f"{compact({'alg': 'none', 'typ': kind.typ})}.{compact(kind.claims(NOW))}.AAAA",
    "none, spelled otherwise": lambda kind: kind.headed(alg="nOnE"),
    "an algorithm that is a number": lambda kind: kind.headed(alg=256),
    "an algorithm that is missing": lambda kind: kind.headed(alg=None),
    "HS256 under the key's name": lambda kind: kind.headed(alg="HS256"),
    "another hash": lambda kind: kind.headed(alg=kind.key.algorithm.replace("256", "384")),
    "the other kind of key": lambda kind: kind.headed(alg="RS256" if kind.key.algorithm == "ES256" else "ES256"),
    "our public key as a password": lambda kind: secretly(kind.claims(NOW), _public(kind), kid=kind.key.kid),
    "an empty password": lambda kind: secretly(kind.claims(NOW), b"", kid=kind.key.kid),
    "a key nobody has": lambda kind: kind.headed(kid="who"),
    "a key's name that is a number": lambda kind: kind.headed(kid=7),
    "a key's name that is a list": lambda kind: kind.headed(kid=[kind.key.kid]),
    "a key's name that is a path": lambda kind: kind.headed(kid="../../../dev/null"),
    "a key's name that is a query": lambda kind: kind.headed(kid="x' or '1'='1"),
    "a key's name without end": lambda kind: kind.headed(kid="k" * 300),
    "no key named": lambda kind: kind.headed(kid=None),
    "a key it brings along": lambda kind: token(
        Key("mine", kind.key.algorithm, (es256("evil") if kind.key.algorithm == "ES256" else rs256("evil")).private),
        kind.claims(NOW),
        typ=kind.typ,
        jwk=(es256("evil") if kind.key.algorithm == "ES256" else rs256("evil")).jwk(),
    ),
    "an address for its keys": lambda kind: kind.headed(kid="mine", jku="https://evil.example/jwks.json"),
    "what must be understood": lambda kind: kind.headed(crit=["exp"]),
    "claims that are not encoded": lambda kind: kind.headed(b64=False),
    "another type of token": lambda kind: kind.headed(typ="dpop+jwt"),
    # Claims
    "no issuer": lambda kind: kind.good(iss=None),
    "an issuer with a slash": lambda kind: kind.good(iss=f"{kind.claims(NOW)['iss']}/"),
    "an issuer in a list": lambda kind: kind.good(iss=[kind.claims(NOW)["iss"]]),
    "an issuer nobody knows": lambda kind: kind.good(iss="https://evil.example"),
    "no subject": lambda kind: kind.good(sub=None),
    "an empty subject": lambda kind: kind.good(sub=""),
    "a subject that is a number": lambda kind: kind.good(sub=7),
    "a subject that is a list": lambda kind: kind.good(sub=[ANN]),
    "no expiry": lambda kind: kind.good(exp=None),
    "an expiry in words": lambda kind: kind.good(exp="tomorrow"),
    "an expiry that is true": lambda kind: kind.good(exp=True),
    "an expiry beyond all time": lambda kind: kind.good(exp=10**20),
    "an expiry before all time": lambda kind: kind.good(exp=-1),
    "no time of issue": lambda kind: kind.good(iat=None),
    "issued tomorrow": lambda kind: kind.good(iat=AT + 86_400),
}
"""What is never believed, of whatever kind it pretends to be."""
OF_SUPABASE: Mapping[str, dict[str, Any]] = {
    "another audience": {"aud": "others"},
    "an audience of several, not us": {"aud": ["others", "more"]},
    "no audience": {"aud": None},
    "the key of the house": {"role": "service_role"},
    "the key of anybody": {"role": "anon"},
    "no role": {"role": None},
    "a subject that is no id": {"sub": "ann"},
    "a subject written otherwise": {"sub": ANN.upper()},
    "no session": {"session_id": None},
    "a session that is no id": {"session_id": "1"},
    "anonymous in words": {"is_anonymous": "false"},
    "made for another application": {"client_id": "an application", "scope": "openid"},
    "not yet good": {"nbf": AT + 60},
}
OF_CLERK: Mapping[str, dict[str, Any]] = {
    "another page": {"azp": "https://evil.example"},
    "no page": {"azp": None},
    "a page in a list": {"azp": [PAGE]},
    "not yet good": {"nbf": AT + 60},
    "good from nobody knows when": {"nbf": None},
    "a sign-in that is not finished": {"sts": "pending"},
    "no session": {"sid": None},
    "a subject that breaks a line": {"sub": "user\n2"},
    "an organization that is a word": {"o": "org_1"},
    "an organization without a role": {"o": {"id": "org_1", "slg": "north"}},
    "permissions that are no numbers": {
        "fea": "o:work",
        "o": {"id": "org_1", "rol": "admin", "per": "read", "fpm": "x"},
    },
    "an organization of old that makes no sense": {"org_id": "org_1", "org_role": 7},
}


@pytest.mark.parametrize("attempt", HOSTILE.values(), ids=HOSTILE)
async def test_nothing_hostile_is_believed(here: House, kind: Kind, attempt: Callable[[Kind], str]) -> None:
    with pytest.raises((BadToken, TokenExpired)):
        await here.tokens.verify(attempt(kind))
    await here.tokens.verify(kind.good())


@pytest.mark.parametrize("told", OF_SUPABASE.values(), ids=OF_SUPABASE)
async def test_supabase_would_not_say_that_to_us(here: House, told: dict[str, Any]) -> None:
    for name in ("supabase es256", "supabase rs256"):
        with pytest.raises(BadToken):
            await here.tokens.verify(KINDS[name].good(**told))
    with pytest.raises(BadToken):
        await here.tokens.verify(secretly(supabase_claims(NOW, **told)))


@pytest.mark.parametrize("told", OF_CLERK.values(), ids=OF_CLERK)
async def test_clerk_would_not_say_that_to_us(here: House, told: dict[str, Any]) -> None:
    with pytest.raises(BadToken):
        await here.tokens.verify(KINDS["clerk"].good(**told))


def test_there_are_enough_of_them() -> None:
    assert len(HOSTILE) + len(OF_SUPABASE) + len(OF_CLERK) >= 90


async def test_an_algorithm_taken_from_the_header_would_be_noticed() -> None:
    broken = house(AlgorithmFromHeader)
    kind = KINDS["clerk"]
    believed = await broken.tokens.verify(secretly(kind.claims(NOW), _public(kind), kid=kind.key.kid))
    assert isinstance(believed, ForeignClaims)


# --- Supabase ---------------------------------------------------------------------------------------------------------


async def told_by_supabase(here: House, **told: Any) -> ForeignClaims:
    claims = await here.tokens.verify(KINDS["supabase es256"].good(**told))
    assert isinstance(claims, ForeignClaims)
    return claims


async def test_the_older_secret_is_taken_too_with_or_without_a_keys_name(here: House) -> None:
    for header in ({}, {"kid": "an older secret"}):
        claims = await here.tokens.verify(secretly(supabase_claims(NOW), **header))
        assert isinstance(claims, ForeignClaims)
    assert here.supabase.asked == 0


async def test_only_what_the_issuer_says_confirms_an_address(here: House) -> None:
    said = await told_by_supabase(here)
    assert (said.email, said.email_verified) == ("ann@example.com", False)
    said = await told_by_supabase(here, email_verified=True)
    assert said.email_verified
    trusting = supabase(SUPABASE, SharedSecret(SECRET), confirms_addresses=True)
    tokens = AcceptedTokens(here.tokens, [trusting], here.clock)
    claims = await tokens.verify(secretly(supabase_claims(NOW)))
    assert isinstance(claims, ForeignClaims)
    assert claims.email_verified
    claims = await tokens.verify(secretly(supabase_claims(NOW, email="")))
    assert isinstance(claims, ForeignClaims)
    assert (claims.email, claims.email_verified) == (None, False)


async def test_a_visitor_it_gave_a_token_to_is_nobody(here: House) -> None:
    assert (await told_by_supabase(here, is_anonymous=True, email="")).nobody
    assert not (await told_by_supabase(here, is_anonymous=None)).nobody


async def test_a_name_is_shown_whatever_it_is(here: House) -> None:
    assert (await told_by_supabase(here)).display_name == "Ann Able"
    assert (await told_by_supabase(here, user_metadata={"full_name": 7, "name": " "})).display_name == ""
    assert (await told_by_supabase(here, user_metadata=["x"])).display_name == ""


# --- Clerk ------------------------------------------------------------------------------------------------------------


async def organization(here: House, **told: Any) -> ForeignOrganization | None:
    claims = await here.tokens.verify(KINDS["clerk"].good(**told))
    assert isinstance(claims, ForeignClaims)
    return claims.organization


async def test_the_organization_of_a_session_is_decoded_from_its_bits(here: House) -> None:
    assert await organization(here) is None
    told = {"id": "org_1", "slg": "north", "rol": "admin", "per": "manage,read", "fpm": "3,2"}
    found = await organization(here, o=told, fea="o:dashboard,u:profile,uo:teams")
    expected = {"org:dashboard:manage", "org:dashboard:read", "org:teams:read"}
    assert found == ForeignOrganization(id="org_1", slug="north", role="admin", permissions=frozenset(expected))


async def test_an_organization_may_have_no_permissions(here: House) -> None:
    found = await organization(here, o={"id": "org_1", "slg": "north", "rol": "member"}, fea="u:profile")
    assert found == ForeignOrganization(id="org_1", slug="north", role="member")


async def test_the_older_claims_are_read_too(here: House) -> None:
    told = {"org_id": "org_1", "org_slug": "north", "org_role": "org:admin", "org_permissions": ["org:work:read"]}
    found = await organization(here, v=None, sts=None, **told)
    assert found == ForeignOrganization(
        id="org_1", slug="north", role="admin", permissions=frozenset({"org:work:read"})
    )
    assert (await organization(here, v=None, org_id="org_1", org_role="org:member")) == ForeignOrganization(
        id="org_1", slug="", role="member"
    )


async def test_an_instance_that_names_no_pages_takes_tokens_of_any(here: House) -> None:
    server = KeyServer([rs256("ins_1").jwk()])
    keys = FetchedKeys(CLERK, client=server.client, clock=here.clock, algorithms=ALGORITHMS["clerk"])
    tokens = AcceptedTokens(here.tokens, [clerk(CLERK, keys)], here.clock)
    for party in ("https://anywhere.example", None):
        assert isinstance(await tokens.verify(KINDS["clerk"].good(azp=party)), ForeignClaims)


async def test_of_two_keys_that_have_one_name_either_verifies(here: House) -> None:
    twin = rs256("twin")
    here.clerk.keys[:] = [twin.jwk(kid="ins_1"), rs256("ins_1").jwk()]
    for key in (twin, rs256("ins_1")):
        shown = token(Key("ins_1", "RS256", key.private), clerk_claims(NOW))
        assert isinstance(await here.tokens.verify(shown), ForeignClaims)


async def test_clerk_signs_with_rsa_only(here: House) -> None:
    here.clerk.keys.append(es256("clerk-es").jwk())
    with pytest.raises(BadToken):
        await here.tokens.verify(token(es256("clerk-es"), clerk_claims(NOW)))


# --- All of them together ---------------------------------------------------------------------------------------------


async def test_what_we_issue_is_still_ours(here: House) -> None:
    own = LocalAccessTokens(OWN, here.clock, SeededIds(here.clock, seed=2), issuer=HOUSE, audience=HOUSE)
    user = User.create(id=UserId(UUID(ANN)), email="ann@example.com", role=Role.PROVIDER, now=NOW)
    session = Session.open(
        id=SessionId(UUID(int=2)), user_id=user.id, epoch=1, method=SignInMethod.PASSWORD, client=Client(), now=NOW
    )
    claims = await here.tokens.verify(own.issue(user, session))
    assert isinstance(claims, AccessClaims)
    assert claims.session_id == session.id


async def test_what_is_remembered_is_bounded_and_forgotten_with_its_keys(here: House) -> None:
    tokens = AcceptedTokens(here.tokens, [supabase(SUPABASE, SharedSecret(SECRET))], here.clock, remembered=3)
    for n in range(10):
        await tokens.verify(secretly(supabase_claims(NOW, n=n)))
    assert len(tokens._known) == 3


async def test_a_key_that_was_withdrawn_opens_nothing_even_for_who_came_before(here: House) -> None:
    good = KINDS["clerk"].good(exp=AT + 7200)
    await here.tokens.verify(good)
    here.clerk.keys[:] = [rs256("ins_2").jwk()]
    here.clock.advance(timedelta(minutes=11))
    await here.tokens.verify(good)
    for _ in range(50):
        await asyncio.sleep(0)
    with pytest.raises(BadToken):
        await here.tokens.verify(good)


async def test_a_library_of_another_make_agrees_about_the_good_ones() -> None:
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}
    for kind in KINDS.values():
        read = jwt.decode(kind.good(), jwt.PyJWK(kind.key.jwk()), algorithms=[kind.key.algorithm], options=options)
        assert read == kind.claims(NOW)
