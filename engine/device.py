"""Everything that depends on the machine: device, threads, allocator."""

import ctypes
import platform
import sys

import torch

from engine.checks import whole
from engine.errors import RequestError

# mallopt parameter numbers, from glibc's malloc.h
_M_TRIM_THRESHOLD = -1
_M_TOP_PAD = -2
_M_MMAP_MAX = -4
_TOP_PAD_BYTES = 256 << 20  # larger than one decode span's activations, so the heap grows once and stays


def resolve(name: str) -> torch.device:
    """The torch device of that name.

    Args:
        name: "cpu". Other devices are a later addition; nothing here was run on one.

    Raises:
        RequestError: not a device this build runs on.
    """
    if name != "cpu":
        raise RequestError("device", name, "is not supported by this build", 'Use device="cpu".')
    return torch.device("cpu")


def check_threads(threads: int) -> int:
    """A thread count torch can use, 1 .. 256.

    Raises:
        RequestError: not a whole number in that range.
    """
    return whole("threads", threads, 1, 256)


def set_threads(threads: int) -> None:
    """Set torch's intra-op threads, for the whole process.

    Args:
        threads: 1 .. 256. One thread is bit-repeatable across every depth and, beside other work, usually the fastest.

    Raises:
        RequestError: not a whole number in that range.
    """
    wanted = check_threads(threads)
    if torch.get_num_threads() != wanted:
        torch.set_num_threads(wanted)


def tune_allocator() -> bool:
    """Keep freed activations in the heap instead of handing them back to the kernel after every operation.

    A convolution at 48 kHz allocates tens of megabytes, which glibc otherwise maps and unmaps (and the kernel clears)
    each time. Resident memory stays at its peak in return. Only glibc on Linux; elsewhere nothing happens.

    Returns:
        True if glibc accepted the settings.
    """
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    settings = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, _TOP_PAD_BYTES))
    accepted = [mallopt(ctypes.c_int(parameter), ctypes.c_int(value)) for parameter, value in settings]
    return all(code == 1 for code in accepted)
