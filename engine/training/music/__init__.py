"""The corpus: music that is composed by rules and synthesised, so that its tags are true by construction."""

from engine.training.music.captions import caption
from engine.training.music.compose import compose
from engine.training.music.render import Bank, render
from engine.training.music.score import Note, Score, Tags
from engine.training.music.split import held_out, training
from engine.training.music.styles import STYLES

__all__ = ["STYLES", "Bank", "Note", "Score", "Tags", "caption", "compose", "held_out", "render", "training"]
