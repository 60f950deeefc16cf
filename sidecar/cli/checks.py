"""What `demon doctor` looks at. Each check answers with findings: how it stands, and what to do next."""

import importlib.metadata
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "broken"]


@dataclass(frozen=True)
class Finding:
    """`level` ok, note (nothing that stops anything) or broken; `fix` what to do next, empty when there is nothing."""

    name: str
    level: Level
    text: str
    fix: str = ""


def everything(checkpoint: str) -> Iterator[Finding]:
    """All findings, one check after the other. A check that fails itself is a finding, not an end."""
    checks: list[Callable[[], Iterator[Finding]]] = [
        _python,
        _packages,
        _device,
        lambda: _checkpoint(checkpoint),
        _loras,
        _content,
        _plugin,
        _sidecar,
        _logs,
    ]
    for check in checks:
        yield from check()


def _python() -> Iterator[Finding]:
    yield Finding("python", "ok", f"{platform.python_version()} ({sys.executable})")


def _packages() -> Iterator[Finding]:
    for name in ("torch", "diffusers", "transformers", "numpy", "pyzmq"):
        try:
            yield Finding(name, "ok", importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, "broken", "not installed", "run make setup")


def _device() -> Iterator[Finding]:
    try:
        import torch
    except (ImportError, OSError) as error:
        yield Finding("device", "broken", f"torch does not load: {error}", "run make clean setup")
        return
    text = f"CPU, {torch.get_num_threads()} threads"
    if torch.cuda.is_available():
        text += f"; {torch.cuda.get_device_name()} is there but not used by this version"
    yield Finding("device", "ok", text)


def _checkpoint(name: str) -> Iterator[Finding]:
    from engine import CheckpointError
    from sidecar.cli.checkpoints import locate

    try:
        found = locate(name)
    except CheckpointError as error:
        yield Finding("checkpoint", "broken", error.text, error.fix)
        return
    yield Finding("checkpoint", "ok", f"{found.id}, {found.weight_bytes / 1e6:.1f} MB ({found.folder})")


def _loras() -> Iterator[Finding]:
    from sidecar.loras import default_folder

    folder = default_folder()
    names = sorted(path.stem for path in folder.rglob("*.safetensors")) if folder.is_dir() else []
    yield Finding("loras", "ok", f"{', '.join(names) or 'none of your own'} ({folder})")


def _content() -> Iterator[Finding]:
    from sidecar.content import MAX_STORE, ContentStore

    store = ContentStore()
    try:
        files, size = store.size()
    except OSError as error:
        fix = "free it, or set DEMON_CONTENT_DIR"
        yield Finding("content store", "broken", f"{store.folder} cannot be read: {error.strerror}", fix)
        return
    text = f"{files} files, {size / 1e6:.0f} MB of at most {MAX_STORE / 1e6:.0f} MB ({store.folder})"
    yield Finding("content store", "ok", text)


def _plugin() -> Iterator[Finding]:
    import plugin_bridge

    try:
        found = plugin_bridge.status()
    except plugin_bridge.BridgeError as error:
        yield Finding("plugin", "broken", str(error), error.fix)
        return
    build = "run demon plugin build, then demon plugin install"
    if not found.built:
        yield Finding("plugin build", "broken", f"no bundles in {found.folder}", build)
    elif found.stale:
        yield Finding("plugin build", "broken", f"the sources are newer than the bundles in {found.folder}", build)
    else:
        yield Finding("plugin build", "ok", str(found.folder))
    for name, bundle in (("VST3", found.vst3), ("CLAP", found.clap)):
        if bundle.state == "current":
            yield Finding(name, "ok", str(bundle.path))
        else:
            state = "is not installed" if bundle.state == "missing" else "is not what was built"
            yield Finding(name, "broken", f"{bundle.path} {state}", "run demon plugin install")
    if found.launch_problem is None:
        yield Finding("launch file", "ok", str(found.launch_file))
    else:
        yield Finding("launch file", "broken", str(found.launch_problem), found.launch_problem.fix)


def _sidecar() -> Iterator[Finding]:
    from sidecar.client import Client, ClientError
    from sidecar.errors import SidecarError
    from sidecar.runfile import read_run_file, run_directory

    yield Finding("run folder", "ok", str(run_directory()))
    try:
        run = read_run_file()
        if run is None:
            yield Finding("sidecar", "note", "not running; the first plugin instance starts it")
            return
        with Client(run, timeout_s=5.0) as client:
            seconds = client.ping()
            yield Finding(
                "sidecar", "ok", f"process {run.pid} answers in {seconds * 1000:.1f} ms, {client.welcome.checkpoint}"
            )
            for entry in client.instances():
                text = f"in {entry.host} at {entry.rate} Hz: {entry.state}, {entry.prompt_a!r} to {entry.prompt_b!r}"
                level: Level = "note" if entry.state == "failed" else "ok"
                yield Finding(f"instance {entry.instance[:8]}", level, f"{text}. {entry.text}".rstrip(". "))
                for item in entry.missing:
                    text = f"{item.kind} {item.name!r} is not on this machine"
                    yield Finding(f"missing {item.kind}", "note", text, item.fix)
    except (ClientError, SidecarError) as error:
        yield Finding("sidecar", "broken", error.text, error.fix)


def _logs() -> Iterator[Finding]:
    from sidecar.runfile import run_directory

    for name in ("plugin.log", "sidecar.log"):
        path = run_directory() / name
        try:
            lines = path.read_text("utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            continue
        except OSError as error:
            yield Finding(name, "note", f"{path}: {error.strerror}")
            continue
        # The plugin writes a line only when something happened to it; the sidecar's lines say their level.
        told = lines if name == "plugin.log" else [line for line in lines if "error" in line.casefold()]
        if told:
            yield Finding(name, "note", "the last of it:\n" + "\n".join(told[-3:]), f"read {path} if this is news")
        else:
            yield Finding(name, "ok", str(path))
