"""Audio files into a graph and out of it, and the playhead in between."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from engine.analysis.info import AudioInfo
from engine.constants import AUDIO_CHANNELS, SAMPLE_RATE
from engine.graph import Audio, Graph
from engine.graph.executor import Outputs
from engine.graph.values import NO_OUTPUT
from sidecar.cli.audio import read_stereo, write_wav
from sidecar.cli.output import CommandError

_PLAYHEAD = "playhead_seconds"


def bind_inputs(graph: Graph, paths: Mapping[str, Path]) -> None:
    """Read every file, at 48 kHz, into the input of that id.

    Raises:
        CommandError: an id is no AudioInput, one of them has no file, or a file cannot be read.
    """
    wanted = _ids(graph, "AudioInput")
    _check("--in", "AudioInput", wanted, paths)
    for node in wanted:
        if node not in paths:
            raise CommandError(f"the graph's input {node} has no audio", f"add --in {node}=FILE", 2)
    for node, path in paths.items():
        samples, rate = read_stereo(path)
        if rate != SAMPLE_RATE:
            samples = soxr.resample(samples.T, rate, SAMPLE_RATE, quality="VHQ").T
        graph.bind(node, "audio", Audio(np.ascontiguousarray(samples, np.float32)))


def output_paths(graph: Graph, paths: Mapping[str, Path]) -> Mapping[str, Path]:
    """The files to write, checked before anything runs.

    Raises:
        CommandError: an id is no AudioOutput, one of them has no file, or a folder is missing.
    """
    wanted = _ids(graph, "AudioOutput")
    _check("--out", "AudioOutput", wanted, paths)
    for node in wanted:
        if node not in paths:
            raise CommandError(f"the graph's output {node} has no file", f"add --out {node}=FILE", 2)
    for path in paths.values():
        if not path.parent.is_dir():
            raise CommandError(f"{path.parent}: no such folder", "make it, or name another file", 2)
    return paths


class Tape:
    """What a graph's outputs gave over its runs.

    Each piece of audio lies where it belongs in the song; a later one replaces an earlier one. The playhead of windowed
    decodes moves on to the end of the newest piece, as if the graph were playing.

    Attributes:
        results: everything else that came out, in words, by node.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._audio: dict[str, NDArray[np.float32]] = {}
        self._newest: dict[str, Audio] = {}
        self.results: dict[str, str] = {}

    def take(self, results: Mapping[str, Outputs]) -> None:
        """Keep what a run gave."""
        for node, outputs in results.items():
            for value in outputs.values():
                if isinstance(value, Audio):
                    self._lay(node, value)
                elif value is not NO_OUTPUT:
                    self.results[node] = _words(value)

    def write(self, paths: Mapping[str, Path]) -> dict[str, dict[str, object]]:
        """Write what lies on the tape.

        Raises:
            CommandError: nothing came out, or a file cannot be written.
        """
        for node in paths:
            if node not in self._audio:
                fix = "add --ticks: a stream's first result takes as many as it has steps"
                raise CommandError(f"the graph's output {node} gave no audio", fix)
        for node, path in paths.items():
            write_wav(path, self._audio[node], SAMPLE_RATE)
        return {
            node: {"path": str(path), "seconds": self._audio[node].shape[1] / SAMPLE_RATE}
            for node, path in paths.items()
        }

    def _lay(self, node: str, piece: Audio) -> None:
        if self._newest.get(node) is piece:  # what has not changed is not heard again
            return
        self._newest[node] = piece
        tape = self._audio.get(node, np.zeros((AUDIO_CHANNELS, 0), np.float32))
        end = piece.start + piece.samples.shape[1]
        if end > tape.shape[1]:
            tape = np.pad(tape, ((0, 0), (0, end - tape.shape[1])))
        tape[:, piece.start : end] = piece.samples
        self._audio[node] = tape
        for found in self._graph.nodes.values():
            if _PLAYHEAD in found.params:
                self._graph.set(found.id, _PLAYHEAD, end / SAMPLE_RATE)


def _ids(graph: Graph, kind: str) -> list[str]:
    return [node.id for node in graph.nodes.values() if node.definition.name == kind]


def _check(option: str, kind: str, wanted: list[str], paths: Mapping[str, Path]) -> None:
    for node in paths:
        if node not in wanted:
            known = ", ".join(wanted) or "none"
            raise CommandError(f"{option} {node}: the graph has no {kind} of that id", f"it has {known}", 2)


def _words(value: object) -> str:
    if isinstance(value, AudioInfo):
        return f"{value.bpm or 'no'} bpm, {value.key or 'no key'}, {value.duration:.2f} s"
    return type(value).__name__
