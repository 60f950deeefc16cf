"""The launch file: how the plugin starts the sidecar (PROTOCOL section 1)."""

import json
import os
import sys
from pathlib import Path
from typing import cast

import platformdirs

from plugin_bridge.bundles import replace_file
from plugin_bridge.errors import BridgeError

# Nothing: the engine tunes threads and allocator itself. Kept for what a later sidecar needs before it starts.
ENVIRONMENT: dict[str, str] = {}


def path() -> Path:
    """`$DEMON_LAUNCH_FILE`, else `<user config>/demon-bridge/launch.json`."""
    chosen = os.environ.get("DEMON_LAUNCH_FILE")
    return Path(chosen) if chosen else platformdirs.user_config_path("demon-bridge", appauthor=False) / "launch.json"


def content() -> bytes:
    """A launch file that names this interpreter.

    `-P` keeps the folder that the host happens to run in from shadowing the sidecar's modules.
    """
    command = [sys.executable, "-P", "-m", "sidecar", "--spawned"]
    return json.dumps({"command": command, "environment": ENVIRONMENT}, indent=2).encode() + b"\n"


def command() -> list[str]:
    """The command of the launch file that is in place.

    Raises:
        BridgeError: there is none, it does not hold a command, or its program is not there.
    """
    file = path()
    fix = "run demon plugin install"
    try:
        found: object = json.loads(file.read_bytes())
    except FileNotFoundError as error:
        raise BridgeError(f"no launch file at {file}: the plugin cannot start the sidecar", fix) from error
    except (OSError, ValueError) as error:
        raise BridgeError(f"the launch file {file} cannot be read: {error}", fix) from error
    words = cast("dict[str, object]", found).get("command") if isinstance(found, dict) else None
    result = [word for word in cast("list[object]", words) if isinstance(word, str)] if isinstance(words, list) else []
    if not result:
        raise BridgeError(f"the launch file {file} names no command", fix)
    if not os.access(result[0], os.X_OK):
        raise BridgeError(f"the launch file {file} names {result[0]}, which is not there", fix)
    return result


def write() -> Path:
    """Put the launch file in place; returns where."""
    file = path()
    replace_file(file, content())
    return file
