"""Public pictures handed out by Cloudinary."""

from adapters.cloudinary.pictures import CloudinaryPictures
from adapters.cloudinary.signing import Account

__all__ = ["Account", "CloudinaryPictures"]
