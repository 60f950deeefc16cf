use std::{path::PathBuf, sync::Arc};

use egui::{Event, Key, Modifiers, MouseWheelSource, MouseWheelUnit, TouchPhase, pos2, vec2};
use serde_json::json;

use super::{desk::Desk, picture::scene};
use crate::page::span::Span;

/// A desk with a song of 500 frames from 50 on; its waveform begins 350 points from the left and is 710 wide.
fn playing() -> Desk {
    let mut desk = Desk::new();
    desk.page.scene = Some(Arc::new(scene()));
    desk.frame();
    desk
}

#[test]
fn a_drag_over_the_waveform_chooses_whole_windows_and_a_click_none() {
    let mut desk = playing();
    desk.drag(pos2(350.0 + 142.0, 130.0), pos2(350.0 + 355.0, 130.0));
    // A fifth and a half of 500 frames.
    let Span { start, end } = desk.page.takes.span.unwrap();
    assert_eq!((start % 10, end % 10), (0, 0));
    assert!((140..=150).contains(&start) && (300..=310).contains(&end), "{start} to {end}");
    desk.click_at(pos2(500.0, 130.0));
    assert_eq!(desk.page.takes.span, None);
}

#[test]
fn the_keyboard_looks_closer_at_the_song_and_goes_along_it() {
    let mut desk = playing();
    desk.click_at(pos2(500.0, 130.0));
    desk.key(Key::ArrowUp);
    assert_eq!(desk.page.wave.view.of(500.0), (125.0, 250.0));
    desk.key(Key::ArrowLeft);
    assert_eq!(desk.page.wave.view.of(500.0), (100.0, 250.0));
    desk.key(Key::Home);
    assert_eq!(desk.page.wave.view.of(500.0), (0.0, 500.0));
}

#[test]
fn the_wheel_looks_closer_at_what_is_under_the_pointer_and_a_double_click_shows_all() {
    let mut desk = playing();
    let place = pos2(350.0 + 355.0, 130.0);
    desk.point(place);
    let (unit, phase, source) = (MouseWheelUnit::Line, TouchPhase::Move, MouseWheelSource::Unknown);
    let (delta, modifiers) = (vec2(0.0, 1.0), Modifiers::NONE);
    desk.events.push(Event::MouseWheel { unit, delta, phase, source, modifiers });
    // egui spreads a turn of the wheel over some frames.
    for _ in 0..20 {
        desk.frame();
    }
    let (start, length) = desk.page.wave.view.of(500.0);
    assert!(length < 450.0 && (start + length / 2.0 - 250.0).abs() < 1.0, "{length} from {start}");
    for _ in 0..2 {
        desk.button(place, true, Modifiers::NONE);
        desk.button(place, false, Modifiers::NONE);
    }
    assert_eq!(desk.page.wave.view.of(500.0), (0.0, 500.0));
}

#[test]
fn a_take_that_is_dragged_is_carried_out_once_its_file_is_written_and_without_another_the_next_time() {
    let mut desk = Desk::new();
    desk.page.document =
        json!({"takes": [{"slot": "A", "name": "x", "start_frame": 0, "samples": 19_200, "rate": 48_000}]});
    desk.frame();
    // The letter of the first take, at the left below what can be heard and kept.
    let grip = pos2(27.0, 553.0);
    for written in [false, true] {
        desk.point(grip);
        desk.button(grip, true, Modifiers::NONE);
        desk.point(grip + vec2(30.0, 30.0));
        if !written {
            assert_eq!(desk.page.take_carried(), None);
            desk.page.asked.said = Some((1, "/music/x.wav".to_owned()));
            desk.frame();
        }
        assert_eq!(desk.page.take_carried(), Some(PathBuf::from("/music/x.wav")));
        assert_eq!(desk.page.take_carried(), None);
        desk.button(grip, false, Modifiers::NONE);
        desk.frame();
    }
    assert_eq!(desk.page.instance.outcome(2), None, "the file was asked for once");
}
