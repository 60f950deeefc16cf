"""The moving region: a song of any length, generated around a playhead."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.checks import whole
from engine.closing import Closing
from engine.errors import EngineError, RequestError
from engine.request.request import Request
from engine.request.snapshot import check
from engine.session import Session
from engine.song.crossfade import composite
from engine.song.playhead import Loop, needed
from engine.song.regions import OVERLAP, REGION, Plan, Region, plan
from engine.song.slices import slice_request
from engine.stream.finished import Finished


@dataclass(frozen=True, eq=False, kw_only=True)
class FinishedRegion:
    """A region of the song that left its slot.

    Attributes:
        index: its number in the plan.
        region: where it lies.
        latent: [T, 64] float32, read-only; None if it failed.
        tag, control_version: of the request it was generated from.
        error: why it failed, or None. It is tried again when the request is replaced.
    """

    index: int
    region: Region
    latent: NDArray[np.float32] | None
    tag: int
    control_version: int
    error: EngineError | None


@dataclass(frozen=True)
class _Job:
    index: int
    version: int  # counts the requests of the song, from 1


class SongStream(Closing):
    """A song's latent where it is listened to, in regions of one length that are generated ahead of the playhead.

    A region's latent is a function of the request and of its place in the song alone (and, where the request leaves
    LoRAs to the session, of their strengths meanwhile). So is what is heard of it: seek, loop, depth and the order in
    which regions were generated change no bit of `window`, once it is settled. One thread at a time may use it.

    Per second of song it costs 25 steps / (region - overlap) passes of `region` frames through each prompt's forward,
    whatever the length of the song, and it holds the regions that are heard between the playhead and `ahead`.
    """

    def __init__(
        self,
        session: Session,
        request: Request,
        *,
        region: int = REGION,
        overlap: int = OVERLAP,
        bar: float | None = None,
        depth: int = 2,
        ahead: int | None = None,
    ) -> None:
        """Nothing is generated until the first tick.

        Args:
            session: generates; it stays open.
            request: of the whole song: `frames` is its length, curves, source and other latents are as long.
            region, overlap, bar: see `engine.song.regions.plan`.
            depth: regions in flight, 1 .. 8.
            ahead: frames from the playhead on that are generated, 1 .. 15000; None is one region.

        Raises:
            RequestError: a field of the request or an argument is wrong.
        """
        self.plan: Plan = plan(request.frames, region, overlap, bar)
        self._width = session.checkpoint.conditioning_width
        check(request, self._width)
        length = self.plan.regions[0].frames
        self._ahead = whole("ahead", length if ahead is None else ahead, 1, 15_000)
        self._stream = session.open_stream(length, depth)
        self._request = request
        self._version = 1
        self._jobs: dict[int, _Job] = {}  # by request id: admitted, or waiting
        self._waiting: int | None = None
        self._latents: dict[int, NDArray[np.float32]] = {}
        self._versions: dict[int, int] = {}  # of the latents
        self._errors: dict[int, tuple[int, EngineError]] = {}
        self._needed: tuple[int, ...] = ()
        self.move(0)

    @property
    def request(self) -> Request:
        """What regions are generated from now."""
        return self._request

    def update(self, request: Request) -> None:
        """Generate from another request of the same length from now on.

        Regions are replaced one by one, first those that are not there at all, then from the playhead on; until its
        turn comes, each is heard as it was.

        Raises:
            RequestError: a field is wrong, or the length differs; nothing was changed.
        """
        if request.frames != self.plan.frames:
            problem = f"differs from the song's {self.plan.frames} frames"
            raise RequestError("frames", request.frames, problem, "Open a new SongStream.")
        check(request, self._width)
        self._request = request
        self._version += 1

    def move(self, playhead: int, loop: Loop | None = None) -> None:
        """Say where the song is heard. What is no longer needed is dropped, in flight or finished.

        Args:
            playhead: song frame.
            loop: None plays on to the end; see `engine.song.playhead.Loop`.

        Raises:
            RequestError: not inside the song; nothing was changed.
        """
        self._needed = needed(self.plan, playhead, self._ahead, loop)
        for number in [number for number, job in self._jobs.items() if job.index not in self._needed]:
            self._forget(number)
        for index in [index for index in self._latents if index not in self._needed]:
            del self._latents[index], self._versions[index]

    def tick(self) -> list[FinishedRegion]:
        """Hand in the region whose turn it is, advance all in flight by one step, return those that finished."""
        self._submit()
        finished = self._stream.tick()
        if not self._stream.stats().waiting:
            self._waiting = None
        return [self._take(done) for done in finished]

    def window(self, first: int, frames: int) -> NDArray[np.float32] | None:
        """The latent [frames, 64] of song frames [first, first + frames), or None where a region is not there yet.

        Raises:
            RequestError: not inside the song.
        """
        return composite(self.plan, self._latents, *self._inside(first, frames))

    def settled(self, first: int, frames: int) -> bool:
        """Whether all that is heard in [first, first + frames) comes from the newest request.

        Raises:
            RequestError: not inside the song.
        """
        start, count = self._inside(first, frames)
        return all(self._versions.get(index) == self._version for index in self.plan.between(start, start + count))

    def render(self, first: int, frames: int) -> NDArray[np.float32]:
        """Play [first, first + frames) without waiting for a clock: its settled latent [frames, 64], read-only.

        The playhead is left in the last region of it.

        Raises:
            RequestError: not inside the song.
            EngineError: a region failed.
        """
        start, count = self._inside(first, frames)
        latent = np.concatenate([self._settle(*piece) for piece in self._pieces(start, start + count)])
        latent.setflags(write=False)
        return latent

    def close(self) -> None:
        """Drop everything in flight and finished. Safe to call twice."""
        self._stream.close()
        self._jobs.clear()
        self._latents.clear()
        self._versions.clear()

    def _submit(self) -> None:
        job = self._next()
        if job is None or (self._waiting is not None and self._jobs.get(self._waiting) == job):
            return
        region = self.plan.regions[job.index]
        number = self._stream.submit(slice_request(self._request, region.first, region.frames))
        if self._waiting is not None:
            self._jobs.pop(self._waiting, None)  # the newer one took its place
        self._jobs[number] = job
        self._waiting = number

    def _next(self) -> _Job | None:
        """What to admit next: a region that is not there at all, else one that is not up to date."""
        begun = self._versions.copy()
        for number, job in self._jobs.items():
            if number != self._waiting:
                begun[job.index] = max(begun.get(job.index, 0), job.version)
        behind = [index for index in self._needed if begun.get(index, 0) < self._version and not self._gave_up(index)]
        behind.sort(key=lambda index: index in begun)  # stable: the order along the song stays
        return _Job(behind[0], self._version) if behind else None

    def _gave_up(self, index: int) -> bool:
        return index in self._errors and self._errors[index][0] == self._version

    def _take(self, done: Finished) -> FinishedRegion:
        job = self._jobs.pop(done.request_id)
        if done.latent is None:
            error = done.error or EngineError("The region returned nothing.", "Hand in the request again.")
            self._errors[job.index] = (job.version, error)
        elif job.version > self._versions.get(job.index, 0):
            self._errors.pop(job.index, None)
            self._latents[job.index], self._versions[job.index] = done.latent, job.version
        return FinishedRegion(
            index=job.index,
            region=self.plan.regions[job.index],
            latent=done.latent,
            tag=done.tag,
            control_version=done.control_version,
            error=done.error,
        )

    def _forget(self, number: int) -> None:
        self._stream.cancel(number)
        del self._jobs[number]
        if self._waiting == number:
            self._waiting = None

    def _pieces(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Song frames [first, last), a region at a time, each as (first, frames)."""
        while first < last:
            stop = min(last, first + self._ahead, self.plan.heard(self.plan.between(first, first + 1)[-1]).stop)
            yield first, stop - first
            first = stop

    def _settle(self, first: int, frames: int) -> NDArray[np.float32]:
        self.move(first)
        while not self.settled(first, frames):
            self.tick()
            for index in self.plan.between(first, first + frames):
                if self._gave_up(index):
                    raise self._errors[index][1]
        latent = self.window(first, frames)
        if latent is None:
            raise RuntimeError("a settled window has no latent")
        return latent

    def _inside(self, first: int, frames: int) -> tuple[int, int]:
        start = whole("first", first, 0, self.plan.frames - 1)
        return start, whole("frames", frames, 1, self.plan.frames - start)
