//! The audio files of a folder, to choose one from: by pointer, by Tab and Enter, or by typing a path.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, mpsc},
};

use egui::{Key, RichText, ScrollArea, TextEdit, Ui};

use super::style;

/// What libsndfile reads and `docs/recall.md` names.
const AUDIO: [&str; 9] = ["wav", "wave", "flac", "ogg", "oga", "aif", "aiff", "aifc", "mp3"];
/// Entries that are listed: nobody scrolls through more, and a folder may hold a million.
const MOST: usize = 2000;
const HEIGHT: f32 = 190.0;

/// The folder that was looked into last, in whatever window.
static LAST: Mutex<Option<PathBuf>> = Mutex::new(None);

struct Entry {
    name: String,
    path: PathBuf,
    is_folder: bool,
}

struct Listing {
    folder: PathBuf,
    entries: Vec<Entry>,
}

/// What a place that was typed or clicked turned out to be.
enum Found {
    Folder(Listing),
    File(PathBuf),
}

pub enum Choice {
    None,
    File(PathBuf),
    Cancelled,
}

pub struct Files {
    path: String,
    entries: Vec<Entry>,
    refused: Option<String>,
    looking: Option<mpsc::Receiver<Result<Found, String>>>,
    fresh: bool,
}

impl Files {
    /// A list of the folder that was looked into last, at first the user's music.
    pub fn open() -> Self {
        let mut files = Self { path: String::new(), entries: Vec::new(), refused: None, looking: None, fresh: true };
        files.look(None);
        files
    }

    pub fn is_busy(&self) -> bool {
        self.looking.is_some()
    }

    /// Looks at a place on a thread of its own: a folder may be on a machine that does not answer.
    fn look(&mut self, place: Option<PathBuf>) {
        let (sender, receiver) = mpsc::channel();
        // Refused, nobody answers, which the receiver reports.
        let _ = std::thread::Builder::new().name("demon-files".into()).spawn(move || {
            let place = place.unwrap_or_else(first);
            let _ = sender.send(look(&place));
        });
        self.looking = Some(receiver);
    }

    fn collect(&mut self) -> Option<PathBuf> {
        let answer = match self.looking.as_ref()?.try_recv() {
            Err(mpsc::TryRecvError::Empty) => return None,
            Err(mpsc::TryRecvError::Disconnected) => Err("the folder was not read: try again".to_owned()),
            Ok(answer) => answer,
        };
        self.looking = None;
        match answer {
            Ok(Found::File(path)) => return Some(path),
            Ok(Found::Folder(listing)) => {
                *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(listing.folder.clone());
                self.path = listing.folder.display().to_string();
                (self.entries, self.refused) = (listing.entries, None);
            }
            Err(text) => self.refused = Some(text),
        }
        None
    }

    pub fn show(&mut self, ui: &mut Ui, title: &str) -> Choice {
        if let Some(path) = self.collect() {
            return Choice::File(path);
        }
        let mut wanted = None;
        let mut closed = false;
        ui.horizontal(|ui| {
            ui.label(RichText::new(format!("{title}:")).color(style::TEXT));
            if ui.button("Up").on_hover_text("The folder above").clicked() {
                wanted = Path::new(&self.path).parent().map(Path::to_owned);
            }
            closed = ui.button("Close").clicked();
        });
        let field = ui.add(TextEdit::singleline(&mut self.path).hint_text("a path").desired_width(f32::INFINITY));
        if std::mem::take(&mut self.fresh) {
            field.request_focus();
        }
        if field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) {
            wanted = Some(PathBuf::from(self.path.trim()));
        }
        if let Some(text) = &self.refused {
            ui.add(egui::Label::new(RichText::new(text).color(style::BAD)).wrap());
        }
        ScrollArea::vertical().max_height(HEIGHT).auto_shrink([false, true]).show(ui, |ui| {
            for entry in &self.entries {
                let text = if entry.is_folder { format!("{}/", entry.name) } else { entry.name.clone() };
                let shown = super::text::fit(ui, &text, ui.available_width() - 12.0, 13.0);
                if ui.selectable_label(false, shown).on_hover_text(&entry.name).clicked() {
                    wanted = Some(entry.path.clone());
                }
            }
            if self.entries.is_empty() && self.looking.is_none() {
                ui.label(RichText::new("No audio files here.").color(style::FAINT));
            }
        });
        if let Some(place) = wanted {
            self.look(Some(place));
        }
        if closed || ui.input(|input| input.key_pressed(Key::Escape)) { Choice::Cancelled } else { Choice::None }
    }
}

fn first() -> PathBuf {
    let last = LAST.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/".into()));
    let music = home.join("Music");
    last.unwrap_or(if music.is_dir() { music } else { home })
}

fn look(place: &Path) -> Result<Found, String> {
    let refused = |error: std::io::Error| format!("{} cannot be read ({error}): choose another", place.display());
    if std::fs::metadata(place).map_err(refused)?.is_file() {
        return Ok(Found::File(place.to_owned()));
    }
    let mut entries: Vec<Entry> = std::fs::read_dir(place).map_err(refused)?.flatten().filter_map(entry).collect();
    entries.sort_by_cached_key(|entry| (!entry.is_folder, entry.name.to_lowercase()));
    entries.truncate(MOST);
    Ok(Found::Folder(Listing { folder: place.to_owned(), entries }))
}

/// A folder or an audio file, unless it is hidden.
fn entry(found: std::fs::DirEntry) -> Option<Entry> {
    let (name, path) = (found.file_name().to_string_lossy().into_owned(), found.path());
    let suffix = path.extension().map(|suffix| suffix.to_string_lossy().to_lowercase());
    let is_audio = suffix.is_some_and(|suffix| AUDIO.contains(&suffix.as_str()));
    // Follows links, which a folder of samples may be.
    let is_folder = path.is_dir();
    (!name.starts_with('.') && (is_folder || is_audio)).then_some(Entry { name, path, is_folder })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lists_its_folders_then_its_audio_and_a_file_is_itself() {
        let folder = std::env::temp_dir().join(format!("demon files {}", std::process::id()));
        std::fs::create_dir_all(folder.join("Zwei")).unwrap();
        for name in ["b.WAV", "A.flac", "notes.txt", ".hidden.wav", "wav"] {
            std::fs::write(folder.join(name), b"").unwrap();
        }
        let Ok(Found::Folder(listing)) = look(&folder) else { panic!("no folder") };
        let names: Vec<&str> = listing.entries.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["Zwei", "A.flac", "b.WAV"]);
        assert!(matches!(look(&folder.join("notes.txt")), Ok(Found::File(_))));
        let Err(text) = look(&folder.join("nothing")) else { panic!("nothing was found") };
        assert!(text.contains("nothing") && text.contains("choose another"), "{text}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
