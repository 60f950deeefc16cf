//! A file that is dragged out of the window (XDND version 5, the source's side).

use std::{os::unix::ffi::OsStrExt, path::Path};

use x11rb::{connection::Connection, errors::ReplyError, protocol::xproto::*};

use super::{Error, Window};

/// The version that is spoken; every target takes those before it.
const VERSION: u32 = 5;
/// Windows inside each other that are looked through.
const DEEPEST: usize = 32;

/// What is dragged, if anything is.
#[derive(Default)]
pub struct Carry {
    /// The file's address; kept until the target has read it.
    address: Option<String>,
    /// The window under the pointer that takes files, else none.
    over: u32,
    accepted: bool,
    /// The target has not answered the last position yet.
    waits: bool,
    /// The button was released, at this time of the server.
    released: Option<u32>,
}

impl Window {
    /// The pointer, whose button is held, carries a file from now on.
    pub fn carry(&mut self, path: &Path) -> Result<(), Error> {
        self.carry = Carry { address: Some(address(path)), ..Carry::default() };
        self.connection.set_selection_owner(self.id, self.atoms.XdndSelection, x11rb::CURRENT_TIME)?;
        Ok(self.connection.flush()?)
    }

    /// What a target is given that asks for what it was dropped.
    pub(super) fn carried(&self) -> Option<&str> {
        self.carry.address.as_deref()
    }

    /// The pointer moved: a place on the screen.
    pub(super) fn carried_to(&mut self, (x, y): (i16, i16), time: u32) -> Result<(), Error> {
        if self.carry.address.is_none() || self.carry.released.is_some() {
            return Ok(());
        }
        let target = self.target(x, y)?;
        if target != self.carry.over {
            self.leave()?;
            self.carry.over = target;
            self.say(self.atoms.XdndEnter, [self.id, VERSION << 24, self.atoms.TEXT_URI_LIST, 0, 0])?;
        }
        // A target is told the next place when it has answered the last one.
        if !self.carry.waits {
            let place = u32::from(x as u16) << 16 | u32::from(y as u16);
            self.carry.waits = target != x11rb::NONE;
            self.say(self.atoms.XdndPosition, [self.id, 0, place, time, self.atoms.XdndActionCopy])?;
        }
        Ok(())
    }

    /// The button was released.
    pub(super) fn carried_off(&mut self, time: u32) -> Result<(), Error> {
        if self.carry.address.is_none() {
            return Ok(());
        }
        self.carry.released = Some(time);
        self.let_go()
    }

    /// A target's answer.
    pub(super) fn carry_answered(&mut self, message: &ClientMessageEvent) -> Result<(), Error> {
        let data = message.data.as_data32();
        if self.carry.over == x11rb::NONE || data[0] != self.carry.over {
            return Ok(());
        }
        if message.type_ == self.atoms.XdndFinished {
            self.carry = Carry::default();
            return Ok(());
        }
        (self.carry.waits, self.carry.accepted) = (false, data[1] & 1 == 1);
        self.let_go()
    }

    /// Drops the file where that was accepted, once the button is released and the target has answered.
    fn let_go(&mut self) -> Result<(), Error> {
        let Some(time) = self.carry.released.filter(|_| !self.carry.waits) else { return Ok(()) };
        if self.carry.over != x11rb::NONE && self.carry.accepted {
            return self.say(self.atoms.XdndDrop, [self.id, 0, time, 0, 0]);
        }
        self.leave()?;
        self.carry = Carry::default();
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Error> {
        self.say(self.atoms.XdndLeave, [self.id, 0, 0, 0, 0])?;
        (self.carry.over, self.carry.waits, self.carry.accepted) = (x11rb::NONE, false, false);
        Ok(())
    }

    fn say(&self, kind: u32, data: [u32; 5]) -> Result<(), Error> {
        if self.carry.over == x11rb::NONE {
            return Ok(());
        }
        let message = ClientMessageEvent::new(32, self.carry.over, kind, data);
        self.connection.send_event(false, self.carry.over, EventMask::NO_EVENT, message)?;
        Ok(self.connection.flush()?)
    }

    /// The outermost window at a place of the screen that takes part in drags.
    fn target(&self, x: i16, y: i16) -> Result<u32, Error> {
        let root = self.connection.setup().roots.first().map_or(x11rb::NONE, |screen| screen.root);
        let mut window = root;
        for _ in 0..DEEPEST {
            let inside = there(self.connection.translate_coordinates(root, window, x, y)?.reply())?;
            window = inside.map_or(x11rb::NONE, |place| place.child);
            if window == x11rb::NONE {
                break;
            }
            let aware = self.connection.get_property(false, window, self.atoms.XdndAware, AtomEnum::ANY, 0, 1)?;
            if there(aware.reply())?.is_some_and(|property| property.type_ != x11rb::NONE) {
                return Ok(window);
            }
        }
        Ok(x11rb::NONE)
    }
}

/// A window of another program may be gone by the time that it is asked about.
fn there<T>(reply: Result<T, ReplyError>) -> Result<Option<T>, Error> {
    match reply {
        Ok(reply) => Ok(Some(reply)),
        Err(ReplyError::X11Error(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A `text/uri-list` of one file (RFC 3986: what is neither a letter, a digit nor one of these is written as its code).
fn address(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let bytes = path.as_os_str().as_bytes().iter();
    let text: String =
        bytes.map(|byte| if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") }).collect();
    format!("file://{text}\r\n")
}

#[cfg(test)]
mod tests;
