//! The page in egui's own context, without a window, before a host that writes down what it is told.

use std::sync::{Arc, Mutex};

use egui::{Event, Key, Modifiers, PointerButton, Pos2, RawInput, Rect, vec2};
use shim_core::{HostGestures, Instance, parameters};

use crate::{
    editor::HostWindow,
    page::{Page, dress},
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Told {
    Begin(usize),
    Perform(usize, f64),
    End(usize),
    Size(u32, u32),
}

/// A host that writes down what it is told, and holds the values as a plugin format does.
pub struct Host {
    pub told: Mutex<Vec<Told>>,
    instance: Arc<Instance>,
}

impl HostGestures for Host {
    fn begin(&self, index: usize) {
        self.told.lock().unwrap().push(Told::Begin(index));
    }

    fn perform(&self, index: usize, plain: f64) {
        self.instance.set_value(index, plain);
        self.told.lock().unwrap().push(Told::Perform(index, plain));
    }

    fn end(&self, index: usize) {
        self.told.lock().unwrap().push(Told::End(index));
    }
}

impl HostWindow for Host {
    fn request_size(&self, width: u32, height: u32) {
        self.told.lock().unwrap().push(Told::Size(width, height));
    }
}

/// The page in egui's own context, without a window.
pub struct Desk {
    pub page: Page,
    pub host: Arc<Host>,
    context: egui::Context,
    pub events: Vec<Event>,
    time: f64,
    /// Whether the window has the keyboard.
    pub focused: bool,
}

impl Desk {
    pub fn new() -> Self {
        let instance = Instance::new("test");
        let host = Arc::new(Host { told: Mutex::default(), instance: Arc::clone(&instance) });
        let page = Page::new(instance, Arc::clone(&host) as _, Arc::clone(&host) as _);
        let context = egui::Context::default();
        dress(&context);
        let mut desk = Self { page, host, context, events: Vec::new(), time: 0.0, focused: true };
        // egui knows what was where only from the frame before.
        desk.frame();
        desk.frame();
        desk
    }

    /// The window, closed and opened again.
    pub fn reopen(&mut self) {
        let (instance, host) = (Arc::clone(&self.page.instance), Arc::clone(&self.host));
        self.page = Page::new(instance, Arc::clone(&host) as _, host);
        self.frame();
    }

    pub fn frame(&mut self) {
        self.time += 0.05;
        let (width, height) = crate::SIZE;
        let screen = Rect::from_min_size(Pos2::ZERO, vec2(width as f32, height as f32));
        let events = std::mem::take(&mut self.events);
        let raw = RawInput {
            screen_rect: Some(screen),
            time: Some(self.time),
            events,
            focused: self.focused,
            ..RawInput::default()
        };
        let page = &mut self.page;
        self.context.run_ui(raw, |ui| page.show(ui)).drop_without_applying_deltas();
    }

    pub fn told(&self) -> Vec<Told> {
        std::mem::take(&mut *self.host.told.lock().unwrap())
    }

    pub fn point(&mut self, place: Pos2) {
        self.events.push(Event::PointerMoved(place));
        self.frame();
    }

    pub fn button(&mut self, pos: Pos2, pressed: bool, modifiers: Modifiers) {
        let button = PointerButton::Primary;
        self.events.push(Event::PointerButton { pos, button, pressed, modifiers });
        self.frame();
    }

    pub fn key(&mut self, key: Key) {
        for pressed in [true, false] {
            let (physical_key, repeat, modifiers) = (None, false, Modifiers::NONE);
            self.events.push(Event::Key { key, physical_key, pressed, repeat, modifiers });
            self.frame();
        }
    }

    /// A click, and the frame that egui asks for after it.
    pub fn click(&mut self, key: &str) {
        self.click_at(self.place(key));
    }

    pub fn click_at(&mut self, place: Pos2) {
        self.point(place);
        self.button(place, true, Modifiers::NONE);
        self.button(place, false, Modifiers::NONE);
        self.frame();
    }

    pub fn drag(&mut self, from: Pos2, to: Pos2) {
        self.point(from);
        self.button(from, true, Modifiers::NONE);
        for step in 1..=4 {
            self.point(from + (to - from) * (step as f32 / 4.0));
        }
        self.button(to, false, Modifiers::NONE);
    }

    pub fn type_text(&mut self, text: &str) {
        self.events.push(Event::Text(text.to_owned()));
        self.frame();
    }

    /// The middle of a parameter's dial.
    pub fn place(&self, key: &str) -> Pos2 {
        self.page.knobs.place(index(key)).unwrap_or_else(|| panic!("{key} is not on the page")).center()
    }
}

pub fn index(key: &str) -> usize {
    parameters::index_of_key(key).unwrap()
}
