//! Every parameter, by module. What is rarely touched is folded.

use egui::{CollapsingHeader, RichText, Ui};
use shim_core::parameters;

use super::{hands::Hands, knob::Knobs, style};

/// Modules that are open when the window is.
const OPEN: [&str; 3] = ["Remix", "Song", "Output"];

/// The modules in the order of the table, each with its parameters.
fn modules() -> Vec<(&'static str, Vec<usize>)> {
    let mut modules: Vec<(&str, Vec<usize>)> = Vec::new();
    for (index, parameter) in parameters::table().iter().enumerate() {
        match modules.iter_mut().find(|(name, _)| *name == parameter.module) {
            Some((_, members)) => members.push(index),
            None => modules.push((parameter.module, vec![index])),
        }
    }
    // What makes the sound comes before what happens to it.
    modules.sort_by_key(|(name, _)| OPEN.iter().position(|open| open == name).unwrap_or(OPEN.len()));
    modules
}

pub fn show(ui: &mut Ui, knobs: &mut Knobs, hands: &mut Hands) {
    for (name, members) in modules() {
        style::panel().show(ui, |ui| {
            ui.set_width(ui.available_width());
            let title = RichText::new(name).color(style::TEXT).strong();
            CollapsingHeader::new(title).default_open(OPEN.contains(&name)).show_unindented(ui, |ui| {
                ui.horizontal_wrapped(|ui| {
                    ui.spacing_mut().item_spacing = egui::vec2(0.0, 2.0);
                    for index in members {
                        knobs.show(ui, hands, index);
                    }
                });
            });
        });
    }
}
