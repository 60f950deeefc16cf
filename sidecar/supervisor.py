"""The supervisor: loads the model once, and keeps a worker alive that serves it.

Importing and loading takes many seconds, forking what was loaded a few milliseconds. So the supervisor opens the
session and then only waits; a worker that is killed or crashes is replaced by a fork that starts where loading ended.
The restart policy is jupyter_client's: five in a row at most, and ten seconds of service begin a new row.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sidecar.errors import BusyError, SidecarError

if TYPE_CHECKING:
    from types import FrameType

    from engine import Session
    from sidecar.options import Options

RESTARTS: Final = 5
STABLE_S: Final = 10.0
GRACE_S: Final = 20.0


def run(options: Options) -> int:
    """Run a sidecar until it ends; returns the exit status. 0 also where another sidecar already runs.

    The lock is taken before anything heavy is imported: of many plugin instances that start a sidecar at once, all but
    one end within milliseconds.
    """
    from sidecar import runfile

    folder = options.run_dir or runfile.run_directory()
    try:
        runfile.make_run_directory(folder)
        with runfile.Lock(folder):
            return _supervise(options, folder)
    except BusyError as error:
        print(f"{error.text} {error.fix}", file=sys.stderr)
        return 0
    except SidecarError as error:
        print(f"{error.text} {error.fix}", file=sys.stderr)
        return 1


def _supervise(options: Options, folder: Path) -> int:
    import structlog

    from engine import EngineError, Session
    from engine.model.checkpoint import BUNDLED
    from sidecar import logs

    logs.configure(for_people=options.for_people)
    log = structlog.get_logger()
    started = time.monotonic()
    try:
        session = Session.open(
            options.checkpoint or BUNDLED,
            threads=options.threads,
            backend=options.backend,
            progress=lambda what, share: log.debug(what, share=round(share, 2)),
        )
    except EngineError as error:
        log.error("cannot start", code=error.code, text=error.text, fix=error.fix)  # noqa: TRY400 - the text says it all
        return 1
    log.info(
        "loaded",
        checkpoint=session.checkpoint.id,
        backend=options.backend,
        seconds=round(time.monotonic() - started, 1),
    )
    return _Watch(options, folder, session).run()


class _Watch:
    def __init__(self, options: Options, folder: Path, session: Session) -> None:
        import structlog

        self._options = options
        self._folder = folder
        self._session = session
        self._log = structlog.get_logger()
        self._worker = 0
        self._ending = False

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        failures = 0
        while True:
            started = time.monotonic()
            code = self._serve_once()
            if code == 0 or self._ending:
                return 0
            failures = 1 if time.monotonic() - started > STABLE_S else failures + 1
            if failures > RESTARTS:
                self._log.error("the worker keeps ending", times=failures, fix="Read the lines above, and report them.")
                return 1

    def _serve_once(self) -> int:
        from sidecar.runfile import remove_run_file
        from sidecar.worker import serve

        parent = os.getpid()
        # a signal between fork and the worker's own handlers must reach the worker, not this object's copy in it
        blocked = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
        self._worker = os.fork()
        if self._worker == 0:
            serve(self._session, self._options, self._folder, parent)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, blocked)
        _, status = os.waitpid(self._worker, 0)
        remove_run_file(self._folder, self._worker)
        code = os.waitstatus_to_exitcode(status)
        self._log.info("worker ended", pid=self._worker, code=code)
        self._worker = 0
        return code

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._ending = True
        if self._worker:
            os.kill(self._worker, signal.SIGTERM)
