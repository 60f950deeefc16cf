use std::sync::Arc;

use egui::{Event, Key, Modifiers, vec2};
use shim_core::parameters;

use super::desk::{Desk, Told, index};

#[test]
fn a_drag_begins_performs_and_ends() {
    let mut desk = Desk::new();
    let (denoise, start) = (index("denoise"), desk.place("denoise"));
    desk.point(start);
    desk.button(start, true, Modifiers::NONE);
    for down in [10.0, 20.0, 44.0] {
        desk.point(start + vec2(0.0, down));
    }
    desk.button(start + vec2(0.0, 44.0), false, Modifiers::NONE);
    let told = desk.told();
    assert_eq!((told.first(), told.last()), (Some(&Told::Begin(denoise)), Some(&Told::End(denoise))));
    let moved = &told[1..told.len() - 1];
    assert!(!moved.is_empty() && moved.iter().all(|told| matches!(told, Told::Perform(index, _) if *index == denoise)));
    // 44 points down of the 220 for the whole range.
    let plain = desk.page.instance.value(denoise);
    assert!((plain - (0.75 - 0.2)).abs() < 0.001, "{plain}");
}

#[test]
fn a_window_that_closes_in_a_drag_lets_go_of_the_parameter() {
    let mut desk = Desk::new();
    let start = desk.place("denoise");
    desk.point(start);
    desk.button(start, true, Modifiers::NONE);
    desk.point(start + vec2(0.0, 30.0));
    let host = Arc::clone(&desk.host);
    drop(desk);
    assert_eq!(host.told.lock().unwrap().last(), Some(&Told::End(index("denoise"))));
}

#[test]
fn a_double_click_and_a_click_with_control_give_the_default() {
    for (modifiers, clicks) in [(Modifiers::NONE, 2), (Modifiers::COMMAND, 1)] {
        let mut desk = Desk::new();
        let (denoise, place) = (index("denoise"), desk.place("denoise"));
        desk.page.instance.set_value(denoise, 0.25);
        desk.events.push(Event::ModifiersChanged(modifiers));
        desk.point(place);
        for _ in 0..clicks {
            desk.button(place, true, modifiers);
            desk.button(place, false, modifiers);
        }
        assert_eq!(desk.page.instance.value(denoise), parameters::table()[denoise].default, "{modifiers:?}");
    }
}

#[test]
fn arrow_keys_move_the_knob_that_has_the_focus() {
    let mut desk = Desk::new();
    let denoise = index("denoise");
    desk.click("denoise");
    desk.told();
    desk.key(Key::ArrowDown);
    desk.key(Key::ArrowDown);
    desk.key(Key::ArrowUp);
    let told = desk.told();
    let performed = told.iter().filter(|told| matches!(told, Told::Perform(..))).count();
    assert_eq!((performed, told.len()), (3, 9), "each step is a gesture of its own: {told:?}");
    let plain = desk.page.instance.value(denoise);
    assert!((plain - 0.74).abs() < 0.001, "{plain}");
}

#[test]
fn a_typed_value_is_taken_and_one_that_is_none_is_not() {
    let mut desk = Desk::new();
    let denoise = index("denoise");
    desk.click("denoise");
    for (text, expected) in [("33 %", 0.33), ("nonsense", 0.33)] {
        desk.key(Key::Enter);
        desk.frame();
        desk.type_text(text);
        desk.key(Key::Enter);
        desk.key(Key::Escape);
        let plain = desk.page.instance.value(denoise);
        assert!((plain - expected).abs() < 0.001, "{text}: {plain}");
    }
}

#[test]
fn the_tab_key_reaches_every_parameter_that_is_shown() {
    let mut desk = Desk::new();
    let shown: Vec<usize> = (0..parameters::COUNT).filter(|index| desk.page.knobs.place(*index).is_some()).collect();
    let mut reached = std::collections::BTreeSet::new();
    for _ in 0..200 {
        desk.key(Key::Tab);
        reached.extend(desk.page.knobs.focused);
    }
    let writable = |index: &usize| *index != parameters::STATUS;
    let missed: Vec<_> = shown.iter().filter(|index| writable(index) && !reached.contains(index)).collect();
    assert!(shown.len() > 10 && missed.is_empty(), "{missed:?} of {}", shown.len());
}

#[test]
fn a_parameter_whose_values_have_names_is_a_menu_for_the_pointer_and_for_the_keyboard() {
    let mut desk = Desk::new();
    let mode = index("source_mode");
    desk.click("source_mode");
    desk.key(Key::Tab);
    desk.key(Key::Tab);
    desk.key(Key::Enter);
    assert_eq!(desk.told(), [Told::Begin(mode), Told::Perform(mode, 1.0), Told::End(mode)], "the second item");
    desk.key(Key::Escape);
    desk.click("source_mode");
    desk.key(Key::Escape);
    desk.told();
    desk.key(Key::ArrowUp);
    assert_eq!(desk.page.instance.value(mode), 2.0);
}
