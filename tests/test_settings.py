"""Settings are read as a whole: all that is wrong is told at once, and production refuses what is unsafe."""

import os
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from pydantic import AliasChoices, SecretStr, ValidationError

from entrypoints.settings import (
    ClockName,
    DatabaseUrl,
    Env,
    FileStore,
    FurtherIssuer,
    GatewayName,
    IssuerName,
    MailCarrier,
    Settings,
    SettingsProblems,
    Storage,
    Tls,
    env_example,
    env_name,
)
from entrypoints.settings.names import SECRET

ROOT = Path(__file__).parents[1]
SAFE: dict[str, str] = {
    "GUILDHALL_ENV": "production",
    "GUILDHALL_SECRET": "s" * 48,
    "GUILDHALL_PUBLIC_URL": "https://guildhall.example",
    "GUILDHALL_GATEWAY": "stripe",
    "STRIPE_SECRET_KEY": "sk_live_4242",
    "STRIPE_PUBLISHABLE_KEY": "pk_live_4242",
    "STRIPE_WEBHOOK_SECRET": "whsec_old,whsec_new",
    "GUILDHALL_MAIL": "smtp",
    "GUILDHALL_MAIL_FROM": "Guildhall <hello@guildhall.example>",
    "GUILDHALL_SMTP_HOST": "smtp.guildhall.example",
    "DATABASE_URL": "postgres://owner:hunter2@db.example/guildhall",
}


HOOK = f"whsec_{b64encode(bytes(24)).decode()}"
CLERK = {"GUILDHALL_ACCEPT_TOKENS_OF": "clerk", "CLERK_ISSUER": "https://clerk.example"}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    known = {env_name(field) for field in Settings.model_fields}
    for name in list(os.environ):
        if name.startswith("GUILDHALL_") or name.removesuffix("_FILE") in known:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return


def settings(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings()


def problems(monkeypatch: pytest.MonkeyPatch, **environment: str) -> dict[str, str]:
    with pytest.raises(SettingsProblems) as caught:
        settings(monkeypatch, **environment)
    assert all(one.wrong and one.fix for one in caught.value.problems)
    return {one.name: one.wrong for one in caught.value.problems}


def test_nothing_needs_to_be_set_to_try_it_out() -> None:
    it = Settings()
    assert (it.env, it.storage, it.gateway, it.mail) == (
        Env.DEVELOPMENT,
        Storage.POSTGRES,
        GatewayName.TEST,
        MailCarrier.FOLDER,
    )
    assert it.public_url == "http://127.0.0.1:8000"
    assert it.database_url is None
    assert it.secret.get_secret_value() == ""
    assert not it.is_production


def test_everything_can_be_set_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    it = settings(
        monkeypatch,
        GUILDHALL_ENV="Test",
        GUILDHALL_STORAGE="memory",
        GUILDHALL_CLOCK="MOVABLE",
        GUILDHALL_DEMO="on",
        GUILDHALL_RATE_LIMITS="off",
        GUILDHALL_HOST="::",
        GUILDHALL_PORT="8123",
        GUILDHALL_CORS_ORIGINS="https://one.example, http://localhost:3000/,",
        GUILDHALL_TRUSTED_PROXIES="10.1.2.3/8,::1",
        GUILDHALL_SMTP_TLS="tls",
        STRIPE_API_BASE="http://127.0.0.1:8420/",
    )
    assert (it.env, it.storage, it.clock, it.smtp_tls) == (Env.TEST, Storage.MEMORY, ClockName.MOVABLE, Tls.TLS)
    assert it.demo
    assert not it.rate_limits
    assert it.public_url == "http://[::1]:8123"
    assert it.cors_origins == ("https://one.example", "http://localhost:3000")
    assert it.trusted_proxies == ("10.0.0.0/8", "::1/128")
    assert it.stripe_api_base == "http://127.0.0.1:8420"


def test_an_empty_value_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch, GUILDHALL_PORT="", DATABASE_URL="", STRIPE_WEBHOOK_SECRET="") == Settings()


