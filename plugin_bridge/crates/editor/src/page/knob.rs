//! A parameter as a knob, a switch or a choice, with its title and its value.

use egui::{
    Align2, CursorIcon, EventFilter, Key, Pos2, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};
use shim_core::parameters::{self, Curve, Parameter, Text};

use super::{hands::Hands, style};

/// Points of a drag from one end of the range to the other.
const TRAVEL: f64 = 220.0;
/// With shift everything moves this much less.
const FINE: f64 = 0.1;
/// One arrow key, and one page key, as parts of the range.
const STEP: f64 = 0.01;
const PAGE: f64 = 0.1;

pub const CELL: egui::Vec2 = vec2(84.0, 92.0);
const RADIUS: f32 = 20.0;
/// The scale's arc: 270 degrees with the gap at the bottom.
const FROM: f32 = 0.75 * std::f32::consts::PI;
const SWEEP: f32 = 1.5 * std::f32::consts::PI;

/// The value that the user types.
#[derive(Default)]
pub struct Knobs {
    typing: Option<Typing>,
    /// Where the last frame had its dials.
    #[cfg(test)]
    places: std::collections::HashMap<usize, Rect>,
    #[cfg(test)]
    pub focused: Option<usize>,
}

struct Typing {
    index: usize,
    text: String,
    refused: bool,
    /// The field has not had the focus yet.
    fresh: bool,
}

impl Knobs {
    /// One cell with parameter `index`.
    pub fn show(&mut self, ui: &mut Ui, hands: &mut Hands, index: usize) {
        let parameter = &parameters::table()[index];
        let (cell, _) = ui.allocate_exact_size(CELL, Sense::hover());
        let title = super::text::fit(ui, &hands.instance.title(index), CELL.x - 4.0, 11.5);
        ui.painter().text(cell.center_top() + vec2(0.0, 4.0), Align2::CENTER_TOP, title, style::small(), style::FAINT);
        let dial = Rect::from_center_size(cell.center_top() + vec2(0.0, 44.0), vec2(CELL.x, 48.0));
        let id = ui.scope_id().with(("parameter", parameter.id));
        let response = ui.interact(dial, id, Sense::click_and_drag());
        #[cfg(test)]
        self.note(index, &response);
        let text = shown(hands, index);
        response.widget_info(|| {
            let role = if parameter.text == Text::Switch { Role::CheckBox } else { Role::Slider };
            WidgetInfo { value: Some(hands.value(index)), ..WidgetInfo::labeled(role, true, parameter.name) }
        });
        if parameter.curve != Curve::Status {
            self.point(ui, hands, index, &response, TRAVEL);
            self.press(ui, hands, index, &response);
        }
        match parameter.text {
            Text::Switch => draw_switch(ui, dial, hands.value(index) >= 0.5, &response),
            _ => draw_dial(ui, dial.center(), parameter, hands.value(index), &response),
        }
        let place = Rect::from_center_size(cell.center_bottom() - vec2(0.0, 13.0), vec2(CELL.x - 4.0, 18.0));
        self.value(ui, hands, index, place, &text);
        response.on_hover_text(hint(parameter));
    }

    #[cfg(test)]
    fn note(&mut self, index: usize, response: &Response) {
        self.places.insert(index, response.rect);
        if response.has_focus() {
            self.focused = Some(index);
        }
    }

    #[cfg(test)]
    pub fn place(&self, index: usize) -> Option<Rect> {
        self.places.get(&index).copied()
    }

    /// The parameter as a slider of one line.
    pub fn fader(&mut self, ui: &mut Ui, hands: &mut Hands, index: usize, width: f32) {
        let parameter = &parameters::table()[index];
        let (place, _) = ui.allocate_exact_size(vec2(width.max(40.0), 20.0), Sense::hover());
        let id = ui.scope_id().with(("fader", parameter.id));
        let response = ui.interact(place, id, Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::slider(true, hands.value(index), parameter.name));
        self.point(ui, hands, index, &response, f64::from(place.width() - 12.0));
        self.press(ui, hands, index, &response);
        draw_fader(ui, place, parameter.normalise(hands.value(index)) as f32, &response);
        response.on_hover_text(hint(parameter));
    }

