"""The entry: what the list of instances says about one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sidecar.protocol import InstanceEntry

if TYPE_CHECKING:
    from sidecar.health import Reporter
    from sidecar.project import Project
    from sidecar.transport import Transport


def entry_of(name: str, host: str, project: Project, transport: Transport, health: Reporter) -> InstanceEntry:
    """The entry of an instance.

    Args:
        name: its id.
        host: for people.
        project: what it plays.
        transport: how it plays it.
        health: how it stands.
    """
    fields, running = project.document.fields, transport.running
    return InstanceEntry(
        instance=name,
        host=host,
        rate=transport.rate,
        state=health.state,
        prompt_a=fields.prompts.a,
        prompt_b=fields.prompts.b,
        text=health.text,
        missing=project.missing,
        takes=project.take_infos,
        # 0: the first live pass is to choose it
        tick_frames=fields.clock.tick_frames or 0 if running is None else running.run.tick_frames,
        ticks=0.0 if running is None else running.pace.ticks,
        sustained=0.0 if running is None else round(running.pace.sustained, 1),
        lag=0 if running is None else running.run.lag,
    )
