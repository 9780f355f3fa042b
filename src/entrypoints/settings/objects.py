"""The settings of files: where their bytes lie, how much one may keep, and who hands out public pictures."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from entrypoints.settings.values import Lowered, Text, WebAddress
from entrypoints.settings.words import FileStore, PictureHost


class FileSettings(BaseModel):
    """Where files lie, and how one gets there."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    files: Annotated[FileStore, Lowered] = FileStore.DISK
    """Where the bytes of files lie. `disk` is a folder below the data folder; `memory` forgets them on exit."""
    files_bucket: Text = "guildhall"
    """The bucket at S3 or Supabase that is ours alone. It need not be public: nobody reads it but by signed links."""
    files_quota_mib: Annotated[int, Field(ge=1, le=2**30)] = 200
    """How many MiB of files one user may keep."""
    files_at_once: Annotated[int, Field(ge=1, le=16)] = 2
    """How many uploads one process looks into at the same time; others wait."""
    s3_endpoint: WebAddress | None = None
    """Where an S3 other than Amazon's answers, such as MinIO, R2 or Spaces."""
    s3_region: Text = "us-east-1"
    """The region of the bucket."""
    s3_access_key_id: Text | None = None
    """The key's id."""
    s3_secret_access_key: SecretStr | None = None
    """The key's secret."""
    pictures: Annotated[PictureHost, Lowered] = PictureHost.HERE
    """Who hands out public pictures. `cloudinary` gets a copy of each; private files it never sees."""
    cloudinary_cloud_name: Text | None = Field(default=None, validation_alias="CLOUDINARY_CLOUD_NAME")
    """Cloudinary's name for the account."""
    cloudinary_api_key: Text | None = Field(default=None, validation_alias="CLOUDINARY_API_KEY")
    """Its API key."""
    cloudinary_api_secret: SecretStr | None = Field(default=None, validation_alias="CLOUDINARY_API_SECRET")
    """Its API secret: signs uploads and addresses."""
