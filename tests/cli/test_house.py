"""Commands about the house itself: help, settings, keys, the clock, the API's document, and the doctor at home."""

import json
import socket
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from application.bookings import Reservation
from entrypoints.cli import app
from entrypoints.cli.app import COMMANDS
from entrypoints.cli.desk import Desk
from entrypoints.settings import ClockName, MailCarrier, Tls
from tests.cli.conftest import Office, Said, opened
from tests.cli.processes import guildhall
from tests.support.issuers import es256, published, rs256

Helped = Callable[..., Said]


def every_command() -> Iterator[tuple[str, ...]]:
    """The words of every command there is."""
    root: Any = get_command(app)
    context = typer.Context(root, info_name="guildhall", obj=Desk())
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        if not hasattr(command, "commands"):
            yield (name,)
            continue
        for verb in command.commands:
            yield name, verb


ALL = sorted(every_command())
BUSINESS = {
    "user": {"create-admin", "create", "list", "show", "suspend", "restore", "delete", "role"},
    "organization": {
        *("list", "show", "create", "rename", "members", "add-member", "role", "remove-member"),
        *("invite", "invitations", "revoke", "activity", "professions", "equip", "onboarding", "answer", "set-up"),
    },
    "billing": {"refresh", "products", "prices", "purchase", "subscriptions", "entitlements"},
    "job": {"list", "search", "show", "create", "revise", "publish", "archive", "delete"},
    "availability": {"show", "set", "day", "clear-day", "time-off", "cancel-time-off", "slots"},
    "booking": {"list", "show", "book", "accept", "decline", "reschedule", "cancel", "complete", "no-show"},
    "payee": {"list", "show", "open", "refresh", "link", "payouts"},
    "payment": {
        *("list", "show", "capture", "release", "refund", "refunds", "cards", "forget-card", "ledger"),
        *("balances", "verify-books"),
        *("reconcile", "reconciliations", "discrepancies", "close-discrepancy"),
    },
    "dispute": {"list", "show", "prepare", "submit", "warnings", "heed"},
    "quote": {"list", "show", "draft", "revise", "discard", "send", "link", "accept", "decline"},
    "invoice": {
        *(
            "list",
            "show",
            "draft",
            "revise",
            "void",
            "of-booking",
            "issue",
            "send",
            "pay-link",
            "record",
            "settlements",
        ),
        *("credit", "papers", "print", "letterhead", "sign"),
    },
    "move": {
        *("plan", "run", "verify", "cutover", "rollback", "close", "files", "give-logins", "take-logins"),
    },
    "review": {"list", "show", "post", "hide", "restore"},
    "message": {"conversations", "list", "start", "send"},
    "files": {"list", "sweep", "verify"},
    "events": {"list", "dead", "replay", "skip"},
    "webhooks": {"fetch", "list", "replay"},
    "mail": {"list", "resend"},
    "audit": {"list", "verify"},
    "keys": {"list", "rotate"},
    "clock": {"show", "advance", "set"},
    "config": {"show"},
}


@pytest.fixture(scope="module")
def helped() -> Helped:
    """What commands say that need no house."""

    def run(*words: str) -> Said:
        result = CliRunner().invoke(app, list(words), obj=Desk(logs=False))
        return Said(result.exit_code, result.stdout, result.stderr)

    return run


def test_every_word_has_its_verbs() -> None:
    found: dict[str, set[str]] = {}
    for words in ALL:
        if len(words) == 2:
            found.setdefault(words[0], set()).add(words[1])
    assert found == BUSINESS


def test_the_help_names_every_command_and_every_exit_code(helped: Helped) -> None:
    said = helped("--help")
    assert said.code == 0
    for word in {words[0] for words in ALL}:
        assert word in COMMANDS
        assert f" {word} " in said.out
    for code in ("0  done", "1  refused", "2  wrong usage", "3  a part"):
        assert code in said.out


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_explains_itself_and_speaks_json(helped: Helped, words: tuple[str, ...]) -> None:
    said = helped(*words, "--help")
    assert said.code == 0
    assert "Usage" in said.out
    if words not in {("openapi",), ("demo",)}:
        assert "--json" in said.out


def test_options_are_the_fields_of_the_input_with_their_docs(helped: Helped) -> None:
    help = " ".join(helped("booking", "book", "--help").out.split())
    for field in Reservation.__dataclass_fields__:
        assert f"--{field.replace('_', '-')}" in help
    assert "How many seats of a shared session" in help
    assert "Book a free slot." in help
    assert "guildhall booking book --as" in help


def test_every_write_takes_a_key_and_no_read_does(helped: Helped) -> None:
    for words in (("booking", "cancel"), ("job", "create"), ("payment", "refund"), ("user", "suspend")):
        assert "--key" in helped(*words, "--help").out
    for words in (("booking", "list"), ("job", "search"), ("user", "show")):
        assert "--key" not in helped(*words, "--help").out


