"""What the host tests stand on: the built bundles, a private run folder, a sidecar, and hosts in own processes."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from parameter_table import ROOT
from plugin_state import Source, blob, class_id, vstpreset

from plugin_bridge import launch

HERE = Path(__file__).resolve().parent
START_LIMIT = 90.0  # importing torch, diffusers and transformers on a cold disk and two busy cores
JOB_LIMIT = 240.0

Audio = NDArray[np.float32]


@dataclass(frozen=True)
class Bundles:
    """Where the two bundles lie."""

    vst3: Path
    clap: Path


@dataclass
class Result:
    """What a host process reported: one entry per step, and the arrays it left."""

    folder: Path
    steps: list[dict[str, Any]]
    log: str

    def audio(self, name: str) -> Audio:
        return np.load(self.folder / name)

    def step(self, kind: str, nth: int = 0) -> dict[str, Any]:
        return [s for s in self.steps if s["do"] == kind][nth]


class HostDiedError(AssertionError):
    """The host process crashed or did not end in time."""


@dataclass
class Rig:
    """One private world: home, run folder, launch file; hosts and sidecars started in it see nothing of the user's."""

    root: Path
    bundles: Bundles
    extra: dict[str, str] = field(default_factory=dict)
    jobs: int = 0

    def __post_init__(self) -> None:
        for folder in (self.home, self.run_dir):
            folder.mkdir(parents=True, exist_ok=True)
        self.run_dir.chmod(0o700)
        self.write_launch_file()

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def run_dir(self) -> Path:
        return self.root / "run"

    @property
    def launch_file(self) -> Path:
        return self.root / "launch.json"

    def write_launch_file(self, command: list[str] | None = None) -> None:
        """What `demon plugin install` writes: how the plugin starts a sidecar; or another command in its place."""
        content = json.loads(launch.content())
        environment = {**content["environment"], "PYTHONPATH": str(ROOT)}  # the checkout need not be installed
        command = command or content["command"]
        self.launch_file.write_text(json.dumps({"command": command, "environment": environment}))

    def environment(self) -> dict[str, str]:
        kept = {k: os.environ[k] for k in ("PATH", "LANG", "LD_LIBRARY_PATH") if k in os.environ}
        return {
            **kept,
            "HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
            "DEMON_RUN_DIR": str(self.run_dir),
            "DEMON_LAUNCH_FILE": str(self.launch_file),
            "OMP_NUM_THREADS": "2",
            **self.extra,
        }

    def job(
        self,
        host: str,
        steps: list[dict[str, Any]],
        rate: int = 48000,
        block: int = 512,
        limit: float = JOB_LIMIT,
        extra: dict[str, str] | None = None,
        code: int = 0,
        **more: Any,
    ) -> Result:
        """Run the steps in a host process of their own; arrays in steps are handed over as files.

        Raises `HostDiedError` when the process does not end with `code` within `limit` seconds.
        """
        self.jobs += 1
        folder = self.root / f"job{self.jobs:03d}-{host}"
        folder.mkdir()
        bundle = self.bundles.clap if host == "clap" else self.bundles.vst3
        plain = [self._plain(step, folder, k) for k, step in enumerate(steps)]
        job = {"host": host, "bundle": str(bundle), "rate": rate, "block": block, "steps": plain, **more}
        (folder / "job.json").write_text(json.dumps(job))
        log = folder / "log.txt"
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [sys.executable, str(HERE / "host_job.py"), str(folder / "job.json")],
                env={**self.environment(), **(extra or {})},
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                cwd=folder,
                start_new_session=True,
            )
            try:
                ended: int | str = process.wait(limit)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                ended = f"no end after {limit:g} s"
        text = log.read_text(errors="replace")
        if ended != code:
            raise HostDiedError(f"{host}: {ended}\n{text[-4000:]}\n{self.sidecar_log()[-3000:]}")
        results = folder / "result.json"
        return Result(folder, json.loads(results.read_text()) if results.exists() else [], text)

    def state(self, host: str, name: str, document: dict[str, Any], sources: tuple[Source, ...] = ()) -> str:
        """A file that `host` loads as plugin state: the bare blob for CLAP, a preset file for VST3 hosts."""
        data = blob(document, sources)
        path = self.root / f"{name}.{'blob' if host == 'clap' else 'vstpreset'}"
        path.write_bytes(data if host == "clap" else vstpreset(data, self.class_id))
        return str(path)

    @property
    def class_id(self) -> str:
        """The VST3 class that presets of this plugin name, from the bundle itself."""
        return class_id(json.loads((self.bundles.vst3 / "Contents" / "Resources" / "moduleinfo.json").read_text()))

    def _plain(self, step: dict[str, Any], folder: Path, k: int) -> dict[str, Any]:
        plain = {key: str(value) if isinstance(value, Path) else value for key, value in step.items()}
        for key, value in step.items():
            if isinstance(value, np.ndarray):
                plain[key] = str(folder / f"in-{k}-{key}.npy")
                np.save(plain[key], value)
        return plain

    def sidecar_log(self) -> str:
        path = self.run_dir / "sidecar.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def run_file(self) -> dict[str, Any] | None:
        try:
            return json.loads((self.run_dir / "sidecar.json").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def start_sidecar(self) -> int:
        """A sidecar that a person started, so that it outlives the hosts; returns its number once it answers."""
        with (self.run_dir / "sidecar.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "sidecar"],
                env={**launch.ENVIRONMENT, **self.environment()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until = time.monotonic() + START_LIMIT
        while time.monotonic() < until and self.process.poll() is None:
            run = self.run_file()
            if run is not None:
                return run["pid"]
            time.sleep(0.1)
        raise AssertionError(f"no sidecar after {START_LIMIT} s\n{self.sidecar_log()[-4000:]}")

    def stop(self) -> None:
        """End whatever sidecar lives in this world."""
        run = self.run_file()
        pids = {run["pid"]} - {os.getpid()} if run else set()  # a test may play the sidecar itself
        process = getattr(self, "process", None)
        if process is not None:
            pids.add(process.pid)
        for pid in pids:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                continue
        if process is not None:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
