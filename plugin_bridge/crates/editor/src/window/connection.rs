//! The connection and the one window on it. An error of X is this connection's alone: it ends the window, never the
//! host, whose own connection and error handler are not involved.

use std::{fmt, os::fd::AsFd};

use egui::CursorIcon;
use x11rb::{
    connection::Connection,
    protocol::{Event, xproto::*},
    rust_connection::RustConnection,
    wrapper::ConnectionExt as _,
};

use super::{carry::Carry, clipboard::Clipboard, drop::Drop, keyboard::Keyboard};
use crate::raster::Canvas;

x11rb::atom_manager! {
    /// Every atom that this crate names.
    pub Atoms: AtomsCookie {
        _XEMBED_INFO,
        CLIPBOARD,
        TARGETS,
        UTF8_STRING,
        DEMON_SELECTION,
        XdndAware,
        XdndEnter,
        XdndLeave,
        XdndPosition,
        XdndStatus,
        XdndDrop,
        XdndFinished,
        XdndSelection,
        XdndActionCopy,
        TEXT_URI_LIST: b"text/uri-list",
    }
}

/// Why there is no window, or none any more.
#[derive(Debug)]
pub struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

macro_rules! becomes_error {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Error {
            fn from(error: $kind) -> Self {
                Self(error.to_string())
            }
        }
    )*};
}
becomes_error!(
    x11rb::errors::ConnectError,
    x11rb::errors::ConnectionError,
    x11rb::errors::ReplyError,
    x11rb::errors::ReplyOrIdError
);

/// Pixels of one PutImage stay below this many bytes: every server takes 256 KiB.
const MAX_IMAGE: usize = 240 << 10;

pub struct Window {
    pub(super) connection: RustConnection,
    pub(super) id: u32,
    parent: u32,
    context: u32,
    depth: u8,
    pub(super) atoms: Atoms,
    pub(super) keyboard: Keyboard,
    pub(super) clipboard: Clipboard,
    pub(super) drop: Drop,
    pub(super) carry: Carry,
    /// Physical pixels.
    pub size: (u16, u16),
    /// What the server shows, to send only what differs.
    shown: Vec<u32>,
    cursor: CursorIcon,
}

impl Window {
    /// A window of `size` physical pixels inside `parent`, not shown yet.
    ///
    /// # Errors
    /// [`Error`] without a display, without the parent, or on a screen that is not of 24 or 32 bits.
    pub fn open(parent: u32, size: (u16, u16), background: u32) -> Result<Self, Error> {
        let (connection, _) = RustConnection::connect(None)?;
        let atoms = Atoms::new(&connection)?.reply()?;
        let keyboard = Keyboard::read(&connection)?;
        let depth = connection.get_geometry(parent)?.reply()?.depth;
        let little = connection.setup().image_byte_order == ImageOrder::LSB_FIRST;
        if !matches!(depth, 24 | 32) || !little {
            return Err(Error(format!("a screen of {depth} bits: the editor needs one of 24 or 32")));
        }
        let (id, context) = (connection.generate_id()?, connection.generate_id()?);
        let (width, height) = (size.0.max(1), size.1.max(1));
        let values = CreateWindowAux::new()
            .background_pixel(background)
            // What is shown stays where it is until the next frame.
            .bit_gravity(Gravity::NORTH_WEST)
            .event_mask(events());
        let class = WindowClass::INPUT_OUTPUT;
        connection
            .create_window(depth, id, parent, 0, 0, width, height, 0, class, x11rb::COPY_FROM_PARENT, &values)?
            .check()?;
        connection.create_gc(context, id, &CreateGCAux::new().graphics_exposures(0))?;
        // XEMBED version 0, wishes to be mapped; and XDND version 5.
        connection.change_property32(PropMode::REPLACE, id, atoms._XEMBED_INFO, atoms._XEMBED_INFO, &[0, 1])?;
        connection.change_property32(PropMode::REPLACE, id, atoms.XdndAware, AtomEnum::ATOM, &[5])?;
        connection.flush()?;
        Ok(Self {
            connection,
            id,
            parent,
            context,
            depth,
            atoms,
            keyboard,
            clipboard: Clipboard::default(),
            drop: Drop::default(),
            carry: Carry::default(),
            size: (width, height),
            shown: Vec::new(),
            cursor: CursorIcon::Default,
        })
    }

    /// The screen's points are this many pixels, as the desktop has it set; 1 where it does not say.
    pub fn desktop_scale(&self) -> f32 {
        let database = x11rb::resource_manager::new_from_resource_manager(&self.connection).ok().flatten();
        let dots = database.and_then(|database| database.get_value::<f32>("Xft.dpi", "").ok().flatten());
        // 96 dots an inch is what X calls unscaled.
        dots.filter(|dots| dots.is_finite()).map_or(1.0, |dots| (dots / 96.0).clamp(1.0, 3.0))
    }

    pub fn show(&self, visible: bool) -> Result<(), Error> {
        if visible {
            self.connection.map_window(self.id)?
        } else {
            self.connection.unmap_window(self.id)?
        };
        Ok(self.connection.flush()?)
    }

    /// Until the server has done everything that was asked.
    pub fn settle(&self) -> Result<(), Error> {
        Ok(self.connection.sync()?)
    }

