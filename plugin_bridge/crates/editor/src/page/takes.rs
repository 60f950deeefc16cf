//! Takes: what was heard, kept, compared with what is rendered now, and exported.

use std::path::PathBuf;

use egui::{Button, CursorIcon, DragValue, RichText, Sense, Ui};
use serde_json::{Value, json};
use shim_core::parameters;

use super::{
    Page,
    field::Field,
    span::{self, Span},
    style,
};

const SLOTS: [&str; 3] = ["A", "B", "C"];
/// Seconds from the start that can be typed: a day.
const FARTHEST: f64 = 86_400.0;

#[derive(Default)]
pub struct Takes {
    /// Chosen on the waveform; without one everything that was rendered is kept.
    pub span: Option<Span>,
    /// A file for the pointer to carry out of the window.
    pub carried: Option<PathBuf>,
    /// The take that the pointer has hold of, while its file is written, and under which number that was asked for.
    held: Option<(Value, Option<u64>)>,
    /// Takes whose files are there already.
    files: Vec<(Value, PathBuf)>,
    names: [Field; 3],
}

/// Every take's place in the song, by slot.
pub fn spans(document: &Value) -> Vec<(String, Span)> {
    let place = |take: &Value| {
        let (start, samples) = (take.get("start_frame")?.as_i64()?, take.get("samples")?.as_f64()?);
        let frames = samples / take.get("rate")?.as_f64().filter(|rate| *rate > 0.0)? * span::FRAMES;
        Some((take.get("slot")?.as_str()?.to_owned(), Span { start, end: start + frames.round() as i64 }))
    };
    all(document).iter().filter_map(place).collect()
}

