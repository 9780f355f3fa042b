"""Files over HTTP, as people and their front ends meet them."""

import io

from PIL import Image

from tests.rest.world import World
from tests.support.pictures import photo


async def test_a_picture_is_uploaded_and_shown_to_everybody(world: World) -> None:
    ana = await world.person("Ana")
    answer = await ana.post(
        "/v1/files",
        params={"bucket": "avatars", "name": "me.jpg"},
        content=photo(640, 480),
        headers={"content-type": "image/jpeg"},
    )
    assert answer.status_code == 201, answer.text
    file = answer.json()
    assert (file["state"], file["width"], [each["name"] for each in file["renderings"]]) == (
        "stored",
        640,
        ["thumbnail", "medium"],
    )
    shown = await world.anybody.get(f"/v1/files/{file['id']}/content", params={"rendering": "thumbnail"})
    assert shown.status_code == 200, shown.text
    assert shown.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(shown.content)).size == (160, 120)
    updated = await ana.patch("/v1/me/profile", json={"avatar_id": file["id"]}, headers={"If-Match": "*"})
    assert updated.status_code == 200, updated.text
    assert updated.json()["avatar_id"] == file["id"]
