//! Prompt A and B, the blend between them, and the snapshots.

use egui::{Button, Key, RichText, TextEdit, Ui};
use serde_json::{Map, Value, json};
use shim_core::parameters;

use super::{Page, style};

/// Snapshots, as the document bounds them.
const SNAPSHOTS: usize = 8;
/// Longest prompt that is typed here, in characters: far more than the text encoder reads.
const LONGEST: usize = 4000;

/// A text that the user edits: what is typed until it is left, else what the document says.
#[derive(Default)]
pub struct Field {
    text: String,
    held: bool,
}

impl Field {
    /// Shows the field; the new text when the user leaves it changed.
    pub fn show(&mut self, ui: &mut Ui, current: &str, rows: usize, hint: &str) -> Option<String> {
        if !self.held && self.text != current {
            current.clone_into(&mut self.text);
        }
        let field = TextEdit::multiline(&mut self.text)
            .desired_rows(rows)
            .desired_width(f32::INFINITY)
            .hint_text(hint.to_owned())
            .char_limit(LONGEST)
            .return_key(None);
        let response = ui.add(field);
        self.held = response.has_focus();
        if response.has_focus() && ui.input(|input| input.key_pressed(Key::Enter)) {
            response.surrender_focus();
            self.held = false;
            return (self.text != current).then(|| self.text.clone());
        }
        (response.lost_focus() && self.text != current).then(|| self.text.clone())
    }
}

#[derive(Default)]
pub struct Prompts {
    a: Field,
    b: Field,
}

pub fn show(ui: &mut Ui, page: &mut Page) {
    style::section(ui, "Prompts", |ui| {
        let prompt = |key: &str| page.document.pointer(&format!("/prompts/{key}")).and_then(Value::as_str);
        let (a, b) = (prompt("a").unwrap_or("").to_owned(), prompt("b").unwrap_or("").to_owned());
        ui.label(RichText::new("A").color(style::FAINT));
        if let Some(text) = page.prompts.a.show(ui, &a, 2, "warm analog synths, slow drums") {
            page.asked.edit(json!({"prompts": {"a": text}}));
        }
        ui.horizontal(|ui| {
            ui.label(RichText::new("B").color(style::FAINT));
            let blend = parameters::index_of_key("prompt_blend");
            let width = ui.available_width() - 34.0;
            if let Some(blend) = blend {
                page.knobs.fader(ui, &mut page.hands, blend, width);
                ui.label(
                    RichText::new(page.hands.instance.display(blend, page.hands.value(blend))).font(style::small()),
                );
            }
        });
        if let Some(text) = page.prompts.b.show(ui, &b, 2, "the same as A") {
            page.asked.edit(json!({"prompts": {"b": text}}));
        }
        snapshots(ui, page, &a, &b);
    });
}

fn snapshots(ui: &mut Ui, page: &mut Page, a: &str, b: &str) {
    let Some(index) = parameters::index_of_key("prompt_snapshot") else { return };
    let kept = page.document.get("snapshots").and_then(Value::as_array).cloned().unwrap_or_default();
    let chosen = page.hands.value(index) as usize;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        ui.spacing_mut().button_padding.x = 5.0;
        for slot in 0..=SNAPSHOTS {
            let entry = slot.checked_sub(1).and_then(|at| kept.get(at)).filter(|entry| !entry.is_null());
            let text = if slot == 0 { "A/B".to_owned() } else { slot.to_string() };
            let colour = if slot == 0 || entry.is_some() { style::TEXT } else { style::FAINT };
            let button = Button::new(RichText::new(text).color(colour).font(style::value())).selected(slot == chosen);
            let button = ui.add(button.min_size(egui::vec2(20.0, 20.0)));
            if button.clicked() {
                page.hands.set(index, slot as f64);
            }
            let name = entry.and_then(|entry| entry.get("name")).and_then(Value::as_str);
            button.on_hover_text(name.unwrap_or(if slot == 0 { "Prompts A and B" } else { "Empty snapshot" }));
        }
        ui.menu_button("Keep", |ui| {
            for slot in 0..SNAPSHOTS {
                if ui.button(format!("A and B as snapshot {}", slot + 1)).clicked() {
                    page.asked.edit(json!({"snapshots": with(&kept, slot, a, b)}));
                }
            }
        });
    });
}

/// The list with prompts A and B in a slot.
fn with(kept: &[Value], slot: usize, a: &str, b: &str) -> Vec<Value> {
    let mut list = kept.to_vec();
    list.resize(list.len().max(slot + 1), Value::Null);
    let name: String = a.chars().take(40).collect();
    let entry = [("name", name.as_str()), ("a", a), ("b", b)].map(|(key, text)| (key.to_owned(), json!(text)));
    list[slot] = Value::Object(Map::from_iter(entry));
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_leaves_the_others_and_fills_the_list_up_to_itself() {
        let kept = [json!({"name": "x", "a": "x", "b": ""})];
        let list = with(&kept, 2, "techno", "");
        assert_eq!(list, [kept[0].clone(), Value::Null, json!({"name": "techno", "a": "techno", "b": ""})]);
    }
}
