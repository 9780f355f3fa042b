"""Looking into uploads: what is taken comes out as nothing but what it is, and everything else is refused in time."""

import asyncio
import io
import os
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from adapters.inspection import IsolatedExaminer, Limits
from adapters.inspection.pictures import redrawn
from adapters.inspection.sniffing import Refused, kind_of, must_be_harmless
from application.ports.files import ExaminerBusy
from domain.files import EXTENSIONS, FILE_POLICIES, PICTURES, BadFile, Bucket, NotWhatWasAnnounced
from domain.shared.errors import Refusal
from tests.support.pictures import in_pieces, photo

ATTACHMENTS = FILE_POLICIES[Bucket.ATTACHMENTS]
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF"}
PDF = b"%PDF-1.7\n1 0 obj <</Type /Catalog /Pages 2 0 R>> endobj\n%\xe2\xe3\xcf\xd3\ntrailer <<>>\n%%EOF\n"


@pytest.fixture(scope="module")
def examiner() -> Iterator[IsolatedExaminer]:
    """One for all tests; its hands outlive the loops of the tests."""
    made = IsolatedExaminer(hands=2)
    yield made
    made.close()


async def looked(examiner: IsolatedExaminer, content: bytes, kind: str) -> tuple[Any, dict[str, bytes]]:
    """What was found, and what was made of it."""
    async with examiner.examine(in_pieces(content), content_type=kind, policy=ATTACHMENTS) as found:
        parts = {part.name: b"".join([piece async for piece in part.content]) for part in found.parts()}
        return found.content, parts


def drawn(width: int = 60, height: int = 40, mode: str = "RGB") -> Image.Image:
    return Image.effect_noise((width, height), 60).convert(mode)


def saved(picture: Image.Image, format: str, **how: Any) -> bytes:
    into = io.BytesIO()
    picture.save(into, format, **how)
    return into.getvalue()


# --- What is taken ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "format"), FORMATS.items(), ids=FORMATS.values())
async def test_pictures_come_out_as_themselves_with_a_smaller_copy(
    examiner: IsolatedExaminer, kind: str, format: str
) -> None:
    content = photo(400, 300, format)
    found, parts = await looked(examiner, content, kind)
    assert (found.content_type, found.arrived_size, found.width, found.height) == (kind, len(content), 400, 300)
    assert parts.keys() == {"original", "thumbnail"}
    assert found.size == len(parts["original"])
    sizes = {name: Image.open(io.BytesIO(part)).size for name, part in parts.items()}
    assert sizes == {"original": (400, 300), "thumbnail": (160, 120)}
    assert {Image.open(io.BytesIO(part)).format for part in parts.values()} == {format}


async def test_documents_and_texts_are_kept_byte_for_byte(examiner: IsolatedExaminer) -> None:
    for content, kind in ((PDF, "application/pdf"), ("Grüße,\r\nAna\n".encode(), "text/plain")):
        found, parts = await looked(examiner, content, kind)
        assert parts == {"original": content}
        assert (found.size, found.sha256, found.width) == (len(content), found.arrived_sha256, None)


async def test_small_pictures_are_not_enlarged(examiner: IsolatedExaminer) -> None:
    _, parts = await looked(examiner, photo(20, 10, "PNG"), "image/png")
    assert Image.open(io.BytesIO(parts["thumbnail"])).size == (20, 10)


