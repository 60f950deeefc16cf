"""The worker: a fork of the supervisor that serves the loaded session."""

from __future__ import annotations

import faulthandler
import os
import signal
from typing import TYPE_CHECKING, NoReturn

import structlog

from sidecar import __version__
from sidecar.content import ContentStore
from sidecar.engine_loop import EngineLoop
from sidecar.protocol import PROTOCOL
from sidecar.runfile import RunFile, new_token, remove_run_file, write_run_file
from sidecar.service import Service

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

    from engine import Session
    from sidecar.options import Options


def serve(session: Session, options: Options, folder: Path, parent: int) -> NoReturn:
    """Serve in this process, then end it.

    Args:
        session: opened before the fork.
        options: of the sidecar.
        folder: the run folder, whose lock is held.
        parent: the supervisor's process; when it is gone, this one ends with its last peer.
    """
    status = 1
    try:
        _serve(session, options, folder, parent)
        status = 0
    except Exception:  # noqa: BLE001 - the supervisor starts another; here it is only put on record
        structlog.get_logger().exception("worker failed")
    finally:
        os._exit(status)  # the parent's exit handlers are not this process's


def _serve(session: Session, options: Options, folder: Path, parent: int) -> None:
    faulthandler.enable()
    loop = EngineLoop(session, ContentStore())
    loop.start()
    token = new_token()
    service = Service(
        loop,
        checkpoint=session.checkpoint.id,
        token=token,
        port=options.port,
        grace=options.grace,
        orphaned=lambda: os.getppid() != parent,
    )

    def stop(_number: int, _frame: FrameType | None) -> None:
        service.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
    run = RunFile(protocol=PROTOCOL, pid=os.getpid(), port=service.port, token=token, version=__version__)
    write_run_file(folder, run)
    structlog.get_logger().info("serving", pid=run.pid, port=run.port, checkpoint=session.checkpoint.id)
    try:
        service.run()
    finally:
        remove_run_file(folder, run.pid)
        loop.stop()
        service.close()