def test_a_word_nobody_knows_is_a_usage_error_with_a_suggestion(helped: Helped) -> None:
    said = helped("bokings")
    assert said.code == 2
    assert "booking" in said.err
    assert helped("booking", "lsit").code == 2
    assert helped("booking", "cancel").code == 2


def test_the_version_is_told(helped: Helped) -> None:
    assert helped("--version").out.startswith("guildhall ")


def test_a_shell_completes_words_and_verbs(tmp_path: Path) -> None:
    def completed(typed: str, word: int) -> list[str]:
        asked = {"_GUILDHALL_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(word)}
        return guildhall(folder=tmp_path, **asked).out.split()

    assert completed("guildhall boo", 1) == ["booking"]
    assert completed("guildhall booking c", 2) == ["cancel", "complete"]
    assert "--starts-at" in completed("guildhall booking book --st", 3)


def test_settings_are_shown_with_their_secrets_masked(tmp_path: Path) -> None:
    secret = "a secret of more than thirty-two characters"
    office = Office(opened(tmp_path, secret=secret))
    shown = office.json("config", "show")
    assert shown["GUILDHALL_STORAGE"] == "memory"
    assert shown["GUILDHALL_SECRET"] == "**********"
    said = office("config", "show").out
    assert secret not in said
    assert "GUILDHALL_STORAGE" in said


def test_wrong_settings_are_told_all_at_once_and_exit_with_2(tmp_path: Path) -> None:
    said = guildhall("user", "list", folder=tmp_path, GUILDHALL_PORT="abc", GUILDHALL_STORAGE="paper")
    assert said.code == 2
    assert "2 settings are wrong" in said.err
    assert "GUILDHALL_PORT" in said.err
    assert "GUILDHALL_STORAGE" in said.err


def test_a_database_that_does_not_answer_exits_with_3(tmp_path: Path) -> None:
    nobody = "postgresql://owner:secret@127.0.0.1:1/guildhall"
    said = guildhall("user", "list", "--json", folder=tmp_path, DATABASE_URL=nobody)
    assert said.code == 3
    assert said.refusal["code"] == "unavailable"
    assert "Traceback" not in said.err


def test_keys_are_rotated_and_the_old_ones_go_on_verifying_for_a_while(office: Office) -> None:
    first = office.one("keys", "list")["kid"]
    told = office.json("keys", "rotate", "--keep", "2h")
    assert told["verify"] == [told["signs"], first]
    assert [key["kid"] for key in office.json("keys", "list")["items"]] == told["verify"]
    alone = office.json("keys", "rotate", "--at-once")
    assert alone["verify"] == [alone["signs"]]
    assert office("keys", "rotate", "--keep", "a while").code == 2


def test_a_movable_clock_is_moved_for_everybody(office: Office) -> None:
    before = datetime.fromisoformat(office.json("clock", "show")["now"])
    after = datetime.fromisoformat(office.json("clock", "advance", "1d12h")["now"])
    assert timedelta(hours=36) <= after - before < timedelta(hours=37)
    assert office.house.container.clock().now() >= after
    assert office.json("clock", "set", "2026-03-29T00:30:00+01:00")["now"].startswith("2026-03-28T23:30")


@pytest.mark.parametrize(
    "words", [("advance", "soon"), ("advance", "-1d"), ("set", "tomorrow"), ("advance", "9" * 20 + "d")]
)
def test_times_that_are_none_are_usage_errors(office: Office, words: tuple[str, ...]) -> None:
    assert office("clock", *words).code == 2


def test_a_moment_without_an_offset_is_refused(office: Office) -> None:
    said = office("clock", "set", "2026-03-29T00:30:00", "--json")
    assert (said.code, said.refusal["code"]) == (1, "invalid")


def test_nobody_moves_the_machines_own_clock(tmp_path: Path) -> None:
    office = Office(opened(tmp_path, clock=ClockName.SYSTEM))
    for words in (("advance", "1d"), ("set", "2026-03-29T00:30:00Z")):
        said = office("clock", *words, "--json")
        assert (said.code, said.refusal["code"]) == (1, "clock.fixed")
    assert office.json("clock", "show")["clock"] == "system"


def test_the_apis_document_is_written_where_one_wants_it(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "openapi.json"
    said = office("openapi", str(file))
    assert (said.code, said.out) == (0, "")
    document = json.loads(file.read_text())
    assert document["info"]["title"] == "Guildhall"
    assert "/v1/jobs" in document["paths"]


def test_what_is_in_memory_is_neither_migrated_nor_shared(office: Office) -> None:
    assert office("migrate").code == 2
    assert office("worker").code == 2
    assert office("serve", "--no-worker").code == 2


def test_the_schema_is_written_down_as_sql_without_any_database(office: Office) -> None:
    said = office("migrate", "--sql")
    assert said.code == 0
    assert "create table bookings" in said.out.lower()
    assert "row level security" in said.out.lower()


# --- The doctor at home -----------------------------------------------------------------------------------------------


def findings(office: Office, *words: str, code: int = 0) -> dict[str, dict[str, str]]:
    """What the doctor found, by part."""
    said = office("doctor", *words, "--json")
    assert said.code == code, said.out + said.err
    told = json.loads(said.out)
    assert told["well"] is (code == 0)
    return {each["part"]: each for each in told["findings"]}


@pytest.fixture
def quiet(tmp_path: Path) -> Office:
    """An office whose settings name a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return Office(opened(tmp_path, port=port))


def test_a_fresh_house_is_well(quiet: Office) -> None:
    found = findings(quiet, "--offline")
    assert {each["verdict"] for part, each in found.items() if part not in ("packages", "clock")} <= {"ok", "skipped"}
    assert {"python", "packages", "settings", "data folder", "signing keys", "payments", "port"} <= set(found)
    assert found["clock"]["verdict"] == "warn"
    assert "python" in quiet("doctor", "--offline").out


def test_whatever_is_not_well_comes_with_what_to_do(quiet: Office) -> None:
    for each in findings(quiet, "--offline").values():
        assert each["fix"] or each["verdict"] in ("ok", "skipped")


def test_issuers_are_asked_for_their_keys(tmp_path: Path) -> None:
    accepting: dict[str, Any] = {
        "accept_tokens_of": ("supabase", "clerk"),
        "supabase_url": "http://127.0.0.1:9",
        "further_issuers": (f"supabase|http://127.0.0.1:9/old|{'s' * 40}",),
    }
    with published([es256().jwk(), rs256().jwk()]) as (clerk, _):
        office = Office(opened(tmp_path, **accepting, clerk_issuer=clerk))
        said = office("doctor", "--json")
    told = [(each["part"], each["verdict"], each["seen"]) for each in json.loads(said.out)["findings"]]
    found = [each for each in told if each[0].startswith("issuer")]
    assert [verdict for _, verdict, _ in found] == ["fail", "ok", "ok"]
    assert "cannot be fetched" in found[0][2]
    assert found[1] == ("issuer clerk", "ok", f"{clerk} publishes 1 key")
    assert "verified with its secret" in found[2][2]


def test_keys_that_cannot_be_read_fail(quiet: Office) -> None:
    folder = quiet.house.settings.data_dir
    (folder / "keys.json").write_text("{}")
    (folder / "keys.json").chmod(0o600)
    assert findings(quiet, "--offline", code=1)["signing keys"]["verdict"] == "fail"


def test_keys_that_others_can_read_fail(quiet: Office) -> None:
    quiet("keys", "rotate")
    (quiet.house.settings.data_dir / "keys.json").chmod(0o644)
    assert "chmod 600" in findings(quiet, "--offline", code=1)["signing keys"]["fix"]


def test_a_port_somebody_else_holds_is_a_warning_with_their_name(quiet: Office) -> None:
    with socket.create_server(("127.0.0.1", quiet.house.settings.port)):
        found = findings(quiet, "--offline")["port"]
    assert found["verdict"] == "warn"
    assert "pid" in found["seen"]


def test_wrong_settings_are_findings_too(tmp_path: Path) -> None:
    said = guildhall("doctor", "--json", folder=tmp_path, GUILDHALL_PORT="abc", GUILDHALL_MAIL="pigeon")
    assert said.code == 1
    parts = {each["part"]: each["verdict"] for each in json.loads(said.out)["findings"]}
    assert parts == {"settings: GUILDHALL_PORT": "fail", "settings: GUILDHALL_MAIL": "fail"}


@pytest.fixture
def post_office() -> Iterator[int]:
    """The port of a mail server that takes whatever comes."""
    from aiosmtpd.controller import Controller
    from aiosmtpd.handlers import Sink

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    controller = Controller(Sink(), hostname="127.0.0.1", port=port)
    controller.start()
    yield port
    controller.stop()


def test_a_mail_server_that_lets_us_in_is_well_and_one_that_is_away_fails(tmp_path: Path, post_office: int) -> None:
    mail: dict[str, Any] = {"mail": MailCarrier.SMTP, "smtp_host": "127.0.0.1", "smtp_tls": Tls.NONE}
    there = Office(opened(tmp_path, smtp_port=post_office, port=post_office + 1, **mail))
    assert findings(there)["mail"]["verdict"] == "ok"
    away = Office(opened(tmp_path, smtp_port=1, **mail))
    found = findings(away, code=1)["mail"]
    assert found["verdict"] == "fail"
    assert "GUILDHALL_SMTP_HOST" in found["fix"]
    assert "mail" not in findings(away, "--offline")
