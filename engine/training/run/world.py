"""The workers of a run: one process per core and one thread per process.

On two cores that is about twice as fast as one process with two threads: the tensors here are too small for threads to
share (docs/log.md).
"""

import multiprocessing
import os
import socket
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any

import torch
import torch.distributed
import torch.multiprocessing
from torch import Tensor

from engine.errors import EngineError

_dist: Any = torch.distributed
_processes: Any = torch.multiprocessing


@dataclass(frozen=True)
class World:
    """This worker's number and how many there are."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this worker is the one that writes."""
        return self.rank == 0

    def mean(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor by its mean over the workers."""
        with _packed(tensors, self.size) as flat:
            if flat is not None:
                _dist.all_reduce(flat)
                flat.div_(self.size)

    def hand_out(self, tensors: Iterable[Tensor], rank: int) -> None:
        """Replace each tensor by that of the worker `rank`."""
        with _packed(tensors, self.size) as flat:
            if flat is not None:
                _dist.broadcast(flat, rank)

    def meet(self) -> None:
        """Wait for all workers."""
        if self.size > 1:
            _dist.barrier()

    def agree(self, value: float) -> float:
        """The first worker's value."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64)
        _dist.broadcast(shared, 0)
        return float(shared)


@contextmanager
def _packed(tensors: Iterable[Tensor], size: int) -> Generator[Tensor | None]:
    """All tensors as one, which is written back at the end: one message is cheaper than many. Alone, None."""
    held = list(tensors)
    if size == 1 or not held:
        yield None
        return
    flat = torch.cat([tensor.flatten() for tensor in held])
    yield flat
    start = 0
    for tensor in held:
        tensor.copy_(flat[start : start + tensor.numel()].view_as(tensor))
        start += tensor.numel()


def spread(work: Callable[..., None], workers: int, *arguments: object) -> None:
    """Run `work(world, *arguments)` in as many processes; alone, in this one.

    Args:
        work: a function of a module, so that a new process can import it.
        workers: at least 1.
        arguments: what can be pickled between processes of this machine.

    Raises:
        EngineError: a worker failed.
    """
    if workers == 1:
        work(World(), *arguments)
        return
    port = _port()
    try:
        _processes.start_processes(_work, (work, workers, port, arguments), workers, start_method="spawn")
    except _processes.ProcessRaisedException as error:
        raise EngineError(f"A training process failed:\n{error}", "Resume the run; its state is kept.") from error


def _work(rank: int, work: Callable[..., None], size: int, port: int, arguments: tuple[object, ...]) -> None:
    Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    _dist.init_process_group("gloo", rank=rank, world_size=size)
    try:
        work(World(rank, size), *arguments)
    finally:
        _dist.destroy_process_group()


def _end_with_parent() -> None:
    """A training whose command was killed would go on unseen, and write over what the next one reaches."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