fn all(document: &Value) -> Vec<Value> {
    document.get("takes").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn slot_of(take: &Value) -> Option<&str> {
    take.get("slot").and_then(Value::as_str)
}

pub fn show(ui: &mut Ui, page: &mut Page) {
    let takes = all(&page.document);
    style::section(ui, "Takes", |ui| {
        compare(ui, page, &takes);
        keep(ui, page);
        for (at, slot) in SLOTS.iter().enumerate() {
            if let Some(take) = takes.iter().find(|take| slot_of(take) == Some(slot)) {
                row(ui, page, at, take, &takes);
            }
        }
        hold(ui, page);
        if let Some((_, path)) = &page.asked.said {
            ui.add(egui::Label::new(RichText::new(format!("Written: {path}")).color(style::ACCENT)).wrap());
        }
    });
}

/// What is heard: the rendering, or a take in its place.
fn compare(ui: &mut Ui, page: &mut Page, takes: &[Value]) {
    let Some(index) = parameters::index_of_key("take") else { return };
    let heard = page.hands.value(index) as usize;
    ui.horizontal(|ui| {
        style::tag(ui, "Hear", 62.0);
        for (at, name) in ["Live", "A", "B", "C"].into_iter().enumerate() {
            let there = at == 0 || takes.iter().any(|take| slot_of(take) == Some(name));
            let hint = if at == 0 { "What is rendered now" } else { "This take, where it covers a window" };
            let button = Button::new(name).selected(heard == at);
            if ui.add_enabled(there || heard == at, button).on_hover_text(hint).clicked() {
                page.hands.set(index, at as f64);
            }
        }
    });
}

fn row(ui: &mut Ui, page: &mut Page, at: usize, take: &Value, takes: &[Value]) {
    let slot = SLOTS[at];
    let name = take.get("name").and_then(Value::as_str).unwrap_or("");
    let place = spans(&json!({"takes": [take]}));
    let place = place.first().map_or(String::new(), |(_, span)| range(*span));
    ui.horizontal(|ui| {
        let grip = Button::new(RichText::new(slot).color(style::WARN).strong());
        let grip = ui.add(grip.sense(Sense::drag()));
        if grip.drag_started() {
            grab(page, take);
        }
        grip.on_hover_cursor(CursorIcon::Grab).on_hover_text(format!("{place}\nDrag it into the host, or to a folder"));
        if let Some(name) = page.takes.names[at].show(ui, name, (1, 128.0), "a name")
            && !name.trim().is_empty()
        {
            page.asked.edit(json!({"takes": renamed(takes, slot, name.trim())}));
        }
        for format in ["wav", "flac"] {
            let button = ui.button(format.to_uppercase());
            if button.on_hover_text(format!("Write take {slot} as a file into the music folder")).clicked() {
                page.asked.act("export_take", json!({"slot": slot, "format": format}), Vec::new());
            }
        }
        if ui.button("×").on_hover_text(format!("Drop take {slot}; Undo brings it back")).clicked() {
            page.asked.act("drop_take", json!({"slot": slot}), Vec::new());
        }
    });
}

/// The pointer takes hold of a take: its file is written first, unless there is one.
fn grab(page: &mut Page, take: &Value) {
    if let Some((_, path)) = page.takes.files.iter().find(|(written, _)| written == take) {
        page.takes.carried = Some(path.clone());
        return;
    }
    let number = page.asked.act("export_take", json!({"slot": take.get("slot"), "format": "wav"}), Vec::new());
    page.takes.held = Some((take.clone(), number));
}

/// Hands the file over once it is written, if the button is still held.
fn hold(ui: &Ui, page: &mut Page) {
    let Some((take, number)) = page.takes.held.take() else { return };
    match &page.asked.said {
        Some((said, path)) if Some(*said) == number => {
            let path = PathBuf::from(path);
            if ui.input(|input| input.pointer.any_down()) {
                page.takes.carried = Some(path.clone());
            }
            page.takes.files.push((take, path));
        }
        _ if ui.input(|input| input.pointer.any_down()) => {
            ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
            page.takes.held = Some((take, number));
        }
        _ => {}
    }
}

fn range(span: Span) -> String {
    format!("{} to {}", span::clock(span.start), span::clock(span.end))
}

fn renamed(takes: &[Value], slot: &str, name: &str) -> Vec<Value> {
    let mut takes = takes.to_vec();
    for take in takes.iter_mut().filter(|take| slot_of(take) == Some(slot)) {
        take["name"] = json!(name);
    }
    takes
}

/// The span, and the slots that it can be kept in.
fn keep(ui: &mut Ui, page: &mut Page) {
    let rendered = page.scene.as_deref().and_then(Span::rendered);
    let (Some(span), Some(rate)) = (page.takes.span.or(rendered), page.instance.rate()) else {
        ui.label(RichText::new("What was heard can be kept here.").color(style::FAINT));
        return;
    };
    ui.horizontal(|ui| {
        style::tag(ui, "Span", 62.0)
            .on_hover_text("Drag over the waveform, or set it here; at first all that was heard");
        if let Some(span) = ends(ui, span) {
            page.takes.span = Some(span);
        }
        if page.takes.span.is_some() && ui.button("All").on_hover_text("All that was heard").clicked() {
            page.takes.span = None;
        }
    });
    ui.horizontal(|ui| {
        style::tag(ui, "Keep as", 62.0);
        for slot in SLOTS {
            if ui.button(slot).on_hover_text(format!("Keep {} as take {slot}", range(span))).clicked() {
                let (start, end) = span.samples(rate);
                page.asked.act("take", json!({"slot": slot, "start": start, "end": end}), Vec::new());
            }
        }
    });
}

/// Both ends in seconds, a window a step; the new span where one was moved.
fn ends(ui: &mut Ui, span: Span) -> Option<Span> {
    let (mut start, mut end) = (span.start as f64 / span::FRAMES, span.end as f64 / span::FRAMES);
    let field = |value: &mut f64| {
        let field = DragValue::new(value)
            .range(-FARTHEST..=FARTHEST)
            .speed(0.1)
            .fixed_decimals(1)
            .suffix(" s")
            .update_while_editing(false);
        ui.add(field).changed()
    };
    let moved: Vec<bool> = [&mut start, &mut end].into_iter().map(field).collect();
    let (start, end) = (start * span::FRAMES, end * span::FRAMES);
    moved.contains(&true).then(|| Span::between(start.min(end), end.max(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(slot: &str, start: i64) -> Value {
        json!({"slot": slot, "name": "x", "start_frame": start, "samples": 88_200, "rate": 44_100, "more": 1})
    }

    #[test]
    fn a_take_is_shown_where_it_lies_and_what_is_no_take_is_not() {
        let document = json!({"takes": [take("A", -10), {"slot": "B"}, 3, {"slot": "C", "rate": 0, "samples": 1, "start_frame": 1}]});
        assert_eq!(spans(&document), [("A".to_owned(), Span { start: -10, end: 40 })]);
        assert!(spans(&json!({})).is_empty());
    }

    #[test]
    fn another_name_leaves_everything_else_as_it_was() {
        let takes = renamed(&[take("A", 0), take("B", 5)], "B", "chorus");
        assert_eq!(takes[0], take("A", 0));
        assert_eq!((&takes[1]["name"], &takes[1]["more"]), (&json!("chorus"), &json!(1)));
    }
}
