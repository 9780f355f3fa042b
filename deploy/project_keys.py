"""Makes the keys of a project on this machine, once: a secret, and the two older keys, which are tokens signed with it.

python deploy/project_keys.py FOLDER"""

import sys
from pathlib import Path

import jwt

from adapters.system.secrets import kept_secret


def main(folder: Path) -> None:
    """Write them down as settings."""
    secret = kept_secret(folder / "jwt_secret")
    keys = {"SUPABASE_PUBLISHABLE_KEY": "anon", "SUPABASE_SECRET_KEY": "service_role"}
    lines = [f"{name}={jwt.encode({'role': role, 'iss': 'supabase'}, secret, 'HS256')}" for name, role in keys.items()]
    kept = folder / "keys.env"
    kept.touch(mode=0o600)
    kept.write_text("\n".join([f"SUPABASE_JWT_SECRET={secret}", *lines]) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
