"""Slices and seams: a region's part of a request, and latents put together."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from songs import SHAPE, SONG, plans

import engine
from engine.request.condition import Condition
from engine.song.crossfade import composite
from engine.song.regions import Plan, plan
from engine.song.slices import CURVES, LATENTS, UNCHANGED, slice_request


def test_every_field_of_a_request_is_cut_or_known_to_need_no_cut():
    by_hand = {"frames", "noise_start", "source", "conditions", "negative", "channel_gain", "dcw"}
    kinds = [CURVES, LATENTS, UNCHANGED, by_hand]
    assert sum(len(kind) for kind in kinds) == len(frozenset().union(*kinds))
    assert frozenset().union(*kinds) == {field.name for field in fields(engine.Request)}


def test_a_slice_holds_the_songs_values_at_its_frames(song: engine.Request, prompt_b: engine.Conditioning):
    further = (Condition(conditioning=prompt_b, weight=np.arange(SONG, dtype=np.float32)),)
    part = slice_request(
        replace(song, conditions=further, negative=further, hints=song.x0_target, noise_start=4), 40, 60
    )
    assert (part.frames, part.noise_start, part.seed, part.mask_strength) == (60, 44, 7, [1.0, 0.5])
    assert part.source is not None
    assert song.source is not None
    for cut, full in (
        (part.source.latent, song.source.latent),
        (part.source.hints, song.source.hints),
        (part.hints, song.x0_target),
        (part.x0_target, song.x0_target),
        (part.channel_gain, song.channel_gain),
        (part.velocity_scale, song.velocity_scale),
        (part.mask, np.float32(song.mask)),
        (part.conditions[0].weight, further[0].weight),
        (part.negative[0].weight, further[0].weight),  # type: ignore[index]
        (part.dcw.scaler, song.dcw.scaler),  # type: ignore[union-attr]
        (part.prompt_blend, np.interp(np.linspace(0, 2, SONG), [0, 1, 2], [0.0, 1.0, 0.25]).astype(np.float32)),
    ):
        np.testing.assert_array_equal(cut, np.asarray(full)[40:100])  # type: ignore[arg-type]
    assert part.dcw.high_scaler == song.dcw.high_scaler  # type: ignore[union-attr]
    assert slice_request(song, 0, SONG) is song
    for first, frames in ((-2, 60), (140, 60), (0, 0)):
        with pytest.raises(engine.RequestError):
            slice_request(song, first, frames)


@given(plans(), st.data())
def test_a_composite_is_exact_outside_the_seams_and_rises_in_equal_parts_inside(
    made: tuple[Plan, int, int, float | None], data: st.DataObject
):
    whole, _, overlap, _ = made
    rng = np.random.default_rng(1)
    latents = {i: rng.standard_normal((r.frames, 64)).astype(np.float32) for i, r in enumerate(whole.regions)}
    full = composite(whole, latents, 0, whole.frames)
    assert full is not None
    for i, region in enumerate(whole.regions):
        alone = slice(
            region.handover, whole.heard(i).stop if i + 1 == len(whole.regions) else whole.regions[i + 1].fade
        )
        assert full[alone].tobytes() == latents[i][alone.start - region.first : alone.stop - region.first].tobytes()
        if i and overlap:
            before = whole.regions[i - 1]
            seam = slice(region.fade, region.handover)
            a = latents[i - 1][seam.start - before.first : seam.stop - before.first].astype(np.float64)
            b = latents[i][seam.start - region.first : seam.stop - region.first].astype(np.float64)
            w = (np.arange(1, overlap + 1) / (overlap + 1))[:, None]
            np.testing.assert_allclose(full[seam], (1 - w) * a + w * b, atol=1e-5)
    first = data.draw(st.integers(0, whole.frames - 1))
    frames = data.draw(st.integers(1, whole.frames - first))
    part = composite(whole, latents, first, frames)
    assert part is not None
    assert part.tobytes() == full[first : first + frames].tobytes()
    heard = data.draw(st.sampled_from(list(whole.between(first, first + frames))))
    del latents[heard]
    assert composite(whole, latents, first, frames) is None


def test_regions_that_agree_are_not_changed_by_their_seam():
    whole = plan(SONG, **SHAPE)
    same = np.random.default_rng(0).standard_normal((SONG, 64)).astype(np.float32)
    latents = {i: same[r.first : r.end] for i, r in enumerate(whole.regions)}
    joined = composite(whole, latents, 0, SONG)
    assert joined is not None
    assert joined.tobytes() == same.tobytes()
