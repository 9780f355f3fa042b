"""A house whose rows are in a Supabase project, without any connection to its database, as its operator uses it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.supabase.project import Project
from entrypoints.cli.app import app
from entrypoints.cli.journey.acts import ACTS
from tests.support.postgrest import PostgREST, gateway, settings_for


@pytest.fixture
def project(rest: PostgREST, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Project]:
    """A project with the newest schema and no rows, which is what is set."""
    with gateway(rest) as made:
        for name, value in settings_for(made).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("GUILDHALL_DATA_DIR", str(tmp_path))
        yield made


def test_the_whole_journey_is_played_on_a_project(project: Project) -> None:
    outcome = CliRunner().invoke(app, ["demo", "--json"])
    report = json.loads(outcome.stdout)
    assert [step for step in report["steps"] if not step["passed"]] == []
    assert outcome.exit_code == 0
    assert len(report["steps"]) == sum(len(act.steps) for act in ACTS)
    again = CliRunner().invoke(app, ["demo", "--json"])
    assert (again.exit_code, json.loads(again.stdout or again.stderr)["error"]["code"]) == (1, "demo.not_empty")
