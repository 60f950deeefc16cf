"""Building, installing and finding the plugin's bundles. Knows nothing of audio.

The Rust workspace in this folder is the plugin itself; `PROTOCOL.md` and `parameters.toml` are its contracts.
"""

from plugin_bridge.build import Built, build
from plugin_bridge.bundles import default_folder
from plugin_bridge.errors import BridgeError
from plugin_bridge.install import Installed, Status, install, status, uninstall, user_vst3_folder

__all__ = [
    "BridgeError",
    "Built",
    "Installed",
    "Status",
    "build",
    "default_folder",
    "install",
    "status",
    "uninstall",
    "user_vst3_folder",
]
