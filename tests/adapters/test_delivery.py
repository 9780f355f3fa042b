"""Pictures handed out by Cloudinary, and links signed by us. Signatures are those its documentation gives as examples,
or worked out by hand from what it says."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from adapters.cloudinary import Account, CloudinaryPictures
from adapters.signed_links import SignedLinks
from adapters.system.clock import StandingClock
from application.ports.files import Picture, StoreSilent
from domain.files import ORIGINAL, Bucket
from domain.shared.ids import FileId
from tests.support.pictures import in_pieces

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ACCOUNT = Account(cloud_name="demo", api_key="1234", api_secret="abcd")
ID = FileId(UUID(int=7))
PICTURE = Picture(file_id=ID, bucket=Bucket.AVATARS, content_type="image/jpeg", size=5, rendering=ORIGINAL)
SMALL = Picture(file_id=ID, bucket=Bucket.AVATARS, content_type="image/jpeg", size=2, rendering="thumbnail")
NAME = f"guildhall/avatars/{ID}"


def test_what_is_asked_is_signed_in_order_and_without_what_is_empty() -> None:
    told = {"timestamp": 1315060510, "public_id": "sample_image", "eager": "w_400,h_300,c_pad|w_260,h_200,c_crop"}
    signed = ACCOUNT.signed({**told, "tags": None, "folder": ""})
    assert signed["signature"] == "bfd09f95f331f558cbd1320e67aa8d488770583e", "the example of their documentation"
    assert (signed["api_key"], signed["timestamp"]) == ("1234", "1315060510")
    assert not signed.keys() & {"tags", "folder"}


def test_a_value_cannot_pass_for_another_parameter() -> None:
    honest = ACCOUNT.signed({"public_id": "a", "notification_url": "https://x.test"})
    forged = ACCOUNT.signed({"public_id": "a", "overwrite": "x&notification_url=https://x.test"})
    assert honest["signature"] != forged["signature"]
    said = "overwrite=x%26notification_url=https://x.test&public_id=aabcd"
    assert forged["signature"] == hashlib.sha1(said.encode()).hexdigest()
    lists = ACCOUNT.signed({"tags": ["a", "b"], "invalidate": True})
    assert (lists["tags"], lists["invalidate"]) == ("a,b", "true")


def test_an_address_is_signed_for_one_picture_in_one_size() -> None:
    pictures = CloudinaryPictures(ACCOUNT, StandingClock(NOW))
    small, whole = pictures.address(SMALL), pictures.address(PICTURE)
    said = f"c_limit,h_160,q_auto,w_160/{NAME}.jpgabcd"
    signature = urlsafe_b64encode(hashlib.sha1(said.encode()).digest()).decode()[:8]
    base = "https://res.cloudinary.com/demo/image/upload"
    assert small == f"{base}/s--{signature}--/c_limit,h_160,q_auto,w_160/v1/{NAME}.jpg"
    assert whole is not None
    assert whole.endswith(f"--/v1/{NAME}.jpg")
    assert "abcd" not in small.replace(str(ID), "")


class Cloud(httpx.AsyncBaseTransport):
    """Their API, as far as we use it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.answer = httpx.Response(200, json={"result": "ok"})

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((str(request.url), (await request.aread()).decode("latin-1")))
        return self.answer


@pytest.fixture
async def cloud() -> AsyncIterator[tuple[Cloud, CloudinaryPictures]]:
    api = Cloud()
    pictures = CloudinaryPictures(ACCOUNT, StandingClock(NOW), transport=api)
    yield api, pictures
    await pictures.aclose()


async def test_the_full_size_is_given_once_and_taken_back_by_name(cloud: tuple[Cloud, CloudinaryPictures]) -> None:
    api, pictures = cloud
    for picture in (PICTURE, SMALL):
        assert await pictures.publish(picture, in_pieces(b"bytes"[: picture.size]))
        await pictures.withdraw(picture)
    (upload, body), (destroy, gone) = api.asked
    assert upload == "https://api.cloudinary.com/v1_1/demo/image/upload"
    assert destroy == "https://api.cloudinary.com/v1_1/demo/image/destroy"
    told = ACCOUNT.signed({"public_id": NAME, "overwrite": True, "invalidate": True, "timestamp": int(NOW.timestamp())})
    for value in ("bytes", *told.values()):
        assert value in body
    assert ACCOUNT.api_secret not in body + gone


@pytest.mark.parametrize("answer", [httpx.Response(401), httpx.Response(500), httpx.Response(429)])
async def test_a_cloud_that_does_not_take_it_is_asked_again_later(
    cloud: tuple[Cloud, CloudinaryPictures], answer: httpx.Response
) -> None:
    api, pictures = cloud
    api.answer = answer
    with pytest.raises(StoreSilent):
        await pictures.publish(PICTURE, in_pieces(b"bytes"))
    with pytest.raises(StoreSilent):
        await pictures.withdraw(PICTURE)


async def test_a_cloud_that_is_not_there_is_silent() -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody is there")

    pictures = CloudinaryPictures(ACCOUNT, StandingClock(NOW), transport=httpx.MockTransport(nobody))
    with pytest.raises(StoreSilent):
        await pictures.withdraw(PICTURE)
    await pictures.aclose()


def test_a_signed_link_is_of_one_house_and_a_short_secret_signs_none() -> None:
    clock = StandingClock(NOW)
    ours = SignedLinks("s" * 32, clock, public_url="https://a.test/")
    theirs = SignedLinks("t" * 32, clock, public_url="https://a.test")
    url = ours.to_get(ID, ORIGINAL, until=NOW + timedelta(minutes=5))
    assert url.startswith(f"https://a.test/v1/files/{ID}/content?expires=")
    signature = url.partition("signature=")[2]
    expires = int((NOW + timedelta(minutes=5)).timestamp())
    assert ours.opens("get", ID, ORIGINAL, expires=expires, signature=signature)
    assert not theirs.opens("get", ID, ORIGINAL, expires=expires, signature=signature)
    assert not ours.opens("put", ID, ORIGINAL, expires=expires, signature=signature)
    with pytest.raises(ValueError, match="32 characters"):
        SignedLinks("short", clock, public_url="https://a.test")
