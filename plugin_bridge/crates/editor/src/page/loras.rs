//! LoRA slots: which file is in each, and how strongly it acts.

use egui::{Key, RichText, TextEdit, Ui};
use serde_json::{Value, json};
use shim_core::parameters;

use super::{Page, style};

/// Slots, each with a parameter `lora_n`.
const SLOTS: usize = 8;

#[derive(Default)]
pub struct Loras {
    adding: Option<String>,
}

pub fn show(ui: &mut Ui, page: &mut Page) {
    style::section(ui, "LoRAs", |ui| {
        let slots = page.document.get("loras").and_then(Value::as_array).cloned().unwrap_or_default();
        for (at, entry) in slots.iter().enumerate().take(SLOTS) {
            if let Some(name) = entry.get("name").and_then(Value::as_str) {
                ui.horizontal(|ui| slot(ui, page, at, name, &slots));
            }
        }
        let free = (0..SLOTS).find(|at| slots.get(*at).is_none_or(Value::is_null));
        match &mut page.loras.adding {
            Some(_) => add(ui, page, free, &slots),
            None => {
                let button = ui.add_enabled(free.is_some(), egui::Button::new("Add a LoRA"));
                if button.on_disabled_hover_text("All 8 slots are in use: remove one").clicked() {
                    page.loras.adding = Some(String::new());
                }
            }
        }
    });
}

fn slot(ui: &mut Ui, page: &mut Page, at: usize, name: &str, slots: &[Value]) {
    let shown = super::text::fit(ui, name, 108.0, 13.0);
    style::tag(ui, shown, 110.0).on_hover_text(name);
    if let Some(index) = parameters::index_of_key(&format!("lora_{}", at + 1)) {
        let width = ui.available_width() - 84.0;
        page.knobs.fader(ui, &mut page.hands, index, width);
        let value = page.hands.instance.display(index, page.hands.value(index));
        style::tag(ui, RichText::new(value).font(style::small()), 38.0);
    }
    if ui.button("×").on_hover_text("Remove it from this slot").clicked() {
        page.asked.edit(json!({"loras": with(slots, at, Value::Null)}));
    }
}

fn add(ui: &mut Ui, page: &mut Page, free: Option<usize>, slots: &[Value]) {
    let Some(text) = &mut page.loras.adding else { return };
    let hint = "Name as demon lora list shows it, then Enter";
    let response = ui.add(TextEdit::singleline(text).hint_text(hint).char_limit(256).desired_width(f32::INFINITY));
    let (enter, escape) = ui.input(|input| (input.key_pressed(Key::Enter), input.key_pressed(Key::Escape)));
    let name = text.trim().to_owned();
    if response.lost_focus() && enter && !name.is_empty() {
        page.loras.adding = None;
        if let Some(free) = free {
            page.asked.edit(json!({"loras": with(slots, free, json!({"name": name, "hash": null}))}));
        }
    } else if escape || (response.lost_focus() && name.is_empty()) {
        page.loras.adding = None;
    } else if !response.has_focus() && text.is_empty() {
        response.request_focus();
    }
}

fn with(slots: &[Value], at: usize, entry: Value) -> Vec<Value> {
    let mut slots = slots.to_vec();
    slots.resize(slots.len().max(at + 1), Value::Null);
    slots[at] = entry;
    slots
}