    /// What the pointer does with a dial or a fader: `travel` points are its whole range.
    fn point(&mut self, ui: &Ui, hands: &mut Hands, index: usize, response: &Response, travel: f64) {
        let parameter = &parameters::table()[index];
        let modifiers = ui.input(|input| input.modifiers);
        if response.drag_started() {
            response.request_focus();
            hands.take(index);
        }
        if response.dragged() && hands.holds(index) {
            let moved = response.drag_delta();
            let part = f64::from(moved.x - moved.y) / travel;
            hands.move_by(part * if modifiers.shift { FINE } else { 1.0 });
            ui.ctx().set_cursor_icon(CursorIcon::ResizeVertical);
        }
        if hands.holds(index) && !ui.input(|input| input.pointer.any_down()) {
            hands.release();
        }
        if response.double_clicked() || (response.clicked() && modifiers.command) {
            hands.set(index, parameter.default);
        } else if response.clicked() {
            response.request_focus();
            match parameter.text {
                Text::Switch => hands.set(index, if hands.value(index) >= 0.5 { 0.0 } else { 1.0 }),
                Text::Choice => hands.set(index, next(parameter, hands.value(index))),
                _ => {}
            }
        } else if response.secondary_clicked() {
            self.type_into(hands, index);
        }
    }

    /// What the keyboard does with a dial that has the focus.
    fn press(&mut self, ui: &Ui, hands: &mut Hands, index: usize, response: &Response) {
        if !response.has_focus() {
            return;
        }
        let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        let parameter = &parameters::table()[index];
        let (part, target, typed) = ui.input(|input| {
            let times = |key| input.num_presses(key) as f64;
            let steps = times(Key::ArrowUp) + times(Key::ArrowRight) - times(Key::ArrowDown) - times(Key::ArrowLeft);
            let pages = times(Key::PageUp) - times(Key::PageDown);
            let single = parameter.steps.map_or(STEP, |count| 1.0 / f64::from(count));
            let fine = if input.modifiers.shift && parameter.steps.is_none() { FINE } else { 1.0 };
            let target = if input.key_pressed(Key::Home) {
                Some(parameter.min)
            } else if input.key_pressed(Key::End) {
                Some(parameter.max)
            } else {
                let back = input.key_pressed(Key::Delete) || input.key_pressed(Key::Backspace);
                back.then_some(parameter.default)
            };
            let enter = input.key_pressed(Key::Enter) && !matches!(parameter.text, Text::Switch | Text::Choice);
            ((steps * single * fine) + pages * PAGE.max(single), target, enter)
        });
        if let Some(target) = target {
            hands.set(index, target);
        } else if part != 0.0 {
            let normal = parameter.normalise(hands.value(index)) + part;
            hands.set(index, parameter.plain(normal.clamp(0.0, 1.0)));
        } else if typed {
            self.type_into(hands, index);
        }
    }

    fn type_into(&mut self, hands: &Hands, index: usize) {
        self.typing = Some(Typing { index, text: shown(hands, index), refused: false, fresh: true });
    }

    /// The value below the dial, which turns into a field when it is clicked.
    fn value(&mut self, ui: &mut Ui, hands: &mut Hands, index: usize, place: Rect, text: &str) {
        match &mut self.typing {
            Some(typing) if typing.index == index => {
                if typing.show(ui, hands, place) {
                    self.typing = None;
                }
            }
            _ => {
                let id = ui.scope_id().with(("value", parameters::table()[index].id));
                // Reached by Enter on the dial: a second stop for the tab key would double the way through the page.
                let response = ui.interact(place, id, Sense::CLICK);
                let colour = if response.hovered() { style::ACCENT } else { style::TEXT };
                let text = super::text::fit(ui, text, place.width(), 12.0);
                ui.painter().text(place.center(), Align2::CENTER_CENTER, text, style::value(), colour);
                if response.clicked() && parameters::table()[index].curve != Curve::Status {
                    self.type_into(hands, index);
                }
            }
        }
    }
}

