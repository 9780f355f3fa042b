"""The settings of another installation, as a file of its own says them."""

from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, DotEnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from entrypoints.settings.files import SecretFiles
from entrypoints.settings.model import Settings
from entrypoints.settings.rules import Problem, SettingsProblems


class Elsewhere(Settings):
    """Settings that the environment has no say in: it belongs to the installation here."""

    model_config = SettingsConfigDict(env_file=None)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the environment is that of this installation
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - a folder of secrets is not offered
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The file, and the files of secrets it names."""
        assert isinstance(dotenv_settings, DotEnvSettingsSource)
        return init_settings, dotenv_settings, SecretFiles(settings_cls, dotenv_settings)


def settings_in(file: Path) -> Settings:
    """The settings of an installation whose `.env` is this file."""
    if not file.is_file():
        raise SettingsProblems([Problem(str(file), "there is no such file", "name the .env of the other installation")])
    told: dict[str, Any] = {"_env_file": file}
    return Elsewhere(**told)
