"""Building the plugin from its Rust sources and laying out the two bundles."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from plugin_bridge import bundles
from plugin_bridge.errors import BridgeError

WORKSPACE = Path(__file__).resolve().parent
LIBRARY = "libdemon_plugin.so"
MODULE_INFO = WORKSPACE / "crates" / "plugin" / "moduleinfo.json"


@dataclass(frozen=True)
class Built:
    """Where the bundles are and what the shared object in both hashes to (SHA-256, hex)."""

    vst3: Path
    clap: Path
    sha256: str


def build(
    folder: Path | None = None, *, features: Sequence[str] = (), say: Callable[[str], None] | None = None
) -> Built:
    """Compile the plugin and write `DEMON.vst3` and `DEMON.clap` into `folder`.

    Args:
        folder: where the bundles go; `bundles.default_folder()` by default.
        features: cargo features beyond the default ones, such as `trap` for a test build.
        say: called with each line that cargo reports.

    Raises:
        BridgeError: a tool is missing, the sources are not here, the build failed, or a file could not be written.
    """
    folder = folder or bundles.default_folder()
    target = _target_folder()
    _compile(target, features, say)
    library = target / "release" / LIBRARY
    if not library.is_file():
        raise BridgeError(f"cargo made no {library}", "run demon plugin build again; if it stays, remove that folder")
    return _lay_out(library, folder)


def build_empty(say: Callable[[str], None] | None = None) -> Path:
    """Compile the CLAP plugin that only passes its input on; its file, the yardstick of `demon bench bridge`.

    Raises:
        BridgeError: as `build`.
    """
    target = _target_folder()
    _cargo_build(target, ["--package", "shim-clap", "--example", "empty"], say)
    return target / "release" / "examples" / "libempty.so"


def is_stale(folder: Path) -> bool:
    """Whether a source file is newer than the bundles in `folder`. False where the sources are not installed."""
    built = bundles.binary(folder).stat().st_mtime
    return any(path.stat().st_mtime > built for path in _sources())


def _sources() -> list[Path]:
    tops = [WORKSPACE / "Cargo.toml", WORKSPACE / "Cargo.lock", WORKSPACE / "parameters.toml"]
    crates = [path for path in (WORKSPACE / "crates").rglob("*") if path.suffix in {".rs", ".toml", ".json"}]
    presets = list((WORKSPACE.parent / "presets").glob("*.json"))  # compiled in
    return [path for path in tops if path.is_file()] + crates + presets


def _target_folder() -> Path:
    chosen = os.environ.get("CARGO_TARGET_DIR")
    return Path(chosen).absolute() if chosen else bundles.cache_folder() / "target"


def _cargo() -> str:
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo")) / "bin"
    found = shutil.which("cargo") or shutil.which("cargo", path=str(home))
    if found is None:
        raise BridgeError(f"cargo is neither on PATH nor in {home}", "install Rust with rustup, then run this again")
    return found


def _compile(target: Path, features: Sequence[str], say: Callable[[str], None] | None) -> None:
    _cargo_build(target, ["--package", "plugin", *(["--features", ",".join(features)] if features else [])], say)


def _cargo_build(target: Path, what: Sequence[str], say: Callable[[str], None] | None) -> None:
    bundles.vst3_architecture()  # refuses a machine that the plugin cannot run on before minutes of compiling
    if not (WORKSPACE / "Cargo.toml").is_file():
        raise BridgeError(f"the plugin's sources are not in {WORKSPACE}", "run this from a clone of the repository")
    cargo = _cargo()
    if shutil.which("cc") is None:
        raise BridgeError(
            "no cc on PATH, which links the plugin", "install a C compiler (apt-get install gcc libc6-dev)"
        )
    environment = dict(os.environ, CARGO_TARGET_DIR=str(target))
    # rustc is looked up beside cargo, which may be outside PATH
    environment["PATH"] = os.pathsep.join([environment.get("PATH", os.defpath), str(Path(cargo).parent)])
    command = [cargo, "build", "--release", "--locked", *what]
    with subprocess.Popen(
        command, cwd=WORKSPACE, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        lines: list[str] = []
        for line in process.stderr or ():
            lines.append(line.rstrip())
            if say is not None:
                say(lines[-1])
    if process.returncode != 0:
        tail = "\n".join(lines[-20:])
        raise BridgeError(f"cargo build ended with {process.returncode}:\n{tail}", "mend what cargo names, build again")


def _lay_out(library: Path, folder: Path) -> Built:
    code = library.read_bytes()
    vst3, clap = folder / bundles.VST3, folder / bundles.CLAP
    bundles.replace_file(vst3 / "Contents" / "Resources" / "moduleinfo.json", _module_info())
    bundles.replace_file(clap, code, 0o755)
    bundles.replace_file(bundles.binary(folder), code, 0o755)
    return Built(vst3=vst3, clap=clap, sha256=bundles.digest(clap))


def _module_info() -> bytes:
    try:
        text = MODULE_INFO.read_text(encoding="utf-8")
        json.loads(text)
    except OSError as error:
        raise BridgeError(f"cannot read {MODULE_INFO}: {error.strerror}", "restore it from the repository") from error
    except ValueError as error:
        raise BridgeError(f"{MODULE_INFO} is not JSON: {error}", "restore it from the repository") from error
    return text.encode()
