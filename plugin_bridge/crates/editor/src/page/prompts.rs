//! Prompt A and B, the blend between them, and the snapshots.

use egui::{Button, RichText, Ui};
use serde_json::{Map, Value, json};
use shim_core::parameters;

use super::{Page, field::Field, style};

/// Snapshots, as the document bounds them.
const SNAPSHOTS: usize = 8;
#[derive(Default)]
pub struct Prompts {
    a: Field,
    b: Field,
}

impl Prompts {
    /// What is typed and not sent yet, as a change of the document.
    pub fn unsent(&self, document: &Value) -> Option<Value> {
        let fields = [("a", &self.a), ("b", &self.b)];
        let text = |(key, field): (&str, &Field)| Some((key.to_owned(), json!(field.unsent(&prompt(document, key))?)));
        let texts = Map::from_iter(fields.into_iter().filter_map(text));
        (!texts.is_empty()).then(|| json!({"prompts": texts}))
    }
}

fn prompt(document: &Value, key: &str) -> String {
    document.pointer(&format!("/prompts/{key}")).and_then(Value::as_str).unwrap_or("").to_owned()
}

pub fn show(ui: &mut Ui, page: &mut Page) {
    style::section(ui, "Prompts", |ui| {
        let (a, b) = (prompt(&page.document, "a"), prompt(&page.document, "b"));
        ui.horizontal(|ui| {
            ui.label(RichText::new("A").color(style::FAINT));
            remind(ui, &page.prompts.a, &a);
        });
        if let Some(text) = page.prompts.a.show(ui, &a, (2, f32::INFINITY), "warm analog synths, slow drums") {
            page.asked.edit(json!({"prompts": {"a": text}}));
        }
        ui.horizontal(|ui| {
            ui.label(RichText::new("B").color(style::FAINT));
            let blend = parameters::index_of_key("prompt_blend");
            let width = ui.available_width() - 52.0;
            if let Some(blend) = blend {
                page.knobs.fader(ui, &mut page.hands, blend, width);
                let value = format!("{} %", page.hands.instance.display(blend, page.hands.value(blend)));
                ui.label(RichText::new(value).font(style::small()));
            }
        });
        if let Some(text) = page.prompts.b.show(ui, &b, (2, f32::INFINITY), "the same as A") {
            page.asked.edit(json!({"prompts": {"b": text}}));
        }
        remind(ui, &page.prompts.b, &b);
        snapshots(ui, page, &a, &b);
    });
}

fn remind(ui: &mut Ui, field: &Field, current: &str) {
    if field.unsent(current).is_some() {
        ui.label(RichText::new("not sent yet: Enter").font(style::small()).color(style::WARN));
    }
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
