//! The editor's thread: waits for events, and draws a frame where something changed, at most 30 times a second.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc::Sender},
    time::{Duration, Instant},
};

use egui::{OutputCommand, Pos2, RawInput, Rect, ViewportId};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use shim_core::{HostGestures, Instance};

use crate::{
    editor::{Desk, HostWindow},
    page::{self, Page},
    raster::{Canvas, Textures, word},
    window::{Error, Input, Occurrence, Window},
};

/// Time between frames, and between looks at the instance.
const FRAME: Duration = Duration::from_millis(34);

pub struct Start {
    pub parent: u32,
    pub size: (u16, u16),
    pub scale: Option<f32>,
    pub instance: Arc<Instance>,
    pub gestures: Arc<dyn HostGestures>,
    pub host: Arc<dyn HostWindow>,
    pub desk: Arc<Desk>,
}

/// Runs until the window is closed. A panic or a broken connection closes it; the instance lives on. `opened` hears
/// when there is a window, and ends when there will be none.
pub fn run(start: Start, opened: Sender<()>) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let session = Session::open(start)?;
        // Refused when nobody waits any more.
        let _ = opened.send(());
        session.serve()
    }));
}

struct Session {
    window: Window,
    input: Input,
    canvas: Canvas,
    textures: Textures,
    context: egui::Context,
    page: Page,
    desk: Arc<Desk>,
    started: Instant,
    drawn: Instant,
    /// When egui wants its next frame, if nothing happens.
    due: Option<Instant>,
    keys: Vec<x11rb::protocol::xproto::KeyPressEvent>,
    visible: bool,
}

impl Session {
    fn open(start: Start) -> Result<Self, Error> {
        let window = Window::open(start.parent, start.size, word(page::BACKGROUND))?;
        let scale = start.scale.unwrap_or_else(|| window.desktop_scale());
        let context = egui::Context::default();
        page::dress(&context);
        let now = Instant::now();
        window.show(true)?;
        window.settle()?;
        Ok(Self {
            window,
            input: Input::new(scale),
            canvas: Canvas::default(),
            textures: Textures::default(),
            context,
            page: Page::new(start.instance, start.gestures, start.host),
            desk: start.desk,
            started: now,
            drawn: now - FRAME,
            due: Some(now),
            keys: Vec::new(),
            visible: true,
        })
    }

    fn serve(mut self) -> Result<(), Error> {
        loop {
            if self.obey()? || self.hear()? {
                return Ok(());
            }
            let now = Instant::now();
            if self.page.changed() {
                // Kept until it is drawn: this may be too soon after the last frame.
                self.due = Some(now);
            }
            let wanted = !self.input.events.is_empty() || self.due.is_some_and(|due| due <= now);
            if wanted && self.visible && now >= self.drawn + FRAME {
                self.drawn = now;
                self.frame()?;
            }
            self.wait();
        }
    }

    /// The host's orders; whether to close.
    fn obey(&mut self) -> Result<bool, Error> {
        let orders = self.desk.take();
        if let Some(scale) = orders.scale {
            self.input.scale = scale;
            self.redraw();
        }
        if let Some(size) = orders.size {
            self.window.resize(size)?;
            self.keep_look();
            self.redraw();
        }
        if let Some(visible) = orders.visible {
            self.visible = visible;
            self.window.show(visible)?;
        }
        Ok(orders.close)
    }

    /// The display's events; whether the window is gone.
    fn hear(&mut self) -> Result<bool, Error> {
        let size = self.window.size;
        while let Some(occurrence) = self.input.take(&mut self.window)? {
            match occurrence {
                Occurrence::None => {}
                Occurrence::Gone => return Ok(true),
                Occurrence::Exposed => self.redraw(),
                Occurrence::Key(key) => self.keys.push(*key),
            }
        }
        if self.window.size != size {
            self.redraw();
        }
        Ok(false)
    }

    fn redraw(&mut self) {
        self.window.forget();
        self.due = Some(Instant::now());
    }

    fn frame(&mut self) -> Result<(), Error> {
        let scale = self.input.scale * self.page.zoom();
        let raw = self.raw_input(scale);
        self.page.take_files(std::mem::take(&mut self.input.files));
        let (context, page) = (self.context.clone(), &mut self.page);
        let mut output = context.run_ui(raw, |ui| page.show(ui));
        self.textures.set(&mut output.textures_delta);
        let primitives = context.tessellate(output.shapes, output.pixels_per_point);
        let (width, height) = self.window.size;
        self.canvas.reset(width.into(), height.into(), word(page::BACKGROUND));
        self.canvas.draw(&primitives, output.pixels_per_point, &self.textures);
        self.textures.free(&mut output.textures_delta);
        self.window.present(&self.canvas)?;
        let repaint = output.viewport_output.get(&ViewportId::ROOT).map(|viewport| viewport.repaint_delay);
        // A delay that no clock can hold means never.
        self.due = repaint.and_then(|delay| self.drawn.checked_add(delay));
        self.keep_look();
        if let Some(path) = self.page.take_carried() {
            self.window.carry(&path)?;
        }
        self.platform(output.platform_output)
    }

    fn keep_look(&self) {
        let points = |pixels: u16| (f32::from(pixels) / self.input.scale).round() as u32;
        self.page.keep_look((points(self.window.size.0), points(self.window.size.1)));
    }

    fn raw_input(&mut self, scale: f32) -> RawInput {
        let (width, height) = (f32::from(self.window.size.0) / scale, f32::from(self.window.size.1) / scale);
        let mut raw = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, egui::vec2(width, height))),
            time: Some(self.started.elapsed().as_secs_f64()),
            events: self.input.take_events(scale),
            focused: self.input.focused,
            ..RawInput::default()
        };
        if let Some(viewport) = raw.viewports.get_mut(&ViewportId::ROOT) {
            viewport.native_pixels_per_point = Some(scale);
        }
        raw
    }

    fn platform(&mut self, output: egui::PlatformOutput) -> Result<(), Error> {
        self.window.set_cursor(output.cursor_icon)?;
        for command in output.commands {
            if let OutputCommand::CopyText(text) = command {
                self.window.copy(text)?;
            }
        }
        let wanted = self.context.egui_wants_keyboard_input();
        for key in self.keys.drain(..).filter(|_| !wanted) {
            self.window.pass_on(&key)?;
        }
        Ok(())
    }

    /// Until something happens, egui wants a frame, or it is time to look at the instance.
    fn wait(&self) {
        let until = match self.due {
            Some(due) if self.visible => due.clamp(self.drawn + FRAME, self.drawn + 2 * FRAME),
            _ => Instant::now() + FRAME,
        };
        let pause = until.saturating_duration_since(Instant::now()).min(FRAME);
        let pause = Timespec { tv_sec: 0, tv_nsec: pause.as_nanos() as i64 };
        let socket = self.window.socket();
        let mut sources = [PollFd::new(&socket, PollFlags::IN), PollFd::new(&self.desk.wake, PollFlags::IN)];
        // Interrupted is as good as woken: the loop looks at everything each time.
        let _ = poll(&mut sources, Some(&pause));
    }
}
