"""Files over HTTP: put in pieces, and shown in parts."""

from entrypoints.rest.files.putting import UPLOADS
from entrypoints.rest.files.routes import files

__all__ = ["UPLOADS", "files"]
