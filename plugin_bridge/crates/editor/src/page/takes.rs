//! Takes: what was heard, frozen, to compare with what is rendered now.

use egui::{Button, RichText, Ui};
use serde_json::Value;
use shim_core::parameters;

use super::{Page, style};

const SLOTS: [&str; 3] = ["A", "B", "C"];

pub fn show(ui: &mut Ui, page: &mut Page) {
    let takes = page.document.get("takes").and_then(Value::as_array).filter(|takes| !takes.is_empty()).cloned();
    let (Some(index), Some(takes)) = (parameters::index_of_key("take"), takes) else { return };
    style::section(ui, "Takes", |ui| {
        let heard = page.hands.value(index) as usize;
        if ui.add(Button::new("Live").selected(heard == 0)).on_hover_text("Hear what is rendered now").clicked() {
            page.hands.set(index, 0.0);
        }
        for (at, slot) in SLOTS.iter().enumerate() {
            let take = takes.iter().find(|take| take.get("slot").and_then(Value::as_str) == Some(slot));
            let Some(take) = take else { continue };
            ui.horizontal(|ui| {
                if ui.add(Button::new(*slot).selected(heard == at + 1)).on_hover_text("Hear this take").clicked() {
                    page.hands.set(index, (at + 1) as f64);
                }
                let name = take.get("name").and_then(Value::as_str).unwrap_or("");
                let shown = super::text::fit(ui, name, ui.available_width() - 8.0, 13.0);
                ui.label(RichText::new(shown).color(style::FAINT));
            });
        }
    });
}
