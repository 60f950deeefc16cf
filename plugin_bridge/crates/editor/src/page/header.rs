//! The top: what is loaded, undo, how the engine is, and what to do about what is wrong.

use egui::{Align, Button, Color32, Layout, RichText, Ui};
use shim_core::{SceneHead, Status};

use super::{Page, presets, style};

pub fn show(ui: &mut Ui, page: &mut Page) {
    ui.horizontal(|ui| {
        ui.label(RichText::new("DEMON").size(17.0).strong().color(style::ACCENT));
        ui.add_space(6.0);
        presets::show(ui, page);
        let (undo, redo) = page.instance.steps();
        if ui.add_enabled(undo, Button::new("Undo")).clicked() {
            page.instance.undo();
        }
        if ui.add_enabled(redo, Button::new("Redo")).clicked() {
            page.instance.redo();
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let (scale, zoom) = (ui.ctx().pixels_per_point(), page.zoom);
            if ui.button("+").on_hover_text("Larger (Ctrl +)").clicked() {
                page.resize(scale, 1);
            }
            ui.label(RichText::new(format!("{zoom} %")).font(style::small()));
            if ui.button("−").on_hover_text("Smaller (Ctrl −)").clicked() {
                page.resize(scale, -1);
            }
            ui.add_space(8.0);
            state(ui, page);
        });
    });
    trouble(ui, page);
}

fn colour(status: Status) -> Color32 {
    match status {
        Status::Ready => style::ACCENT,
        Status::Starting | Status::Dry => style::FAINT,
        Status::Late => style::WARN,
        Status::Offline | Status::Failed => style::BAD,
    }
}

/// The health line: the state in a word, and the figures. Laid out from the right.
fn state(ui: &mut Ui, page: &Page) {
    if let Some(scene) = &page.scene {
        let text = super::text::fit(ui, &figures(&scene.head), ui.available_width() - 80.0, 11.5);
        ui.label(RichText::new(text).font(style::small()).color(style::FAINT)).on_hover_text(details(&scene.head));
    }
    let status = page.instance.status();
    ui.label(RichText::new(format!("{status:?}")).color(colour(status)).strong());
    let (place, _) = ui.allocate_exact_size(egui::vec2(10.0, 10.0), egui::Sense::hover());
    ui.painter().circle_filled(place.center(), 4.5, colour(status));
}

fn figures(head: &SceneHead) -> String {
    let mut parts = vec![head.device.clone()];
    parts.push(match head.sustained > 0.0 {
        true => format!("{:.1} of {:.1} ticks/s", head.ticks, head.sustained),
        false => format!("{:.1} ticks/s", head.ticks),
    });
    parts.push(format!("lag {:.2} s", f64::from(head.lag) / 25.0));
    parts.push(format!("late {}", head.late));
    parts.retain(|part| !part.is_empty());
    parts.join("  ·  ")
}

fn details(head: &SceneHead) -> String {
    format!(
        "Checkpoint {}, backend {}\nA tick every {} ms, generation {}\nLag: how far the model is behind the song\n\
         Late: windows of this pass that came too late to be heard",
        head.checkpoint,
        head.backend,
        head.tick_frames * 40,
        head.generation
    )
}

/// What is wrong and what to do, a line each.
fn trouble(ui: &mut Ui, page: &mut Page) {
    let status = page.instance.status();
    let text = page.instance.status_text();
    if status != Status::Ready && !text.is_empty() {
        line(ui, &text, colour(status));
    }
    let missing = page.scene.as_ref().map(|scene| scene.head.missing.clone()).unwrap_or_default();
    for missing in &missing {
        line(ui, &format!("Missing {} {}. {}", missing.kind, missing.name, missing.fix), style::WARN);
    }
    if let Some(text) = page.asked.refused.clone() {
        ui.horizontal(|ui| {
            if ui.button("×").on_hover_text("Close").clicked() {
                page.asked.refused = None;
            }
            line(ui, &text, style::BAD);
        });
    }
}

fn line(ui: &mut Ui, text: &str, colour: Color32) {
    ui.add(egui::Label::new(RichText::new(text).color(colour)).wrap());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_say_what_was_measured_and_leave_out_what_was_not() {
        let head = SceneHead { device: "cpu".into(), ticks: 2.04, lag: 5, late: 1, ..SceneHead::default() };
        assert_eq!(figures(&head), "cpu  ·  2.0 ticks/s  ·  lag 0.20 s  ·  late 1");
        let head = SceneHead { sustained: 3.0, ..head };
        assert!(figures(&head).contains("2.0 of 3.0 ticks/s"));
    }
}
