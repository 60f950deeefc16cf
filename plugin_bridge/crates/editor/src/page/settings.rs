//! What is set once for a song: look-ahead, the clock, and what prompts say about the song.

use egui::{ComboBox, DragValue, Ui};
use serde_json::{Value, json};

use super::{Page, style};

/// Keys of the document that hold one number.
struct Number {
    path: &'static str,
    title: &'static str,
    hint: &'static str,
    range: (f64, f64),
    default: f64,
    decimals: usize,
}

/// Ranges and defaults as in docs/architecture.md, "The state document".
const NUMBERS: [Number; 3] = [
    Number {
        path: "/look_ahead",
        title: "Look-ahead, s",
        hint: "The host delays the other tracks by this much, and the first pass is transformed already; 0 is off",
        range: (0.0, 30.0),
        default: 0.0,
        decimals: 2,
    },
    Number {
        path: "/clock/steps",
        title: "Steps",
        hint: "More are finer and slower",
        range: (1.0, 64.0),
        default: 8.0,
        decimals: 0,
    },
    Number {
        path: "/clock/depth",
        title: "Depth",
        hint: "Generations in flight at a time",
        range: (1.0, 8.0),
        default: 1.0,
        decimals: 0,
    },
];

#[derive(Default)]
pub struct Settings {
    /// The number that the user is changing: its path and its value so far.
    changing: Option<(&'static str, f64)>,
    key: super::field::Field,
}

pub fn show(ui: &mut Ui, page: &mut Page) {
    style::folded(ui, "Song and clock", |ui| {
        for number in &NUMBERS {
            let current = page.document.pointer(number.path).and_then(Value::as_f64).unwrap_or(number.default);
            ui.horizontal(|ui| {
                title(ui, number.title).on_hover_text(number.hint);
                if let Some(value) = drag(ui, &mut page.settings, number, current) {
                    page.asked.edit(patch(number, value));
                }
            });
        }
        tick(ui, page);
        song(ui, page);
    });
}

fn title(ui: &mut Ui, text: &str) -> egui::Response {
    style::tag(ui, text, 96.0)
}

/// The new value when the user is done with it.
fn drag(ui: &mut Ui, settings: &mut Settings, number: &Number, current: f64) -> Option<f64> {
    let mut value = match settings.changing {
        Some((path, value)) if path == number.path => value,
        _ => current,
    };
    let (least, most) = number.range;
    let speed = if number.decimals > 0 { 0.05 } else { 0.1 };
    let field = DragValue::new(&mut value).range(least..=most).fixed_decimals(number.decimals).speed(speed);
    let response = ui.add(field.update_while_editing(false));
    if response.changed() {
        settings.changing = Some((number.path, value));
    }
    let over = !response.dragged() && !response.has_focus();
    if over && settings.changing.is_some_and(|(path, _)| path == number.path) {
        settings.changing = None;
        return (value != current).then_some(value);
    }
    None
}

fn patch(number: &Number, value: f64) -> Value {
    let value = if number.decimals == 0 { json!(value.round() as i64) } else { json!(value) };
    match number.path.strip_prefix("/clock/") {
        Some(key) => json!({"clock": {key: value}}),
        None => json!({number.path.trim_start_matches('/'): value}),
    }
}

/// Frames per tick: chosen, or one of a few.
fn tick(ui: &mut Ui, page: &mut Page) {
    let current = page.document.pointer("/clock/tick_frames").and_then(Value::as_u64);
    ui.horizontal(|ui| {
        let hint =
            "How much song goes by between two steps of the model; longer is lighter. Automatic: the next play chooses";
        title(ui, "Tick").on_hover_text(hint);
        let name = |frames: Option<u64>| frames.map_or("Automatic".to_owned(), |frames| format!("{} ms", frames * 40));
        ComboBox::from_id_salt("tick").width(90.0).selected_text(name(current)).show_ui(ui, |ui| {
            for choice in [None, Some(1), Some(2), Some(3), Some(4), Some(6), Some(8), Some(12), Some(25)] {
                if ui.selectable_label(choice == current, name(choice)).clicked() {
                    page.asked.edit(json!({"clock": {"tick_frames": choice}}));
                }
            }
        });
    });
}

fn song(ui: &mut Ui, page: &mut Page) {
    let at = |path: &str| page.document.pointer(path).cloned();
    let key = at("/song/key").and_then(|key| key.as_str().map(str::to_owned)).unwrap_or_default();
    let follows = |value: Option<Value>| value.is_none_or(|value| value == "follow");
    let (tempo, metre) = (follows(at("/song/tempo")), follows(at("/song/metre")));
    ui.horizontal(|ui| {
        title(ui, "Key").on_hover_text("Such as A minor; empty says nothing");
        if let Some(text) = page.settings.key.show(ui, &key, (1, f32::INFINITY), "A minor") {
            page.asked.edit(json!({"song": {"key": text}}));
        }
    });
    for (name, title_text, on) in [("tempo", "Tempo", tempo), ("metre", "Metre", metre)] {
        ui.horizontal(|ui| {
            title(ui, title_text).on_hover_text("Whether the prompt says what the host's transport says");
            let mut follow = on;
            if ui.checkbox(&mut follow, "follow the host").changed() {
                let value = if follow { json!("follow") } else { Value::Null };
                page.asked.edit(json!({"song": {name: value}}));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_where_the_document_has_it() {
        assert_eq!(patch(&NUMBERS[0], 1.5), json!({"look_ahead": 1.5}));
        assert_eq!(patch(&NUMBERS[1], 12.0), json!({"clock": {"steps": 12}}));
    }
}