async def test_nothing_a_camera_or_program_wrote_beside_the_pixels_is_kept(examiner: IsolatedExaminer) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Somebody's camera"
    exif.get_ifd(0x8825)[1] = "N"
    secret = b"made at home"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    said = PngInfo()
    said.add_text("Comment", secret.decode(), zip=False)
    xmp = b"<x:xmpmeta>made at home</x:xmpmeta>"
    for content, kind in (
        (saved(drawn(), "JPEG", exif=exif, comment=secret, icc_profile=profile, xmp=xmp), "image/jpeg"),
        (saved(drawn(), "PNG", exif=exif, pnginfo=said, icc_profile=profile), "image/png"),
        (saved(drawn(), "WEBP", exif=exif, xmp=xmp, icc_profile=profile), "image/webp"),
        (saved(drawn(), "GIF", comment=secret), "image/gif"),
    ):
        assert b"made at home" in content or b"Somebody" in content
        _, parts = await looked(examiner, content, kind)
        for part in parts.values():
            shown = Image.open(io.BytesIO(part))
            shown.load()
            assert not dict(shown.getexif())
            assert not shown.info.keys() & {"exif", "comment", "Comment", "icc_profile", "xmp", "photoshop"}
            assert b"home" not in part
            assert b"Somebody" not in part


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_pictures_stand_upright(examiner: IsolatedExaminer, orientation: int) -> None:
    upright = Image.new("RGB", (40, 20), "white")
    upright.paste("red", (0, 0, 20, 10))
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    held = upright.transpose(back[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    _, parts = await looked(examiner, saved(held, "JPEG", exif=exif, quality=95), "image/jpeg")
    shown = Image.open(io.BytesIO(parts["original"])).convert("RGB")
    assert shown.size == (40, 20)
    red, white = shown.getpixel((5, 4)), shown.getpixel((35, 16))
    assert red[0] > 200 > 100 > red[1]  # type: ignore[index]
    assert min(white) > 200  # type: ignore[type-var]


async def test_what_moves_stands_still_at_its_first_frame(examiner: IsolatedExaminer) -> None:
    frames = [Image.new("RGB", (30, 30), colour) for colour in ("red", "blue", "green")]
    for format, kind in (("GIF", "image/gif"), ("WEBP", "image/webp"), ("PNG", "image/png")):
        content = saved(frames[0], format, save_all=True, append_images=frames[1:], duration=50)
        assert getattr(Image.open(io.BytesIO(content)), "n_frames", 1) == 3
        _, parts = await looked(examiner, content, kind)
        shown = Image.open(io.BytesIO(parts["original"]))
        assert getattr(shown, "n_frames", 1) == 1
        red, _, blue = shown.convert("RGB").getpixel((15, 15))  # type: ignore[misc]
        assert red > 200 > 60 > blue


@pytest.mark.parametrize(
    ("mode", "format"),
    [("1", "PNG"), ("L", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("RGBA", "PNG"), ("I;16", "PNG"), ("CMYK", "JPEG")],
)
async def test_pictures_of_every_kind_of_pixel_are_taken(examiner: IsolatedExaminer, mode: str, format: str) -> None:
    picture = drawn(mode="L").convert("I;16") if mode == "I;16" else drawn(mode="RGB").convert(mode)
    _, parts = await looked(examiner, saved(picture, format), f"image/{format.lower()}")
    shown = Image.open(io.BytesIO(parts["original"]))
    assert shown.mode in ("L", "RGB", "RGBA")
    assert ("A" in shown.mode) == ("A" in mode)


async def test_colours_of_another_space_are_told_in_the_one_every_screen_has(examiner: IsolatedExaminer) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    for profile in (lab, b"no profile at all"):
        _, parts = await looked(examiner, saved(drawn(), "JPEG", icc_profile=profile), "image/jpeg")
        assert "icc_profile" not in Image.open(io.BytesIO(parts["original"])).info


# --- What is refused --------------------------------------------------------------------------------------------------


def zipped() -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        archive.writestr("Evil.class", b"\xca\xfe\xba\xbe")
    return into.getvalue()


def hollow(kind: str, width: int, height: int) -> bytes:
    """A picture whose head promises so many pixels."""
    if kind == "image/png":
        return png(width, height, zlib.compress(b"\0" * 1000))
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0;"


def png(width: int, height: int, packed: bytes, depth: int = 8, colour: int = 0) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def bomb() -> bytes:
    """Six thousand by six thousand black pixels in a few kilobytes, which are within what is decoded, and as many
    more as would be a gigabyte, which are not."""
    return png(30_000, 30_000, zlib.compress(b"\0" * 30_001 * 300, 9))


def with_object_stream(inside: bytes) -> bytes:
    packed = zlib.compress(inside)
    return (
        b"%PDF-1.7\n1 0 obj <</Type /ObjStm /Filter /FlateDecode>> stream\n" + packed + b"\nendstream endobj\n%%EOF\n"
    )


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"></svg>'
BAD: dict[str, tuple[str, bytes]] = {
    "a truncated jpeg": ("image/jpeg", photo(200, 200)[:-2000]),
    "a truncated png": ("image/png", photo(200, 200, "PNG")[:-2000]),
    "a truncated webp": ("image/webp", photo(200, 200, "WEBP")[:-2000]),
    "a jpeg of nothing but its beginning": ("image/jpeg", b"\xff\xd8\xff\xe0" + b"\0" * 50),
    "a png with a wrong sum": ("image/png", photo(50, 50, "PNG").replace(b"IDAT", b"IDAT\1", 1)),
    "a bomb of pixels": ("image/png", bomb()),
    "a hollow png": ("image/png", hollow("image/png", 50_000, 50_000)),
    "a hollow gif": ("image/gif", hollow("image/gif", 65_535, 65_535)),
    "a very long png": ("image/png", hollow("image/png", 20_000, 1)),
    "a gifar": ("image/gif", photo(20, 20, "GIF") + zipped()),
    "a jpeg that is an archive": ("image/jpeg", photo(20, 20) + zipped()),
    "a png that is a page": ("image/png", photo(20, 20, "PNG") + b"<script>alert(1)</script>"),
    "a gif that is a script": ("image/gif", photo(20, 20, "GIF") + b"<?php system($_GET[0]); ?>"),
    "a jpeg with a page in its comment": (
        "image/jpeg",
        saved(drawn(), "JPEG", comment=b"<html><script>alert(1)</script>"),
    ),
    "a jpeg that is a document": ("image/jpeg", saved(drawn(), "JPEG", comment=PDF)),
    "a document with a script": ("application/pdf", PDF.replace(b"/Pages", b"/JS (app.alert\\(1\\)) /Pages")),
    "one that hides its name": ("application/pdf", PDF.replace(b"/Pages", b"/J#61vaScript 1 /Pages")),
    "one that hides it in a stream": ("application/pdf", with_object_stream(b"<</S /JavaScript /JS (x)>>")),
    "one that starts a program": ("application/pdf", PDF.replace(b"/Pages", b"/S /Launch /Pages")),
    "one that carries a file": ("application/pdf", PDF.replace(b"/Pages", b"/EmbeddedFile 1 /Pages")),
    "one that is encrypted": ("application/pdf", PDF.replace(b"trailer <<", b"trailer <</Encrypt 9 0 R")),
    "one that is cut off": ("application/pdf", PDF[:-8]),
    "one that is an archive": ("application/pdf", PDF + zipped()),
    "one that is a page": ("application/pdf", PDF.replace(b"1 0 obj", b"<html><body>", 1)),
    "one that hides what it is made of": (
        "application/pdf",
        with_object_stream(b"").replace(b"/FlateDecode", b"[/ASCIIHexDecode /FlateDecode]"),
    ),
    "one whose objects are broken": ("application/pdf", with_object_stream(b"").replace(b"x\x9c", b"no")),
    "one that unpacks to more than we look at": ("application/pdf", with_object_stream(b"\0" * (17 * 1024 * 1024))),
}
OTHER: dict[str, tuple[str, bytes]] = {
    "a png said to be a jpeg": ("image/jpeg", photo(20, 20, "PNG")),
    "a page said to be a picture": ("image/png", b"<html><script>alert(1)</script></html>"),
    "an svg said to be a png": ("image/png", SVG),
    "a program said to be a picture": ("image/jpeg", b"\x7fELF" + b"\0" * 100),
    "an archive said to be a picture": ("image/png", zipped()),
    "a page said to be text": ("text/plain", b"  <!DOCTYPE html><p>hello"),
    "an svg said to be text": ("text/plain", SVG),
    "xml said to be text": ("text/plain", b'<?xml version="1.0"?><a/>'),
    "a picture said to be text": ("text/plain", photo(20, 20)),
    "text with a nul": ("text/plain", b"hello\0there"),
    "text of another encoding": ("text/plain", "Grüße".encode("latin-1")),
    "text of nothing": ("text/plain", b"   \n"),
    "an escape sequence": ("text/plain", b"hello \x1b]0;owned\x07"),
    "a document with something before": ("application/pdf", b"MZ" + PDF),
    "a bmp": ("image/png", saved(drawn(), "BMP")),
    "a tiff": ("image/jpeg", saved(drawn(), "TIFF")),
}


@pytest.mark.parametrize(("kind", "content"), BAD.values(), ids=BAD)
async def test_what_is_broken_dangerous_or_too_much_is_refused(
    examiner: IsolatedExaminer, kind: str, content: bytes
) -> None:
    with pytest.raises(BadFile):
        await looked(examiner, content, kind)


@pytest.mark.parametrize(("kind", "content"), OTHER.values(), ids=OTHER)
async def test_what_is_something_else_is_refused(examiner: IsolatedExaminer, kind: str, content: bytes) -> None:
    with pytest.raises(NotWhatWasAnnounced):
        await looked(examiner, content, kind)


async def test_a_type_that_is_believed_lets_a_page_in(examiner: IsolatedExaminer) -> None:
    """What is guarded against: had the announced type been trusted, this would be kept as a picture's neighbour."""

    class Believing(IsolatedExaminer):
        async def _looked_into(self, hands: Any, folder: Path, content_type: str, policy: Any) -> Any:
            return []

    content, parts = await looked(Believing(), OTHER["a page said to be text"][1], "text/plain")
    assert parts["original"].lstrip().startswith(b"<!DOCTYPE html>")
    assert content.content_type == "text/plain"
    with pytest.raises(NotWhatWasAnnounced):
        await looked(examiner, parts["original"], "text/plain")


async def test_large_pictures_in_a_document_are_no_reason_to_refuse_it(examiner: IsolatedExaminer) -> None:
    packed = zlib.compress(b"\0" * (20 * 1024 * 1024))
    picture = b"2 0 obj <</Subtype /Image /Filter /FlateDecode>> stream\n" + packed + b"\nendstream endobj\n"
    assert (await looked(examiner, PDF.replace(b"trailer", picture + b"trailer"), "application/pdf"))[0].size


async def test_a_phone_that_hides_a_film_behind_its_photo_is_served_and_the_film_stays_behind(
    examiner: IsolatedExaminer,
) -> None:
    content = photo(100, 80) + b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 40
    _, parts = await looked(examiner, content, "image/jpeg")
    assert b"ftypmp42" not in parts["original"]


# --- Limits -----------------------------------------------------------------------------------------------------------


async def test_one_that_takes_too_much_memory_or_time_is_ended_and_the_next_is_served() -> None:
    big = png(5000, 5000, zlib.compress((b"\0" + b"\0" * 5000) * 5000))
    for limits, content in (
        (replace(Limits(), memory=60 * 1024 * 1024), big),
        (replace(Limits(), file=2000), photo(200, 200, "PNG")),
    ):
        examiner = IsolatedExaminer(hands=1, limits=limits)
        try:
            with pytest.raises(BadFile):
                await looked(examiner, content, "image/png")
            assert (await looked(examiner, photo(20, 20, "PNG"), "image/png"))[0].width == 20
        finally:
            examiner.close()


async def test_the_process_that_looks_has_nothing_of_ours(examiner: IsolatedExaminer, monkeypatch: Any) -> None:
    monkeypatch.setenv("GUILDHALL_SECRET", "not for everybody")
    fresh = IsolatedExaminer(hands=1)
    await looked(fresh, photo(20, 20), "image/jpeg")
    assert fresh._made is not None
    (hand,) = fresh._made._idle
    environment = await asyncio.to_thread(Path(f"/proc/{hand._process.pid}/environ").read_bytes)
    fresh.close()
    assert b"PYTHONPATH" in environment
    assert b"GUILDHALL" not in environment


async def test_a_hand_that_dies_is_replaced_and_the_file_is_not_blamed() -> None:
    examiner = IsolatedExaminer(hands=1)
    await looked(examiner, photo(20, 20), "image/jpeg")
    assert examiner._made is not None
    (hand,) = examiner._made._idle
    hand._process.kill()
    hand._process.wait()
    with pytest.raises(ExaminerBusy):
        await looked(examiner, photo(20, 20), "image/jpeg")
    assert (await looked(examiner, photo(20, 20), "image/jpeg"))[0].width == 20
    examiner.close()


async def test_more_than_can_wait_are_told_to_come_again() -> None:
    examiner = IsolatedExaminer(hands=1, queue=2)
    asked = (looked(examiner, photo(200, 200), "image/jpeg") for _ in range(8))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    examiner.close()
    busy = [answer for answer in answers if isinstance(answer, ExaminerBusy)]
    assert len(busy) + sum(isinstance(answer, tuple) for answer in answers) == 8
    assert len(busy) >= 1
    assert {each.details["retry_after"] for each in busy} == {5}


async def test_nothing_is_left_behind_in_whatever_way_it_ends(
    examiner: IsolatedExaminer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    await looked(examiner, photo(), "image/jpeg")
    with pytest.raises(BadFile):
        await looked(examiner, photo()[:-900], "image/jpeg")

    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise Refusal("the store went away")

    with pytest.raises(Refusal, match="went away"):
        async with examiner.examine(broken(), content_type="image/png", policy=ATTACHMENTS):
            pass
    assert await asyncio.to_thread(os.listdir, tmp_path) == []


# --- Whatever there is ------------------------------------------------------------------------------------------------

SAMPLES = [
    *(photo(24, 16, format) for format in FORMATS.values()),
    PDF,
    b"plain text, \xc3\xa9 and all",
    *(content for _, content in BAD.values() if len(content) < 10_000),
]


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """Something sound, with bytes changed, cut, doubled or put behind one another."""
    data = bytearray(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        match draw(st.sampled_from(("set", "cut", "put", "join"))):
            case "set" if data:
                data[at] = draw(st.integers(0, 255))
            case "cut":
                del data[at : at + draw(st.integers(1, 40))]
            case "put":
                data[at:at] = draw(st.binary(max_size=20))
            case "join":
                data += draw(st.sampled_from(SAMPLES))
    return bytes(data)


@settings(max_examples=150)
@given(st.one_of(st.binary(max_size=400), mangled()))
def test_whatever_comes_is_refused_or_decodes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    kind = kind_of(data)
    assert kind is None or kind in EXTENSIONS
    if kind is None:
        return
    folder = tmp_path_factory.mktemp("looked")
    (folder / "arrived").write_bytes(data)
    try:
        must_be_harmless(data, kind)
        if kind not in PICTURES:
            assert kind == "application/pdf" or data.decode("utf-8-sig")
            return
        made = redrawn(folder / "arrived", folder, kind=kind, sizes=[("thumbnail", 16)])
    except Refused:
        return
    for name, width, height in made:
        drawn = (folder / name).read_bytes()
        assert kind_of(drawn) == kind
        must_be_harmless(drawn, kind)
        with Image.open(io.BytesIO(drawn), formats=[FORMATS[kind]]) as shown:
            shown.load()
            assert shown.size == (width, height)
