use egui::{Event, Key, pos2};
use serde_json::json;

use super::desk::Desk;

/// A desk with a click into the field of prompt A, and a text typed there.
fn typed() -> Desk {
    let mut desk = Desk::new();
    desk.click_at(pos2(120.0, 140.0));
    desk.type_text("dub techno");
    desk
}

fn prompt(desk: &Desk) -> Option<serde_json::Value> {
    desk.page.instance.document().get("prompts").map(|prompts| prompts["a"].clone())
}

#[test]
fn a_prompt_is_not_sent_while_it_is_typed() {
    let mut desk = typed();
    desk.frame();
    assert_eq!(prompt(&desk), None);
}

#[test]
fn a_prompt_is_sent_by_enter_by_a_click_elsewhere_and_when_the_window_loses_the_keyboard() {
    let enter: fn(&mut Desk) = |desk| desk.key(Key::Enter);
    let elsewhere: fn(&mut Desk) = |desk| desk.click("denoise");
    let lost: fn(&mut Desk) = |desk| {
        desk.focused = false;
        desk.events.push(Event::WindowFocused(false));
        desk.frame();
    };
    for (how, leave) in [("enter", enter), ("elsewhere", elsewhere), ("lost", lost)] {
        let mut desk = typed();
        leave(&mut desk);
        assert_eq!(prompt(&desk), Some(json!("dub techno")), "{how}");
    }
}

#[test]
fn a_prompt_that_is_not_sent_yet_is_not_lost_with_the_window() {
    let mut desk = typed();
    desk.reopen();
    assert_eq!(prompt(&desk), Some(json!("dub techno")));
}
