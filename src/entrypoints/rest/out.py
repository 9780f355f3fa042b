"""What leaves: schemas that show the attributes of an aggregate or view, and nothing they do not name."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Out(BaseModel):
    """A projection: made from anything that has these attributes."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True, frozen=True)

    @classmethod
    def of(cls, thing: Any) -> Self:
        """This thing as the API shows it."""
        return cls.model_validate(thing)


class Accepted(Out):
    """Taken in; what comes of it is not told here."""

    detail: str
