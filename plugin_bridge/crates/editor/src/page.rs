//! The one page, top to bottom, and what it remembers from frame to frame.

mod hands;
mod header;
mod knob;
mod modules;
mod style;
#[cfg(test)]
mod tests;
mod text;

use std::{path::PathBuf, sync::Arc};

use egui::Ui;
use shim_core::{HostGestures, Instance, parameters};

use crate::editor::HostWindow;
use hands::Hands;
use knob::Knobs;
pub use style::{BACKGROUND, dress};

/// Pixels of the host's scale that the user chose to make of one, in percent.
const ZOOMS: [u32; 5] = [100, 125, 150, 175, 200];

pub struct Page {
    instance: Arc<Instance>,
    host: Arc<dyn HostWindow>,
    hands: Hands,
    knobs: Knobs,
    seen: Seen,
    zoom: u32,
}

/// What the last frame showed of the instance.
#[derive(Default, PartialEq)]
struct Seen {
    values: Vec<u64>,
    status: String,
}

impl Seen {
    fn of(instance: &Instance) -> Self {
        let values = (0..parameters::COUNT).map(|index| instance.value(index).to_bits()).collect();
        Self { values, status: instance.status_text() }
    }
}

impl Page {
    pub fn new(instance: Arc<Instance>, gestures: Arc<dyn HostGestures>, host: Arc<dyn HostWindow>) -> Self {
        let hands = Hands::new(Arc::clone(&instance), gestures);
        Self { instance, host, hands, knobs: Knobs::default(), seen: Seen::default(), zoom: ZOOMS[0] }
    }

    /// Whether the instance shows something that the last frame did not.
    pub fn changed(&mut self) -> bool {
        let now = Seen::of(&self.instance);
        let changed = now != self.seen;
        self.seen = now;
        changed
    }

    /// How much larger than the host's scale everything is.
    pub fn zoom(&self) -> f32 {
        self.zoom as f32 / 100.0
    }

    pub fn take_files(&mut self, _files: Vec<PathBuf>) {}

    /// The next larger zoom, or the smallest; the host is asked for a window that holds it.
    fn enlarge(&mut self, scale: f32) {
        let next = ZOOMS.iter().position(|zoom| *zoom == self.zoom).map_or(0, |at| (at + 1) % ZOOMS.len());
        let before = std::mem::replace(&mut self.zoom, ZOOMS[next]) as f32;
        let (width, height) = crate::SIZE;
        let pixels = |points: u32| (points as f32 * scale / before * self.zoom as f32).round() as u32;
        self.host.request_size(pixels(width), pixels(height));
    }

    pub fn show(&mut self, ui: &mut Ui) {
        egui::Panel::top("header")
            .frame(style::page())
            .show_separator_line(false)
            .show(ui, |ui| header::show(ui, self));
        egui::CentralPanel::default().frame(style::page()).show(ui, |ui| {
            egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                modules::show(ui, &mut self.knobs, &mut self.hands);
            });
        });
    }
}
