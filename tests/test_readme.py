"""The tour of the README runs, line by line, as it stands there."""

import asyncio
import os
from pathlib import Path

import httpx

from entrypoints.cli.journey.instance import throw_away
from entrypoints.cli.journey.people import Person
from tests.journey.town import DEMO_TOWN, PASSWORD

README = Path(__file__).parents[1] / "README.md"


def tour() -> str:
    """The lines between the markers of the tour."""
    _, _, after = README.read_text().partition("<!-- tour -->\n```bash\n")
    lines, _, _ = after.partition("```\n<!-- /tour -->")
    return lines


async def test_the_tour_books_a_lesson_pays_it_and_says_a_word_about_it() -> None:
    assert tour().count("\n") > 12
    async with throw_away(wishes={**DEMO_TOWN, "GUILDHALL_RATE_LIMITS": "true"}) as instance:
        await instance.open()
        code, told, complained = await bash(tour(), API=instance.address)
        assert code == 0, f"{told}\n{complained}\n{instance.last_words()}"
        assert told.splitlines()[-3:] == ['"state":"confirmed"', "1", "Shall I bring my own music?"]

        async with httpx.AsyncClient(base_url=instance.address, trust_env=False) as http:
            ana = Person(http=http, name="Ana", email="ana@town.example", password=PASSWORD)
            assert (await ana.sign_in()).status_code == 201
            booked = (await ana.everything("/v1/bookings"))[0]
            assert (booked["job_title"], booked["state"], booked["paid"]) == ("Piano lesson", "confirmed", True)


async def test_a_line_of_the_tour_that_fails_fails_the_tour() -> None:
    code, _, _ = await bash(tour(), API="http://127.0.0.1:9")
    assert code != 0


async def bash(lines: str, **environment: str) -> tuple[int, str, str]:
    """Run the lines as a careful shell does: the first that fails ends them."""
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", lines),
        env={**os.environ, "no_proxy": "127.0.0.1", **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        told, complained = await asyncio.wait_for(process.communicate(), 45)
    except TimeoutError:
        process.kill()
        told, complained = await process.communicate()
    assert process.returncode is not None
    return process.returncode, told.decode(), complained.decode()