def test_dotenv_is_read_and_the_environment_beats_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GUILDHALL_PORT=8001\nGUILDHALL_HOLD_MINUTES=20\n")
    it = settings(monkeypatch, GUILDHALL_PORT="8002")
    assert (it.port, it.hold_minutes) == (8002, 20)


def test_settings_may_be_given_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/db")
    mine = DatabaseUrl("postgresql://here/db")
    it = Settings(storage=Storage.MEMORY, database_url=mine, stripe_webhook_secret=(SecretStr("whsec_1"),))
    assert (it.storage, it.database_url) == (Storage.MEMORY, mine)
    assert it.stripe_webhook_secret[0].get_secret_value() == "whsec_1"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("given", "asyncpg", "sqlalchemy"),
    [
        ("postgres://u:p@h:6543/d", "postgresql://u:p@h:6543/d", "postgresql+asyncpg://u:p@h:6543/d"),
        ("postgresql://h/d", "postgresql://h/d", "postgresql+asyncpg://h/d"),
        (
            "postgresql+asyncpg://h/d?ssl=require",
            "postgresql://h/d?sslmode=require",
            "postgresql+asyncpg://h/d?ssl=require",
        ),
        (
            " postgresql+psycopg://u:p%40ss@h/d?sslmode=verify-full&application_name=a%20b ",
            "postgresql://u:p%40ss@h/d?sslmode=verify-full&application_name=a+b",
            "postgresql+asyncpg://u:p%40ss@h/d?ssl=verify-full&application_name=a+b",
        ),
        (
            "postgresql:///d?host=/run/pg",
            "postgresql:///d?host=%2Frun%2Fpg",
            "postgresql+asyncpg:///d?host=%2Frun%2Fpg",
        ),
    ],
)
def test_any_spelling_of_a_database_address_is_taken(
    monkeypatch: pytest.MonkeyPatch, given: str, asyncpg: str, sqlalchemy: str
) -> None:
    url = settings(monkeypatch, DATABASE_URL=given).database_url
    assert url is not None
    assert (url.asyncpg, url.sqlalchemy) == (asyncpg, sqlalchemy)


@pytest.mark.parametrize(
    "given",
    [
        "mysql://u:hunter2@h/d",
        "h/d",
        "postgresql://",
        "postgresql://u:hunter2@/d",
        "postgresql://u:hunter2@h",
        "postgres://h:x/d",
    ],
)
def test_what_is_no_database_address_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    found = problems(monkeypatch, DATABASE_URL=given)
    assert list(found) == ["DATABASE_URL"]
    assert "hunter2" not in found["DATABASE_URL"]


def test_every_problem_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = problems(
        monkeypatch,
        GUILDHALL_ENV="production",
        GUILDHALL_PORT="eighty",
        GUILDHALL_STORAGE="sqlite",
        GUILDHALL_CORS_ORIGINS="https://a.example/path",
        GUILDHALL_TRUSTED_PROXIES="everybody",
        GUILDHALL_PUBLIC_URL="guildhall.example",
        GUILDHALL_STORGE="memory",
        GUILDHALL_CLOCK="movable",
        STRIPE_SECRET_KEY_FILE="/nowhere/to/be/found",
    )
    assert set(found) == {
        "GUILDHALL_PORT",
        "GUILDHALL_STORAGE",
        "GUILDHALL_CORS_ORIGINS",
        "GUILDHALL_TRUSTED_PROXIES",
        "GUILDHALL_PUBLIC_URL",
        "GUILDHALL_STORGE",
        "GUILDHALL_CLOCK",
        "STRIPE_SECRET_KEY_FILE",
        "GUILDHALL_SECRET",
        "GUILDHALL_GATEWAY",
        "GUILDHALL_MAIL",
    }