    pub fn resize(&mut self, size: (u16, u16)) -> Result<(), Error> {
        let size = (size.0.max(1), size.1.max(1));
        let values = ConfigureWindowAux::new().width(u32::from(size.0)).height(u32::from(size.1));
        self.connection.configure_window(self.id, &values)?;
        self.size = size;
        Ok(self.connection.flush()?)
    }

    /// What to wait on beside wake-ups.
    pub fn socket(&self) -> impl AsFd + '_ {
        self.connection.stream()
    }

    /// The next event that is there already.
    pub(super) fn next(&self) -> Result<Option<Event>, Error> {
        Ok(self.connection.poll_for_event()?)
    }

    /// Forgets what the server shows: the next frame is sent whole.
    pub fn forget(&mut self) {
        self.shown.clear();
    }

    /// Shows a canvas of the window's size; sends the rows that differ from what is shown.
    pub fn present(&mut self, canvas: &Canvas) -> Result<(), Error> {
        let (width, rows) = (canvas.width, canvas.height);
        let whole = self.shown.len() != canvas.pixels.len();
        let differs = |row: usize| {
            let run = row * width..(row + 1) * width;
            whole || self.shown[run.clone()] != canvas.pixels[run]
        };
        let most = (MAX_IMAGE / (width * 4).max(1)).max(1);
        let mut row = 0;
        while row < rows {
            if !differs(row) {
                row += 1;
                continue;
            }
            let first = row;
            while row < rows && row - first < most && differs(row) {
                row += 1;
            }
            self.put(width, first, &canvas.pixels[first * width..row * width])?;
        }
        self.shown.clone_from(&canvas.pixels);
        Ok(self.connection.flush()?)
    }

    fn put(&self, width: usize, first: usize, pixels: &[u32]) -> Result<(), Error> {
        let bytes: Vec<u8> = pixels.iter().flat_map(|pixel| pixel.to_le_bytes()).collect();
        let (columns, rows) = (width as u16, (pixels.len() / width) as u16);
        let (id, context) = (self.id, self.context);
        self.connection.put_image(
            ImageFormat::Z_PIXMAP,
            id,
            context,
            columns,
            rows,
            0,
            first as i16,
            0,
            self.depth,
            &bytes,
        )?;
        Ok(())
    }

    /// Takes the keyboard; an embedded window gets it from nobody else.
    ///
    /// Not at the time of the click that asked for it: the window manager may have given it to the host at that time.
    pub fn take_focus(&self) -> Result<(), Error> {
        self.connection.set_input_focus(InputFocus::PARENT, self.id, x11rb::CURRENT_TIME)?;
        Ok(self.connection.flush()?)
    }

    /// Gives a key that nothing here wanted to the host, which starts its transport with the space bar.
    pub fn pass_on(&self, event: &KeyPressEvent) -> Result<(), Error> {
        let passed = KeyPressEvent { event: self.parent, child: x11rb::NONE, ..*event };
        let mask = if event.response_type == KEY_PRESS_EVENT { EventMask::KEY_PRESS } else { EventMask::KEY_RELEASE };
        self.connection.send_event(true, self.parent, mask, passed)?;
        Ok(self.connection.flush()?)
    }

    pub fn set_cursor(&mut self, icon: CursorIcon) -> Result<(), Error> {
        if icon == self.cursor {
            return Ok(());
        }
        self.cursor = icon;
        // Glyphs of X's own cursor font, which every server has.
        let glyph: u16 = match icon {
            CursorIcon::Text => 152,
            CursorIcon::PointingHand => 60,
            CursorIcon::ResizeVertical | CursorIcon::ResizeNorth | CursorIcon::ResizeSouth => 116,
            CursorIcon::ResizeHorizontal | CursorIcon::ResizeColumn => 108,
            CursorIcon::Grab | CursorIcon::Grabbing => 52,
            _ => 68,
        };
        let (font, cursor) = (self.connection.generate_id()?, self.connection.generate_id()?);
        self.connection.open_font(font, b"cursor")?;
        let (black, white) = (0, u16::MAX);
        self.connection.create_glyph_cursor(
            cursor,
            font,
            font,
            glyph,
            glyph + 1,
            white,
            white,
            white,
            black,
            black,
            black,
        )?;
        let values = ChangeWindowAttributesAux::new().cursor(cursor);
        self.connection.change_window_attributes(self.id, &values)?;
        self.connection.free_cursor(cursor)?;
        self.connection.close_font(font)?;
        Ok(self.connection.flush()?)
    }
}

fn events() -> EventMask {
    EventMask::EXPOSURE
        | EventMask::STRUCTURE_NOTIFY
        | EventMask::BUTTON_PRESS
        | EventMask::BUTTON_RELEASE
        | EventMask::POINTER_MOTION
        | EventMask::LEAVE_WINDOW
        | EventMask::FOCUS_CHANGE
        | EventMask::KEY_PRESS
        | EventMask::KEY_RELEASE
}

impl std::ops::Drop for Window {
    fn drop(&mut self) {
        // The parent may have gone and taken the window with it, which is as good.
        let _ = self.connection.destroy_window(self.id);
        // Until the server has done it: what the host does next to its own window must not overtake it.
        let _ = self.connection.sync();
    }
}
