mod desk;
mod knobs;
mod picture;
mod prompts;
mod song;

use egui::{Event, Key, Modifiers};

use desk::{Desk, Told, index};

#[test]
fn an_instance_that_changes_is_drawn_again_and_one_that_does_not_is_not() {
    let mut desk = Desk::new();
    assert!(desk.page.changed());
    assert!(!desk.page.changed());
    desk.page.instance.set_value(index("mix"), 0.5);
    assert!(desk.page.changed());
    assert!(!desk.page.changed());
}

#[test]
fn control_with_plus_and_minus_zooms_and_asks_for_a_window_that_holds_it() {
    let mut desk = Desk::new();
    let press = |desk: &mut Desk, key| {
        let (physical_key, repeat, modifiers) = (None, false, Modifiers::COMMAND);
        desk.events.push(Event::Key { key, physical_key, pressed: true, repeat, modifiers });
        desk.frame();
    };
    for _ in 0..6 {
        press(&mut desk, Key::Plus);
    }
    assert_eq!(desk.page.zoom(), 2.0);
    let (width, height) = crate::SIZE;
    assert_eq!(desk.told().first(), Some(&Told::Size(width * 5 / 4, height * 5 / 4)));
    press(&mut desk, Key::Minus);
    assert_eq!(desk.page.zoom(), 1.75);
    press(&mut desk, Key::Num0);
    assert_eq!(desk.page.zoom(), 1.0);
}

#[test]
fn a_project_has_the_window_as_it_was_left() {
    let mut desk = Desk::new();
    let press =
        Event::Key { key: Key::Plus, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::COMMAND };
    desk.events.push(press);
    desk.frame();
    desk.page.wave.view.zoom(500.0, 0.0, 2.0);
    desk.page.keep_look((1400, 900));
    let saved = desk.page.instance.save_state();
    let mut desk = Desk::new();
    desk.page.instance.load_state(&saved).unwrap();
    desk.reopen();
    assert_eq!((desk.page.zoom(), desk.page.wave.view.of(500.0)), (1.25, (0.0, 250.0)));
    assert_eq!(crate::size(&desk.page.instance), (1400, 900));
}