def test_the_error_reads_as_a_list_with_a_remedy_each(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsProblems) as caught:
        settings(monkeypatch, GUILDHALL_STORAGE="sqlite", GUILDHALL_STORGE="memory")
    assert str(caught.value).splitlines() == [
        "2 settings are wrong:",
        "  GUILDHALL_STORGE: there is no such setting",
        "      -> did you mean GUILDHALL_STORAGE?",
        "  GUILDHALL_STORAGE: input should be 'memory', 'postgres' or 'supabase', not 'sqlite'",
        "      -> Where rows live: in a PostgreSQL, in a Supabase project over HTTP, or in `memory`, which forgets "
        "everything on exit.",
    ]


def test_a_safe_production_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    it = settings(monkeypatch, **SAFE)
    assert it.is_production
    assert [one.get_secret_value() for one in it.stripe_webhook_secret] == ["whsec_old", "whsec_new"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GUILDHALL_SECRET", ""),
        ("GUILDHALL_SECRET", "too short"),
        ("GUILDHALL_GATEWAY", "test"),
        ("GUILDHALL_CLOCK", "movable"),
        ("GUILDHALL_STORAGE", "memory"),
        ("GUILDHALL_FILES", "memory"),
        ("GUILDHALL_MAIL", "folder"),
        ("GUILDHALL_MAIL", "memory"),
        ("GUILDHALL_MAIL_FROM", ""),
        ("GUILDHALL_SMTP_HOST", ""),
        ("GUILDHALL_SMTP_TLS", "none"),
        ("GUILDHALL_PUBLIC_URL", "http://guildhall.example"),
        ("GUILDHALL_PUBLIC_URL", ""),
        ("GUILDHALL_CORS_ORIGINS", "*"),
        ("GUILDHALL_DEMO", "true"),
        ("GUILDHALL_ARGON2_MEMORY_KIB", "64"),
        ("STRIPE_SECRET_KEY", ""),
        ("STRIPE_SECRET_KEY", "sk_test_4242"),
        ("STRIPE_SECRET_KEY", "4242"),
        ("STRIPE_PUBLISHABLE_KEY", ""),
        ("STRIPE_PUBLISHABLE_KEY", "pk_test_4242"),
        ("STRIPE_WEBHOOK_SECRET", ""),
        ("STRIPE_WEBHOOK_SECRET", "whsec_1,oops"),
        ("STRIPE_API_BASE", "http://127.0.0.1:8420"),
    ],
)
def test_production_refuses_what_is_unsafe(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    assert name in problems(monkeypatch, **{**SAFE, name: value})


def test_a_live_key_needs_production(monkeypatch: pytest.MonkeyPatch) -> None:
    stripe = {name: value for name, value in SAFE.items() if name.startswith("STRIPE_")}
    assert set(problems(monkeypatch, GUILDHALL_GATEWAY="stripe", **stripe)) == {"STRIPE_SECRET_KEY"}


def test_a_test_key_is_at_home_outside_production(monkeypatch: pytest.MonkeyPatch) -> None:
    it = settings(
        monkeypatch,
        GUILDHALL_GATEWAY="stripe",
        STRIPE_SECRET_KEY="sk_test_4242",
        STRIPE_PUBLISHABLE_KEY="pk_test_4242",
        STRIPE_WEBHOOK_SECRET="whsec_1",
        STRIPE_API_BASE="http://127.0.0.1:8420",
    )
    assert it.gateway is GatewayName.STRIPE


def test_settings_that_need_one_another_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    found = problems(
        monkeypatch,
        GUILDHALL_MAIL="smtp",
        GUILDHALL_SMTP_USER="postmaster",
        DATABASE_APP_URL="postgresql://guildhall_app@db/guildhall",
    )
    assert set(found) == {"GUILDHALL_SMTP_HOST", "GUILDHALL_SMTP_PASSWORD", "DATABASE_URL"}


@pytest.mark.parametrize(
    ("chosen", "needed"),
    [
        ({"GUILDHALL_FILES": "supabase"}, {"SUPABASE_URL", "SUPABASE_SECRET_KEY"}),
        ({"GUILDHALL_FILES": "s3", "GUILDHALL_S3_ACCESS_KEY_ID": "AKIA"}, {"GUILDHALL_S3_ACCESS_KEY_ID"}),
        ({"GUILDHALL_FILES": "s3", "GUILDHALL_S3_SECRET_ACCESS_KEY": "s"}, {"GUILDHALL_S3_ACCESS_KEY_ID"}),
        (
            {"GUILDHALL_PICTURES": "cloudinary", "CLOUDINARY_API_KEY": "1"},
            {"CLOUDINARY_CLOUD_NAME", "CLOUDINARY_API_SECRET"},
        ),
        ({**SAFE, "GUILDHALL_FILES": "s3", "GUILDHALL_S3_ENDPOINT": "http://minio:9000"}, {"GUILDHALL_S3_ENDPOINT"}),
    ],
)
def test_where_files_lie_needs_its_keys(
    monkeypatch: pytest.MonkeyPatch, chosen: dict[str, str], needed: set[str]
) -> None:
    assert set(problems(monkeypatch, **chosen)) == needed


def test_files_at_s3_may_be_opened_by_the_machines_own_role(monkeypatch: pytest.MonkeyPatch) -> None:
    it = settings(monkeypatch, **{**SAFE, "GUILDHALL_FILES": "s3", "GUILDHALL_FILES_BUCKET": "ours"})
    assert (it.files, it.files_bucket, it.s3_access_key_id) == (FileStore.S3, "ours", None)


def test_mail_may_go_in_clear_to_a_relay_on_the_same_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    it = settings(monkeypatch, **{**SAFE, "GUILDHALL_SMTP_TLS": "none", "GUILDHALL_SMTP_HOST": "localhost"})
    assert it.smtp_tls is Tls.NONE


LOOKS = {
    "database_app_url": "postgresql://a:hunter2@h/d",
    "further_issuers": f"supabase|https://old.example/auth/v1|{'s' * 40}",
    "clerk_webhook_secret": HOOK,
    "supabase_auth_hook_secret": "v1,whsec_hunter2|v1,whsec_hunter3",
}
"""Secrets that have a form of their own."""
BESIDE: dict[str, dict[str, str]] = {
    "database_app_url": {"DATABASE_URL": SAFE["DATABASE_URL"]},
    "clerk_webhook_secret": CLERK,
    "google_client_secret": {"GOOGLE_CLIENT_ID": "known"},
    "github_client_secret": {"GITHUB_CLIENT_ID": "known"},
}
"""What makes no sense without them."""


@pytest.mark.parametrize("field", sorted(SECRET))
def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, field: str) -> None:
    value = LOOKS.get(field) or SAFE.get(env_name(field), "s" * 40)
    (tmp_path / "it").write_text(f"{value}\n")
    given = BESIDE.get(field, {})
    it = settings(monkeypatch, **given, **{f"{env_name(field)}_FILE": str(tmp_path / "it")})
    monkeypatch.delenv(f"{env_name(field)}_FILE")
    assert getattr(it, field) == getattr(settings(monkeypatch, **given, **{env_name(field): value}), field)


