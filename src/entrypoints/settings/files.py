"""Secrets that lie in files, and names that mean no setting."""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, PydanticBaseSettingsSource

from entrypoints.settings.names import PREFIX, SECRET, env_name
from entrypoints.settings.rules import Problem


class SecretFiles(PydanticBaseSettingsSource):
    """Secrets from files named by `..._FILE`, and a look at names that mean no setting at all."""

    PROBLEMS = "problems found while reading"

    def __init__(self, settings_cls: type[BaseSettings], *sources: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        self._given: dict[str, str] = {}
        for source in sources:
            if isinstance(source, EnvSettingsSource | DotEnvSettingsSource):
                self._given |= {name.upper(): value for name, value in source.env_vars.items() if value}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The content of the file that holds this setting, if one is named."""
        file = self._given.get(f"{env_name(field_name)}_FILE") if field_name in SECRET else None
        return (Path(file).read_text().strip() if file else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Every secret that lies in a file, and the problems met."""
        found: dict[str, Any] = {}
        problems = list(self._unknown())
        for field, info in self.settings_cls.model_fields.items():
            name = f"{env_name(field)}_FILE"
            try:
                value, _, _ = self.get_field_value(info, field)
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or "it is not text"
                problems.append(Problem(name, f"the file cannot be read: {reason}", "name a readable text file"))
                continue
            if value is None:
                continue
            if env_name(field) in self._given:
                problems.append(Problem(name, f"{env_name(field)} is set as well", "set one of the two"))
            found[field] = value
        return {**found, self.PROBLEMS: problems} if problems else found

    def _unknown(self) -> Iterator[Problem]:
        known = {env_name(field) for field in self.settings_cls.model_fields}
        known |= {f"{env_name(field)}_FILE" for field in SECRET}
        for name in sorted(self._given):
            if name.startswith(PREFIX) and not name.startswith(f"{PREFIX}TEST_") and name not in known:
                close = get_close_matches(name, sorted(known), n=1)
                yield Problem(name, "there is no such setting", f"did you mean {close[0]}?" if close else "remove it")
