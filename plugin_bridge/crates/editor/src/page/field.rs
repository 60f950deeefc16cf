//! A text of the document that the user edits.

use egui::{Key, TextEdit, Ui};

use super::style;

/// Longest text that is typed here, in characters: far more than the text encoder reads.
const LONGEST: usize = 4000;

/// What is typed until it is sent, else what the document says. It is sent by Enter, and when the field or the window
/// loses the keyboard; [`Field::unsent`] is what a window that closes must send.
#[derive(Default)]
pub struct Field {
    text: String,
    held: bool,
}

impl Field {
    /// Shows `rows` lines, `width` points wide; the new text when there is one to send.
    pub fn show(&mut self, ui: &mut Ui, current: &str, (rows, width): (usize, f32), hint: &str) -> Option<String> {
        if !self.held && self.text != current {
            current.clone_into(&mut self.text);
        }
        let unsent = self.text != current;
        let field = TextEdit::multiline(&mut self.text)
            .desired_rows(rows)
            .desired_width(width)
            .hint_text(hint.to_owned())
            .text_color(if unsent { style::WARN } else { style::TEXT })
            .char_limit(LONGEST)
            .return_key(None);
        let response = ui.add(field);
        let sent = response.has_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if sent {
            response.surrender_focus();
        }
        // A field of a window that lost the keyboard has no focus, and does not say that it lost it.
        let held = response.has_focus() && !sent;
        let left = std::mem::replace(&mut self.held, held) && !held;
        ((left || response.lost_focus()) && self.text != current).then(|| self.text.clone())
    }

    /// What is typed and not in the document yet.
    pub fn unsent(&self, current: &str) -> Option<&str> {
        (self.held && self.text != current).then_some(self.text.as_str())
    }
}
