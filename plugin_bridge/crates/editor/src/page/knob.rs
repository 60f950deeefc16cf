//! A parameter as a knob, a switch or a menu, with its title and its value.

use egui::{
    Align2, ComboBox, CursorIcon, EventFilter, Key, Rect, Response, Role, Sense, Ui, UiBuilder, WidgetInfo, vec2,
};
use shim_core::parameters::{self, Curve, Parameter, Text};

use super::{dial, hands::Hands, style, typing::Typing};

/// Points of a drag from one end of the range to the other.
const TRAVEL: f64 = 220.0;
/// With shift everything moves this much less.
const FINE: f64 = 0.1;
/// One arrow key, and one page key, as parts of the range.
const STEP: f64 = 0.01;
const PAGE: f64 = 0.1;

/// Eight beside each other in a window of the first size.
const CELL: egui::Vec2 = vec2(86.0, 106.0);
/// Room for a title of two lines.
const TITLE: f32 = 32.0;

#[derive(Default)]
pub struct Knobs {
    /// The value that the user types.
    typing: Option<Typing>,
    /// The parameter whose menu is open.
    open: Option<usize>,
    /// Where the last frame had its dials.
    #[cfg(test)]
    places: std::collections::HashMap<usize, Rect>,
    #[cfg(test)]
    pub focused: Option<usize>,
}

impl Knobs {
    /// One cell with parameter `index`.
    pub fn show(&mut self, ui: &mut Ui, hands: &mut Hands, index: usize) {
        let parameter = &parameters::table()[index];
        let (cell, _) = ui.allocate_exact_size(CELL, Sense::hover());
        dial::title(ui, cell.center_top() + vec2(0.0, TITLE), CELL.x - 4.0, &hands.instance.title(index));
        let place = Rect::from_center_size(cell.center_top() + vec2(0.0, TITLE + 26.0), vec2(CELL.x, 48.0));
        if has_menu(parameter) {
            return self.menu(ui, hands, index, place);
        }
        let id = ui.scope_id().with(("parameter", parameter.id));
        let response = ui.interact(place, id, Sense::click_and_drag());
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
            Text::Switch => dial::switch(ui, place, hands.value(index) >= 0.5, &response),
            _ => dial::dial(ui, place.center(), parameter, hands.value(index), &response),
        }
        let place = Rect::from_center_size(cell.center_bottom() - vec2(0.0, 13.0), vec2(CELL.x - 4.0, 18.0));
        self.value(ui, hands, index, place, &text);
        response.on_hover_text(hint(parameter));
    }

    /// A parameter whose values have names: a menu of them, and the arrow keys as on a dial.
    fn menu(&mut self, ui: &mut Ui, hands: &mut Hands, index: usize, place: Rect) {
        let parameter = &parameters::table()[index];
        let place = Rect::from_center_size(place.center(), vec2(CELL.x - 8.0, 24.0));
        let mut ui = ui.new_child(UiBuilder::new().max_rect(place).id_salt(("choice", parameter.id)));
        ui.spacing_mut().button_padding.x = 5.0;
        ui.spacing_mut().icon_width = 9.0;
        let current = hands.value(index);
        let text = hands.instance.display(index, current);
        let menu = ComboBox::from_id_salt("menu").width(place.width()).truncate().selected_text(text);
        let shown = menu.show_ui(&mut ui, |ui| {
            ui.set_min_width(120.0);
            let values = (0..=parameter.steps.unwrap_or(0)).map(|step| parameter.min + f64::from(step));
            let chosen = values.filter(|plain| {
                ui.selectable_label(*plain == current, hands.instance.display(index, *plain)).clicked()
            });
            chosen.last()
        });
        #[cfg(test)]
        self.note(index, &shown.response);
        let closed = self.open == Some(index) && shown.inner.is_none();
        if shown.response.clicked() || closed {
            // So that Tab leads into the menu, and afterwards the arrow keys are its own.
            shown.response.request_focus();
        }
        if closed || shown.inner.is_some() {
            self.open = Some(index).filter(|_| !closed);
        }
        match shown.inner {
            Some(Some(plain)) => hands.set(index, plain),
            Some(None) => {}
            None => self.press(&ui, hands, index, &shown.response),
        }
        shown.response.on_hover_text(hint(parameter));
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
        dial::fader(ui, place, parameter.normalise(hands.value(index)) as f32, &response);
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
            if parameter.text == Text::Switch {
                hands.set(index, if hands.value(index) >= 0.5 { 0.0 } else { 1.0 });
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
            let enter = input.key_pressed(Key::Enter) && parameter.text != Text::Switch && !has_menu(parameter);
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
        self.typing = Some(Typing::new(index, shown(hands, index)));
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

/// The value with its unit.
fn shown(hands: &Hands, index: usize) -> String {
    let unit = parameters::table()[index].unit;
    let gap = if unit.is_empty() { "" } else { " " };
    format!("{}{gap}{unit}", hands.instance.display(index, hands.value(index)))
}

fn has_menu(parameter: &Parameter) -> bool {
    matches!(parameter.text, Text::Choice | Text::Prompt) && parameter.curve != Curve::Status
}

fn hint(parameter: &Parameter) -> String {
    let what = match parameter.curve {
        Curve::Status => "shown by the plugin",
        _ if has_menu(parameter) => "click, or arrow keys",
        _ if parameter.automatable => "drag, arrow keys or Enter; double click for the default",
        _ => "set by hand, not automatable; double click for the default",
    };
    format!("{}: {what}", parameter.name)
}
