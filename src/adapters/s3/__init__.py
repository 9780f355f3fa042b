"""Bytes in a bucket of S3, or of any store that speaks it."""

from adapters.s3.objects import S3Objects

__all__ = ["S3Objects"]
