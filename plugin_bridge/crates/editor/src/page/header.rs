//! The top line: what is loaded, undo, and how the engine is.

use egui::{Align, Button, Color32, Layout, RichText, Ui};
use shim_core::Status;

use super::{Page, style};

pub fn show(ui: &mut Ui, page: &mut Page) {
    ui.horizontal(|ui| {
        ui.label(RichText::new("DEMON").size(17.0).strong().color(style::ACCENT));
        ui.add_space(8.0);
        let (undo, redo) = page.instance.steps();
        if ui.add_enabled(undo, Button::new("Undo")).clicked() {
            page.instance.undo();
        }
        if ui.add_enabled(redo, Button::new("Redo")).clicked() {
            page.instance.redo();
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let zoom = Button::new(format!("{} %", page.zoom));
            if ui.add(zoom).on_hover_text("Zoom").clicked() {
                page.enlarge(ui.ctx().pixels_per_point());
            }
            state(ui, page);
        });
    });
}

fn colour(status: Status) -> Color32 {
    match status {
        Status::Ready => style::ACCENT,
        Status::Starting | Status::Dry => style::FAINT,
        Status::Late => style::WARN,
        Status::Offline | Status::Failed => style::BAD,
    }
}

/// The state in a word, with its colour.
fn state(ui: &mut Ui, page: &Page) {
    let status = page.instance.status();
    ui.label(RichText::new(format!("{status:?}")).color(colour(status)).strong());
    let (place, _) = ui.allocate_exact_size(egui::vec2(10.0, 10.0), egui::Sense::hover());
    ui.painter().circle_filled(place.center(), 4.5, colour(status));
}
