//! Takes: what was heard, frozen, to compare with what is rendered now.

use egui::{Button, RichText, Ui};
use serde_json::{Value, json};
use shim_core::parameters;

use super::{Page, style};

const SLOTS: [&str; 3] = ["A", "B", "C"];

pub fn show(ui: &mut Ui, page: &mut Page) {
    let Some(index) = parameters::index_of_key("take") else { return };
    style::section(ui, "Takes", |ui| {
        let heard = page.hands.value(index) as usize;
        let takes = page.document.get("takes").and_then(Value::as_array).cloned().unwrap_or_default();
        ui.horizontal(|ui| {
            if ui.add(Button::new("Live").selected(heard == 0)).clicked() {
                page.hands.set(index, 0.0);
            }
            ui.label(RichText::new("what is rendered now").color(style::FAINT));
        });
        for (at, slot) in SLOTS.iter().enumerate() {
            let take = takes.iter().find(|take| take.get("slot").and_then(Value::as_str) == Some(slot));
            ui.horizontal(|ui| row(ui, page, (index, at + 1), slot, take));
        }
    });
}

fn row(ui: &mut Ui, page: &mut Page, (index, value): (usize, usize), slot: &str, take: Option<&Value>) {
    let heard = page.hands.value(index) as usize == value;
    let button = ui.add_enabled(take.is_some(), Button::new(slot).selected(heard));
    if button.on_hover_text("Hear this take").clicked() {
        page.hands.set(index, value as f64);
    }
    let name = take.and_then(|take| take.get("name")).and_then(Value::as_str).unwrap_or("empty");
    let shown = super::text::fit(ui, name, ui.available_width() - 120.0, 13.0);
    ui.label(RichText::new(shown).color(if take.is_some() { style::TEXT } else { style::FAINT }));
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        if ui.add_enabled(take.is_some(), Button::new("Drop")).clicked() {
            page.asked.act("drop_take", json!({"slot": slot}), Vec::new());
        }
        let span = page.wave.span(page.scene.as_deref());
        let freeze = ui.add_enabled(span.is_some(), Button::new("Freeze"));
        let hint = "Keeps the selected part of the waveform, or all of it, as this take";
        if freeze.on_hover_text(hint).clicked()
            && let Some((start, end)) = span
        {
            page.asked.act("take", json!({"slot": slot, "start": start, "end": end}), Vec::new());
        }
    });
}
