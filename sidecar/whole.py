"""Files that appear whole or not at all."""

import secrets
from pathlib import Path


def write(path: Path, data: bytes) -> None:
    """Write beside the file and rename, so that a reader never sees half of it; nothing is left of a failure.

    Raises:
        OSError: the file cannot be written; what was there before still is.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
