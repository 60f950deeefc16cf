//! Audio that the model is given: references for timbre and structure, and a file in place of the track.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
};

use egui::{Rect, RichText, Ui};
use serde_json::{Value, json};

use super::{
    Page,
    files::{Choice, Files},
    style,
};

/// (role, what the page calls it, what it does)
const ROLES: [(&str, &str, &str); 3] = [
    ("timbre", "Timbre", "The sound that the result is to have"),
    ("structure", "Structure", "The course that the result is to take"),
    ("file", "Source", "A file in place of the track"),
];

/// Largest file that is read: as PROTOCOL section 1 bounds an attachment.
const LARGEST: u64 = 64 << 20;

type Loaded = Result<(&'static str, String, Arc<[u8]>), String>;

#[derive(Default)]
pub struct References {
    choosing: Option<(usize, Files)>,
    reading: Option<mpsc::Receiver<Loaded>>,
    rows: [Option<Rect>; 3],
}

impl References {
    /// Starts reading a file on a thread of its own.
    fn read(&mut self, role: &'static str, path: PathBuf) {
        let (sender, receiver) = mpsc::channel();
        // Refused, nobody answers, which the receiver reports.
        let _ = std::thread::Builder::new().name("demon-file".into()).spawn(move || {
            let _ = sender.send(read(role, &path));
        });
        self.reading = Some(receiver);
    }

    /// The role whose row is nearest to where files were dropped: the file row for what was dropped elsewhere.
    fn role_at(&self, place: Option<egui::Pos2>) -> &'static str {
        let hit = place.and_then(|place| self.rows.iter().position(|row| row.is_some_and(|row| row.contains(place))));
        ROLES[hit.unwrap_or(2)].0
    }

    pub fn is_busy(&self) -> bool {
        self.reading.is_some() || self.choosing.as_ref().is_some_and(|(_, files)| files.is_busy())
    }
}

fn read(role: &'static str, path: &Path) -> Loaded {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let refused = |error: &std::io::Error| format!("{name} cannot be read ({error}): check the path");
    let file = File::open(path).map_err(|error| refused(&error))?;
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err(format!("{name} is no file: choose an audio file"));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| refused(&error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("{name} is over {} MiB: use a shorter one, or FLAC", LARGEST >> 20));
    }
    Ok((role, name, bytes.into()))
}

/// Takes what was read or dropped since the last frame.
pub fn collect(ui: &Ui, page: &mut Page) {
    if let Some(path) = page.files.pop() {
        let role = page.references.role_at(ui.input(|input| input.pointer.latest_pos()));
        page.references.read(role, path);
        page.files.clear();
    }
    let Some(reading) = &page.references.reading else { return };
    let answer = match reading.try_recv() {
        Err(mpsc::TryRecvError::Empty) => return,
        Err(mpsc::TryRecvError::Disconnected) => Err("the file was not read: try again".to_owned()),
        Ok(answer) => answer,
    };
    page.references.reading = None;
    match answer {
        Ok((role, name, bytes)) => {
            let name: String = name.chars().take(200).collect();
            page.asked.act("reference", json!({"role": role, "name": name}), vec![(name, bytes)]);
        }
        Err(text) => page.asked.refused = Some(text),
    }
}

pub fn show(ui: &mut Ui, page: &mut Page) {
    style::section(ui, "References", |ui| {
        for (at, (role, title, hint)) in ROLES.iter().enumerate() {
            let row = ui.horizontal(|ui| self::row(ui, page, at, role, title, hint));
            page.references.rows[at] = Some(row.response.rect);
        }
        choose(ui, page);
    });
}

fn row(ui: &mut Ui, page: &mut Page, at: usize, role: &str, title: &str, hint: &str) {
    let name = page.document.get(role).and_then(|entry| entry.get("name")).and_then(Value::as_str);
    style::tag(ui, title, 62.0).on_hover_text(hint);
    let shown = super::text::fit(ui, name.unwrap_or("drop a file here"), ui.available_width() - 110.0, 13.0);
    let colour = if name.is_some() { style::TEXT } else { style::FAINT };
    let there = page.document.get(role).is_some_and(|entry| !entry.is_null());
    ui.label(RichText::new(shown).color(colour));
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        if ui.add_enabled(there, egui::Button::new("Clear")).clicked() {
            page.asked.act("clear_reference", json!({"role": role}), Vec::new());
        }
        if ui.button("File").on_hover_text(format!("Choose an audio file for {title}")).clicked() {
            page.references.choosing = Some((at, Files::open()));
        }
    });
}

fn choose(ui: &mut Ui, page: &mut Page) {
    let Some((at, files)) = &mut page.references.choosing else { return };
    let (role, title, _) = ROLES[*at];
    match files.show(ui, title) {
        Choice::None => return,
        Choice::File(path) => page.references.read(role, path),
        Choice::Cancelled => {}
    }
    page.references.choosing = None;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_or_no_file_is_refused_by_name() {
        let missing = read("file", Path::new("/nowhere/loop.wav")).unwrap_err();
        assert!(missing.contains("loop.wav") && missing.contains("check the path"), "{missing}");
        let folder = read("file", &std::env::temp_dir()).unwrap_err();
        assert!(folder.contains("choose an audio file"), "{folder}");
    }
}
