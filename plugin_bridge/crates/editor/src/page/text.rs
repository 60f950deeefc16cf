//! Text that fits its place.

use egui::{FontId, Id, Ui, text::CCursor, text_selection::CCursorRange};

/// `text`, or its beginning and an ellipsis, at most `width` points wide.
pub fn fit(ui: &Ui, text: &str, width: f32, size: f32) -> String {
    let measure = |text: &str| {
        let font = FontId::proportional(size);
        ui.painter().layout_no_wrap(text.to_owned(), font, egui::Color32::WHITE).size().x
    };
    if measure(text) <= width {
        return text.to_owned();
    }
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let fitting = ends.partition_point(|&end| measure(&format!("{}…", &text[..end])) <= width);
    format!("{}…", text[..ends[fitting.saturating_sub(1)]].trim_end())
}

/// Selects a field's whole text.
pub fn select_all(ui: &Ui, id: Id, text: &str) {
    let mut state = egui::TextEdit::load_state(ui.ctx(), id).unwrap_or_default();
    let range = CCursorRange::two(CCursor::new(0), CCursor::new(text.chars().count()));
    state.cursor.set_char_range(Some(range));
    egui::TextEdit::store_state(ui.ctx(), id, state);
}