def test_a_secret_and_its_file_are_not_both_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "it").write_text("s" * 40)
    given = {"GUILDHALL_SECRET": "t" * 40, "GUILDHALL_SECRET_FILE": str(tmp_path / "it")}
    assert set(problems(monkeypatch, **given)) == {"GUILDHALL_SECRET_FILE"}


def test_a_file_may_be_named_in_dotenv_too(tmp_path: Path) -> None:
    (tmp_path / "it").write_text("s" * 40)
    (tmp_path / ".env").write_text(f"GUILDHALL_SECRET_FILE={tmp_path / 'it'}\n")
    assert Settings().secret.get_secret_value() == "s" * 40


def test_only_secrets_come_from_files(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(problems(monkeypatch, GUILDHALL_PORT_FILE="/etc/hostname")) == {"GUILDHALL_PORT_FILE"}


def test_names_that_only_the_tests_know_are_let_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    settings(monkeypatch, GUILDHALL_TEST_SUPABASE_URL="http://127.0.0.1:54321")


def test_secrets_never_show(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {**SAFE, "GUILDHALL_SECRET": "hunter2" * 8, "GUILDHALL_SMTP_PASSWORD": "hunter2"}
    given |= {"STRIPE_SECRET_KEY": "sk_live_hunter2", "STRIPE_WEBHOOK_SECRET": "whsec_hunter2"}
    it = settings(monkeypatch, **given, DATABASE_APP_URL="postgresql://app:hunter2@db.example/guildhall")
    for text in (repr(it), str(it), repr(it.shown()), repr(it.model_dump()), f"{it.database_url}"):
        assert "hunter2" not in text
    assert it.shown()["DATABASE_URL"] == "postgresql://owner:**********@db.example/guildhall"
    assert it.shown()["GUILDHALL_TRUSTED_PROXIES"] == "127.0.0.1/32,::1/128"
    del given["GUILDHALL_SMTP_HOST"]
    monkeypatch.delenv("GUILDHALL_SMTP_HOST")
    with pytest.raises(SettingsProblems) as caught:
        settings(monkeypatch, **{**given, "DATABASE_URL": "mysql://u:hunter2@h/d", "GUILDHALL_SECRET": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_every_setting_says_what_it_means() -> None:
    for field, info in Settings.model_fields.items():
        assert info.description, field
        names = (
            info.validation_alias.choices
            if isinstance(info.validation_alias, AliasChoices)
            else [info.validation_alias]
        )
        assert names[0] in (None, env_name(field))


def test_keys_of_a_supabase_project_are_known_by_their_older_names_too(monkeypatch: pytest.MonkeyPatch) -> None:
    it = settings(monkeypatch, SUPABASE_ANON_KEY="anon", SUPABASE_SERVICE_ROLE_KEY="service")
    assert it.supabase_publishable_key == "anon"
    assert it.supabase_secret_key == SecretStr("service")


def test_issuers_are_named_by_what_their_vendors_hand_out(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "pk_test_" + b64encode(b"happy-owl-7.clerk.accounts.dev$").decode().rstrip("=")
    it = settings(
        monkeypatch,
        GUILDHALL_ACCEPT_TOKENS_OF="clerk, Supabase",
        GUILDHALL_TRUST_ADDRESSES_OF="supabase",
        GUILDHALL_FURTHER_ISSUERS=f"supabase|https://old.example/auth/v1|{'s' * 40},clerk|https://clerk.old.example/",
        CLERK_PUBLISHABLE_KEY=key,
        CLERK_AUTHORIZED_PARTIES="https://shop.example",
        SUPABASE_URL="https://project.supabase.example",
    )
    assert it.accept_tokens_of == (IssuerName.CLERK, IssuerName.SUPABASE)
    assert it.clerk_address == "https://happy-owl-7.clerk.accounts.dev"
    assert it.still_accepted == (
        FurtherIssuer(IssuerName.SUPABASE, "https://old.example/auth/v1", "s" * 40),
        FurtherIssuer(IssuerName.CLERK, "https://clerk.old.example"),
    )
    assert "ssss" not in repr(it.still_accepted) + repr(it) + repr(it.shown())


@pytest.mark.parametrize(
    ("told", "names"),
    [
        ({"GUILDHALL_ACCEPT_TOKENS_OF": "okta"}, {"GUILDHALL_ACCEPT_TOKENS_OF"}),
        ({"GUILDHALL_ACCEPT_TOKENS_OF": "supabase"}, {"SUPABASE_URL"}),
        ({"GUILDHALL_ACCEPT_TOKENS_OF": "clerk"}, {"CLERK_ISSUER"}),
        ({"GUILDHALL_TRUST_ADDRESSES_OF": "clerk"}, {"GUILDHALL_TRUST_ADDRESSES_OF"}),
        ({"GUILDHALL_FURTHER_ISSUERS": "okta|https://x.example"}, {"GUILDHALL_FURTHER_ISSUERS"}),
        ({"GUILDHALL_FURTHER_ISSUERS": "supabase|x.example"}, {"GUILDHALL_FURTHER_ISSUERS"}),
        ({"GUILDHALL_FURTHER_ISSUERS": "supabase|https://x.example|short"}, {"GUILDHALL_FURTHER_ISSUERS"}),
        ({"CLERK_WEBHOOK_SECRET": HOOK}, {"CLERK_WEBHOOK_SECRET"}),
        ({**CLERK, "CLERK_WEBHOOK_SECRET": HOOK.removeprefix("whsec_")}, {"CLERK_WEBHOOK_SECRET"}),
        ({**CLERK, "CLERK_WEBHOOK_SECRET": "whsec_1"}, {"CLERK_WEBHOOK_SECRET"}),
        ({**CLERK, "CLERK_PUBLISHABLE_KEY": "pk_test_"}, {"CLERK_PUBLISHABLE_KEY"}),
        ({**CLERK, "CLERK_PUBLISHABLE_KEY": "pk_live_b3RoZXIuZXhhbXBsZSQ"}, {"CLERK_PUBLISHABLE_KEY"}),
        (
            {"GUILDHALL_ACCEPT_TOKENS_OF": "supabase", "SUPABASE_URL": "https://x.example", "SUPABASE_JWT_SECRET": "s"},
            {"SUPABASE_JWT_SECRET"},
        ),
        ({**SAFE, **CLERK}, {"CLERK_AUTHORIZED_PARTIES"}),
        (
            {**SAFE, **CLERK, "CLERK_ISSUER": "http://clerk.example", "CLERK_AUTHORIZED_PARTIES": "https://a.example"},
            {"CLERK_ISSUER"},
        ),
    ],
)
def test_issuers_that_contradict_themselves_are_told(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, str], names: set[str]
) -> None:
    assert set(problems(monkeypatch, **told)) == names


def test_the_example_file_equals_the_settings() -> None:
    assert (ROOT / ".env.example").read_text() == env_example(Settings), "make env-example"


def test_the_example_file_uncommented_changes_nothing(tmp_path: Path) -> None:
    lines = env_example(Settings).splitlines()
    given = [
        line.removeprefix("# ") for line in lines if line.startswith("# ") and line[2:].partition("=")[0].isupper()
    ]
    assert len(given) == len(Settings.model_fields)
    (tmp_path / ".env").write_text(
        "\n".join(given).replace("Guildhall <", '"Guildhall <').replace(".localhost>", '.localhost>"')
    )
    assert Settings() == Settings(_env_file=None)  # type: ignore[call-arg]


def test_the_example_file_is_nothing_but_comments() -> None:
    assert all(not line or line.startswith("#") for line in env_example(Settings).splitlines())


def test_a_door_kept_by_supabase_needs_its_project_and_no_providers_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = problems(monkeypatch, GUILDHALL_IDENTITY="supabase", GITHUB_CLIENT_ID="id", GITHUB_CLIENT_SECRET="s")
    assert set(alone) == {"SUPABASE_URL", "SUPABASE_PUBLISHABLE_KEY", "SUPABASE_SECRET_KEY", "GITHUB_CLIENT_ID"}


def test_a_provider_is_set_up_wholly_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    found = problems(monkeypatch, GOOGLE_CLIENT_ID="id", GITHUB_CLIENT_SECRET="s")
    assert set(found) == {"GOOGLE_CLIENT_SECRET", "GITHUB_CLIENT_ID"}


def test_codes_are_sent_to_front_ends_that_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(problems(monkeypatch, GUILDHALL_RETURN_ORIGINS="*")) == {"GUILDHALL_RETURN_ORIGINS"}
    clear = problems(monkeypatch, **{**SAFE, "GUILDHALL_RETURN_ORIGINS": "http://app.example"})
    assert set(clear) == {"GUILDHALL_RETURN_ORIGINS"}


def test_secrets_of_a_hook_hold_commas_and_are_told_apart_by_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    it = settings(monkeypatch, SUPABASE_AUTH_HOOK_SECRET="v1,whsec_old|v1,whsec_new")
    assert [one.get_secret_value() for one in it.supabase_auth_hook_secret] == ["v1,whsec_old", "v1,whsec_new"]
    assert set(problems(monkeypatch, SUPABASE_AUTH_HOOK_SECRET="v1,oops")) == {"SUPABASE_AUTH_HOOK_SECRET"}


# --- A Supabase project -----------------------------------------------------------------------------------------------

PROJECT = {
    "GUILDHALL_STORAGE": "supabase",
    "SUPABASE_URL": "https://abc.supabase.co",
    "SUPABASE_PUBLISHABLE_KEY": "sb_publishable_1",
    "SUPABASE_SECRET_KEY": "sb_secret_1",
    "SUPABASE_JWT_SECRET": "a secret of the project",
}


def old_key(role: str) -> str:
    """A key of the older kind."""
    return jwt.encode({"role": role, "iss": "supabase"}, "a secret of more than 32 characters for a test")


def test_a_project_is_named_by_keys_of_either_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch, **PROJECT).storage is Storage.SUPABASE
    older = {"SUPABASE_PUBLISHABLE_KEY": old_key("anon"), "SUPABASE_SECRET_KEY": old_key("service_role")}
    assert settings(monkeypatch, **{**PROJECT, **older}).storage is Storage.SUPABASE


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ({"SUPABASE_URL": ""}, "SUPABASE_URL"),
        ({"SUPABASE_SECRET_KEY": ""}, "SUPABASE_SECRET_KEY"),
        ({"SUPABASE_SECRET_KEY": "sb_publishable_1"}, "SUPABASE_SECRET_KEY"),
        ({"SUPABASE_SECRET_KEY": old_key("anon")}, "SUPABASE_SECRET_KEY"),
        ({"SUPABASE_SECRET_KEY": "nonsense"}, "SUPABASE_SECRET_KEY"),
        ({"SUPABASE_SECRET_KEY": "a.b.c"}, "SUPABASE_SECRET_KEY"),
        ({"SUPABASE_PUBLISHABLE_KEY": ""}, "SUPABASE_PUBLISHABLE_KEY"),
        ({"SUPABASE_PUBLISHABLE_KEY": "sb_secret_1"}, "SUPABASE_PUBLISHABLE_KEY"),
        ({"SUPABASE_PUBLISHABLE_KEY": old_key("service_role")}, "SUPABASE_PUBLISHABLE_KEY"),
        ({"SUPABASE_JWT_SECRET": ""}, "SUPABASE_JWT_SECRET"),
    ],
)
def test_a_project_of_which_something_is_missing_or_mixed_up_does_not_stand(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, str], wrong: str
) -> None:
    with pytest.raises(SettingsProblems) as caught:
        settings(monkeypatch, **{**PROJECT, **told})
    assert [problem.name for problem in caught.value.problems] == [wrong]


def test_an_imported_key_does_instead_of_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {**PROJECT, "SUPABASE_JWT_SECRET": "", "SUPABASE_SIGNING_KEY": "{}"}
    assert settings(monkeypatch, **told).storage is Storage.SUPABASE


def test_production_reaches_its_project_by_https_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch, **{**SAFE, **PROJECT}).storage is Storage.SUPABASE
    with pytest.raises(SettingsProblems) as caught:
        settings(monkeypatch, **{**SAFE, **PROJECT, "SUPABASE_URL": "http://abc.example"})
    assert [problem.name for problem in caught.value.problems] == ["SUPABASE_URL"]
