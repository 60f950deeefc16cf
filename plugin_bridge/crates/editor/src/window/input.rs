//! Events of X as egui's.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use egui::{Event as Egui, MouseWheelUnit, PointerButton, Pos2, TouchPhase, Vec2};
use x11rb::protocol::{Event, xproto::*};

use super::{Error, Window, keyboard, keyboard::Keyboard};

/// A window manager tells the host of a click too, and the host (Ardour 7.3) then takes the keyboard a moment after us.
const CONTEST: Duration = Duration::from_millis(500);

/// What the window has to do itself.
pub enum Occurrence {
    /// Nothing that a new frame would not show.
    None,
    /// The window is gone: closed by the host or with its parent.
    Gone,
    /// What is shown is lost.
    Exposed,
    /// A key, to be passed on where no widget wants it.
    Key(Box<KeyPressEvent>),
}

/// What came in since the last frame.
#[derive(Default)]
pub struct Input {
    pub events: Vec<Egui>,
    pub files: Vec<PathBuf>,
    pub focused: bool,
    /// The last press of a button, while the pointer has not left since.
    pressed: Option<Instant>,
    /// Pixels a point, as the host or the desktop has it.
    pub scale: f32,
}

impl Input {
    pub fn new(scale: f32) -> Self {
        Self { scale, ..Self::default() }
    }

    /// What came in, places in points of `scale` pixels each.
    pub fn take_events(&mut self, scale: f32) -> Vec<Egui> {
        let mut events = std::mem::take(&mut self.events);
        for event in &mut events {
            if let Egui::PointerMoved(place) | Egui::PointerButton { pos: place, .. } = event {
                *place = Pos2::new(place.x / scale, place.y / scale);
            }
        }
        events
    }

    /// The next event that is there; none when all were taken.
    ///
    /// # Errors
    /// [`Error`] when the connection broke.
    pub fn take(&mut self, window: &mut Window) -> Result<Option<Occurrence>, Error> {
        let Some(event) = window.next()? else { return Ok(None) };
        Ok(Some(self.hear(window, event)?))
    }

    fn hear(&mut self, window: &mut Window, event: Event) -> Result<Occurrence, Error> {
        match event {
            Event::KeyPress(key) | Event::KeyRelease(key) => return self.key(window, key),
            Event::ButtonPress(button) => {
                self.pressed = Some(Instant::now());
                window.take_focus()?;
                self.button(&button, true);
            }
            Event::ButtonRelease(button) => {
                window.carried_off(button.time)?;
                self.button(&button, false);
            }
            Event::MotionNotify(motion) => {
                window.carried_to((motion.root_x, motion.root_y), motion.time)?;
                self.moved(motion.event_x, motion.event_y);
            }
            // A button that is held keeps the pointer: a knob is dragged beyond the window's edge.
            Event::LeaveNotify(leave) if leave.mode == NotifyMode::NORMAL => {
                self.pressed = None;
                self.events.push(Egui::PointerGone);
            }
            Event::FocusIn(_) => self.focus(true),
            Event::FocusOut(_) if self.pressed.is_some_and(|at| at.elapsed() < CONTEST) => window.take_focus()?,
            Event::FocusOut(_) => self.focus(false),
            Event::ConfigureNotify(configured) => window.size = (configured.width.max(1), configured.height.max(1)),
            Event::Expose(_) => return Ok(Occurrence::Exposed),
            Event::DestroyNotify(_) => return Ok(Occurrence::Gone),
            Event::MappingNotify(_) => window.keyboard = Keyboard::read(&window.connection)?,
            Event::SelectionRequest(request) => window.offer(&request)?,
            Event::SelectionNotify(notice) => self.selected(window, &notice)?,
            Event::ClientMessage(message) => {
                if let Some((x, y)) = window.dragged(&message)? {
                    self.moved(x, y);
                }
            }
            // An error of X about a window or a property of another program; our own window's end has its own event.
            _ => {}
        }
        Ok(Occurrence::None)
    }

    fn focus(&mut self, focused: bool) {
        self.focused = focused;
        self.events.push(Egui::WindowFocused(focused));
    }

    fn moved(&mut self, x: i16, y: i16) {
        self.events.push(Egui::PointerMoved(place(x, y)));
    }

    fn button(&mut self, event: &ButtonPressEvent, pressed: bool) {
        let (pos, modifiers) = (place(event.event_x, event.event_y), keyboard::modifiers(event.state));
        let button = match event.detail {
            1 => PointerButton::Primary,
            2 => PointerButton::Middle,
            3 => PointerButton::Secondary,
            wheel @ 4..=7 => {
                let step = [Vec2::Y, -Vec2::Y, Vec2::X, -Vec2::X][usize::from(wheel - 4)];
                if pressed {
                    let (unit, phase) = (MouseWheelUnit::Line, TouchPhase::Move);
                    let source = egui::MouseWheelSource::Unknown;
                    self.events.push(Egui::MouseWheel { unit, delta: step, phase, source, modifiers });
                }
                return;
            }
            _ => return,
        };
        self.events.push(Egui::PointerMoved(pos));
        self.events.push(Egui::PointerButton { pos, button, pressed, modifiers });
    }

    fn key(&mut self, window: &mut Window, event: KeyPressEvent) -> Result<Occurrence, Error> {
        let pressed = event.response_type & 0x7f == KEY_PRESS_EVENT;
        let modifiers = keyboard::modifiers(event.state);
        let Some(symbol) = window.keyboard.symbol(event.detail, event.state) else { return Ok(Occurrence::None) };
        let key = keyboard::key(symbol);
        if let (true, true, Some(key)) = (pressed, modifiers.ctrl, key) {
            match key {
                egui::Key::C => self.events.push(Egui::Copy),
                egui::Key::X => self.events.push(Egui::Cut),
                egui::Key::V => window.ask_clipboard(event.time)?,
                _ => {}
            }
        }
        if let Some(key) = key {
            self.events.push(Egui::Key { key, physical_key: None, pressed, repeat: false, modifiers });
        }
        if let Some(text) = keyboard::text(symbol, modifiers).filter(|_| pressed) {
            self.events.push(Egui::Text(text));
        }
        Ok(Occurrence::Key(Box::new(event)))
    }

    fn selected(&mut self, window: &mut Window, notice: &SelectionNotifyEvent) -> Result<(), Error> {
        let text = window.answer(notice)?;
        if notice.selection == window.atoms.XdndSelection {
            self.files.extend(window.dropped(text.as_deref())?);
        } else if let Some(text) = text {
            self.events.push(Egui::Paste(text));
        }
        Ok(())
    }
}

/// In pixels; [`Input::take_events`] makes them points.
fn place(x: i16, y: i16) -> Pos2 {
    Pos2::new(f32::from(x), f32::from(y))
}
