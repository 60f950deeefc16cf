//! The one page, top to bottom, and what it remembers from frame to frame.

mod asked;
mod dial;
mod field;
mod files;
mod hands;
mod header;
mod knob;
mod loras;
mod modules;
mod presets;
mod prompts;
mod references;
mod settings;
mod span;
mod style;
mod takes;
#[cfg(test)]
mod tests;
mod text;
mod trace;
mod typing;
mod view;
mod wave;

use std::{path::PathBuf, sync::Arc};

use egui::Ui;
use serde_json::Value;
use shim_core::{HostGestures, Instance, Look, Scene, parameters};

use crate::editor::HostWindow;
use asked::Asked;
use hands::Hands;
use knob::Knobs;
pub use style::{BACKGROUND, dress};

/// What the user may make of one point, in percent of the host's scale.
const ZOOMS: [u32; 5] = [100, 125, 150, 175, 200];

/// Width of the column with everything that is no knob.
const SIDE: f32 = 330.0;

pub struct Page {
    instance: Arc<Instance>,
    host: Arc<dyn HostWindow>,
    hands: Hands,
    asked: Asked,
    knobs: Knobs,
    presets: presets::Presets,
    prompts: prompts::Prompts,
    references: references::References,
    loras: loras::Loras,
    takes: takes::Takes,
    wave: wave::Wave,
    settings: settings::Settings,
    /// The document as of `seen`.
    document: Value,
    scene: Option<Arc<Scene>>,
    seen: Seen,
    /// Dropped on the window since the last frame.
    files: Vec<PathBuf>,
    zoom: u32,
}

/// What the last frame showed of the instance.
#[derive(Default, PartialEq)]
struct Seen {
    values: Vec<u64>,
    status: String,
    revision: Option<u64>,
    steps: (bool, bool),
}

impl Seen {
    fn of(instance: &Instance) -> Self {
        let values = (0..parameters::COUNT).map(|index| instance.value(index).to_bits()).collect();
        let (status, revision, steps) = (instance.status_text(), Some(instance.revision()), instance.steps());
        Self { values, status, revision, steps }
    }
}

impl Page {
    pub fn new(instance: Arc<Instance>, gestures: Arc<dyn HostGestures>, host: Arc<dyn HostWindow>) -> Self {
        instance.watch(true);
        let look = instance.look();
        let hands = Hands::new(Arc::clone(&instance), gestures);
        Self {
            asked: Asked::new(Arc::clone(&instance)),
            instance,
            host,
            hands,
            knobs: Knobs::default(),
            presets: presets::Presets::default(),
            prompts: prompts::Prompts::default(),
            references: references::References::default(),
            loras: loras::Loras::default(),
            takes: takes::Takes::default(),
            wave: wave::Wave::of(view::View(look.wave)),
            settings: settings::Settings::default(),
            document: Value::Null,
            scene: None,
            seen: Seen::default(),
            files: Vec::new(),
            zoom: look.zoom.filter(|zoom| ZOOMS.contains(zoom)).unwrap_or(ZOOMS[0]),
        }
    }

    /// Whether the instance shows something that the last frame did not.
    pub fn changed(&mut self) -> bool {
        let now = Seen::of(&self.instance);
        let changed = now != self.seen;
        if now.revision != self.seen.revision {
            self.document = Value::Object(self.instance.document());
        }
        self.seen = now;
        let scene = self.instance.scene();
        let moved = match (&scene, &self.scene) {
            (Some(new), Some(old)) => !Arc::ptr_eq(new, old),
            (new, old) => new.is_some() != old.is_some(),
        };
        self.scene = scene;
        let waits = self.references.is_busy() || self.presets.is_busy() || self.asked.is_busy();
        self.asked.settle() | changed | moved | waits
    }

    /// How much larger than the host's scale everything is.
    pub fn zoom(&self) -> f32 {
        self.zoom as f32 / 100.0
    }

    pub fn take_files(&mut self, files: Vec<PathBuf>) {
        self.files.extend(files);
    }

    /// A file that the pointer, whose button is held, is to carry out of the window.
    pub fn take_carried(&mut self) -> Option<PathBuf> {
        self.takes.carried.take()
    }

    /// Has the project keep how this window is: `size` is in points of the host's scale.
    pub fn keep_look(&self, size: (u32, u32)) {
        // Hosts make a window tiny for a moment while they open or close it (JUCE).
        let is_one = size.0 >= crate::MIN_SIZE.0 && size.1 >= crate::MIN_SIZE.1;
        let look = Look {
            size: if is_one { Some(size).filter(|size| *size != crate::SIZE) } else { self.instance.look().size },
            zoom: Some(self.zoom).filter(|zoom| *zoom != ZOOMS[0]),
            wave: self.wave.view.0,
        };
        self.instance.set_look(look);
    }

    /// Another zoom, `steps` sizes up or down; the host is asked for a window that holds it.
    fn resize(&mut self, scale: f32, steps: isize) {
        let at = ZOOMS.iter().position(|zoom| *zoom == self.zoom).unwrap_or(0);
        let next = ZOOMS[at.saturating_add_signed(steps).min(ZOOMS.len() - 1)];
        let before = std::mem::replace(&mut self.zoom, next) as f32;
        let (width, height) = crate::SIZE;
        let pixels = |points: u32| (points as f32 * scale / before * next as f32).round() as u32;
        if next as f32 != before {
            self.host.request_size(pixels(width), pixels(height));
        }
    }

    /// Control with plus, minus and 0, as browsers have it.
    fn zoom_keys(&mut self, ui: &Ui) {
        let pressed = |key| ui.input_mut(|input| input.consume_key(egui::Modifiers::COMMAND, key));
        let larger = pressed(egui::Key::Plus) | pressed(egui::Key::Equals);
        let (smaller, smallest) = (pressed(egui::Key::Minus), pressed(egui::Key::Num0));
        let most = ZOOMS.len() as isize;
        let steps = isize::from(larger) - isize::from(smaller) - if smallest { most } else { 0 };
        if steps != 0 {
            self.resize(ui.ctx().pixels_per_point(), steps);
        }
    }

    pub fn show(&mut self, ui: &mut Ui) {
        references::collect(ui, self);
        self.zoom_keys(ui);
        let top = egui::Panel::top("header").frame(style::page()).show_separator_line(false);
        top.show(ui, |ui| header::show(ui, self));
        let side = egui::Panel::left("side").frame(style::page()).show_separator_line(false);
        side.exact_size(SIDE).resizable(false).show(ui, |ui| {
            egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                prompts::show(ui, self);
                references::show(ui, self);
                loras::show(ui, self);
                takes::show(ui, self);
                settings::show(ui, self);
            });
        });
        egui::CentralPanel::default().frame(style::page()).show(ui, |ui| {
            wave::show(ui, self);
            egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                modules::show(ui, &mut self.knobs, &mut self.hands);
            });
        });
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // A window that is closed takes the keyboard from its fields like any other click elsewhere.
        if let Some(change) = self.prompts.unsent(&self.document) {
            self.asked.edit(change);
        }
        self.instance.watch(false);
    }
}
