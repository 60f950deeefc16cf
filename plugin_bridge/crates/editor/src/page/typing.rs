//! The value of a parameter while it is typed.

use egui::{Key, Rect, Ui};

use super::{hands::Hands, style};

pub struct Typing {
    pub index: usize,
    text: String,
    refused: bool,
    /// The field has not had the focus yet.
    fresh: bool,
}

impl Typing {
    pub fn new(index: usize, text: String) -> Self {
        Self { index, text, refused: false, fresh: true }
    }

    /// Whether typing is over.
    pub fn show(&mut self, ui: &mut Ui, hands: &mut Hands, place: Rect) -> bool {
        let colour = if self.refused { style::BAD } else { style::TEXT };
        let field = egui::TextEdit::singleline(&mut self.text)
            .font(style::value())
            .text_color(colour)
            .align(egui::Align2::CENTER_CENTER)
            .margin(egui::Margin::symmetric(2, 0));
        let response = ui.put(place, field);
        if self.fresh {
            self.fresh = false;
            response.request_focus();
            super::text::select_all(ui, response.id, &self.text);
            return false;
        }
        if response.changed() {
            self.refused = false;
        }
        if ui.input(|input| input.key_pressed(Key::Escape)) {
            return true;
        }
        if !response.lost_focus() && response.has_focus() {
            return false;
        }
        match hands.instance.parse(self.index, &self.text) {
            Some(plain) => {
                hands.set(self.index, plain);
                true
            }
            // Enter on what is no value keeps the field; a click elsewhere gives it up.
            None if ui.input(|input| input.key_pressed(Key::Enter)) => {
                self.refused = true;
                response.request_focus();
                false
            }
            None => true,
        }
    }
}