impl Typing {
    /// Whether typing is over.
    fn show(&mut self, ui: &mut Ui, hands: &mut Hands, place: Rect) -> bool {
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

/// The value with its unit.
fn shown(hands: &Hands, index: usize) -> String {
    let unit = parameters::table()[index].unit;
    let gap = if unit.is_empty() { "" } else { " " };
    format!("{}{gap}{unit}", hands.instance.display(index, hands.value(index)))
}

fn next(parameter: &Parameter, plain: f64) -> f64 {
    if plain >= parameter.max { parameter.min } else { plain + 1.0 }
}

fn hint(parameter: &Parameter) -> String {
    let what = match parameter.curve {
        Curve::Status => "shown by the plugin",
        _ if parameter.automatable => "drag, arrow keys or Enter; double click for the default",
        _ => "set by hand, not automatable; double click for the default",
    };
    format!("{}: {what}", parameter.name)
}

fn on_arc(centre: Pos2, radius: f32, part: f32) -> Pos2 {
    let angle = FROM + SWEEP * part;
    pos2(centre.x + radius * angle.cos(), centre.y + radius * angle.sin())
}

fn arc(ui: &Ui, centre: Pos2, radius: f32, (from, to): (f32, f32), stroke: Stroke) {
    // A point every few degrees: finer than a pixel at twice this size.
    let count = (((to - from).abs() * 64.0).ceil() as usize).max(1);
    let points = (0..=count).map(|step| on_arc(centre, radius, from + (to - from) * step as f32 / count as f32));
    ui.painter().line(points.collect(), stroke);
}

fn draw_dial(ui: &Ui, centre: Pos2, parameter: &Parameter, plain: f64, response: &Response) {
    let part = parameter.normalise(plain) as f32;
    let zero = ((0.0 - parameter.min) / (parameter.max - parameter.min)).clamp(0.0, 1.0) as f32;
    let live = parameter.curve != Curve::Status;
    let colour = if live { style::ACCENT } else { style::FAINT };
    arc(ui, centre, RADIUS, (0.0, 1.0), Stroke::new(3.5, style::TRACK));
    if (part - zero).abs() > 0.002 {
        arc(ui, centre, RADIUS, (zero.min(part), zero.max(part)), Stroke::new(3.5, colour));
    }
    let body = if response.hovered() || response.dragged() { style::RAISED_HOVER } else { style::RAISED };
    ui.painter().circle_filled(centre, RADIUS - 5.0, body);
    let needle = [on_arc(centre, RADIUS - 12.0, part), on_arc(centre, RADIUS - 6.0, part)];
    ui.painter().line_segment(needle, Stroke::new(2.0, style::TEXT));
    if response.has_focus() {
        ui.painter().circle_stroke(centre, RADIUS + 3.5, Stroke::new(1.5, style::TEXT));
    }
}

fn draw_fader(ui: &Ui, place: Rect, part: f32, response: &Response) {
    let rail = Rect::from_center_size(place.center(), vec2(place.width() - 12.0, 4.0));
    let x = rail.left() + rail.width() * part;
    ui.painter().rect_filled(rail, 2.0, style::TRACK);
    ui.painter().rect_filled(Rect::from_min_max(rail.min, pos2(x, rail.bottom())), 2.0, style::ACCENT);
    ui.painter().circle_filled(pos2(x, rail.center().y), 6.0, style::TEXT);
    if response.has_focus() {
        ui.painter().circle_stroke(pos2(x, rail.center().y), 8.5, Stroke::new(1.5, style::TEXT));
    }
}

fn draw_switch(ui: &Ui, dial: Rect, on: bool, response: &Response) {
    let track = Rect::from_center_size(dial.center(), vec2(40.0, 20.0));
    let fill = if on { style::ACCENT } else { style::TRACK };
    ui.painter().rect_filled(track, 10.0, fill);
    let place = if on { track.right() - 10.0 } else { track.left() + 10.0 };
    let thumb = if on { style::BASE } else { style::TEXT };
    ui.painter().circle_filled(pos2(place, track.center().y), 7.0, thumb);
    if response.has_focus() {
        let ring = Stroke::new(1.5, style::TEXT);
        ui.painter().rect_stroke(track.expand(3.0), 13.0, ring, egui::StrokeKind::Outside);
    }
}
