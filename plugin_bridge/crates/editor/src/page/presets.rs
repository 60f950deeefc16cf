//! The preset menu.

use std::sync::mpsc;

use egui::{ComboBox, Key, TextEdit, Ui};
use serde_json::json;
use shim_core::preset::{self, Preset};

use super::Page;

#[derive(Default)]
pub struct Presets {
    /// The user's, read on a thread of its own each time the menu is opened.
    user: Vec<Preset>,
    reading: Option<mpsc::Receiver<Vec<Preset>>>,
    was_open: bool,
    /// The one that was loaded last.
    name: Option<String>,
    saving: Option<String>,
}

impl Presets {
    fn read(&mut self) {
        let (sender, receiver) = mpsc::channel();
        // Refused, the list stays as it was.
        let _ = std::thread::Builder::new().name("demon-presets".into()).spawn(move || {
            let _ = sender.send(preset::user());
        });
        self.reading = Some(receiver);
    }

    fn collect(&mut self) {
        match self.reading.as_ref().map(mpsc::Receiver::try_recv) {
            Some(Ok(presets)) => (self.user, self.reading) = (presets, None),
            Some(Err(mpsc::TryRecvError::Disconnected)) => self.reading = None,
            _ => {}
        }
    }

    pub fn is_busy(&self) -> bool {
        self.reading.is_some()
    }
}

pub fn show(ui: &mut Ui, page: &mut Page) {
    page.presets.collect();
    let name = page.presets.name.clone().unwrap_or_else(|| "Presets".to_owned());
    let mut chosen = None;
    let menu = ComboBox::from_id_salt("presets").width(190.0).height(420.0).selected_text(name);
    let open = menu.show_ui(ui, |ui| {
        for preset in page.presets.user.iter().chain(preset::factory()) {
            let hint = format!("{}\n{}", preset.description, preset.tags.join(", "));
            let current = page.presets.name.as_ref() == Some(&preset.name);
            if ui.selectable_label(current, &preset.name).on_hover_text(hint).clicked() {
                chosen = Some(preset.clone());
            }
        }
    });
    let open = open.inner.is_some();
    if open && !std::mem::replace(&mut page.presets.was_open, open) {
        page.presets.read();
    }
    page.presets.was_open = open;
    if let Some(preset) = chosen {
        match page.instance.load_preset(&preset) {
            Ok(_) => page.presets.name = Some(preset.name),
            Err(error) => page.asked.refused = Some(error.to_string()),
        }
    }
    save(ui, page);
}

fn save(ui: &mut Ui, page: &mut Page) {
    let Some(text) = &mut page.presets.saving else {
        if ui.button("Save").on_hover_text("Save all of this as a preset of yours").clicked() {
            page.presets.saving = Some(String::new());
        }
        return;
    };
    let response = ui.add(TextEdit::singleline(text).hint_text("Name, then Enter").char_limit(64).desired_width(140.0));
    let (enter, escape) = ui.input(|input| (input.key_pressed(Key::Enter), input.key_pressed(Key::Escape)));
    let name = text.trim().to_owned();
    if response.lost_focus() && enter && !name.is_empty() {
        page.asked.act("save_preset", json!({"name": name, "tags": [], "description": ""}), Vec::new());
        (page.presets.saving, page.presets.name) = (None, Some(name));
    } else if escape || (response.lost_focus() && name.is_empty()) {
        page.presets.saving = None;
    } else if !response.has_focus() && text.is_empty() {
        response.request_focus();
    }
}
