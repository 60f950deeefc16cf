//! The clipboard: text to and from other programs.

use x11rb::{connection::Connection, protocol::xproto::*, wrapper::ConnectionExt as _};

use super::{Error, Window};

/// Longest text taken from another program; a prompt is far shorter.
const MAX_TEXT: u32 = 1 << 16;

/// The text that this window offers.
#[derive(Default)]
pub struct Clipboard {
    text: String,
}

impl Window {
    /// Offers `text` to other programs.
    pub fn copy(&mut self, text: String) -> Result<(), Error> {
        self.clipboard.text = text;
        self.connection.set_selection_owner(self.id, self.atoms.CLIPBOARD, x11rb::CURRENT_TIME)?;
        Ok(self.connection.flush()?)
    }

    /// Asks for what the clipboard holds; it comes as an event.
    pub(super) fn ask_clipboard(&self, time: u32) -> Result<(), Error> {
        self.ask(self.atoms.CLIPBOARD, self.atoms.UTF8_STRING, time)
    }

    pub(super) fn ask(&self, selection: u32, target: u32, time: u32) -> Result<(), Error> {
        self.connection.convert_selection(self.id, selection, target, self.atoms.DEMON_SELECTION, time)?;
        Ok(self.connection.flush()?)
    }

    /// What another program answered; none if it had nothing.
    pub(super) fn answer(&self, event: &SelectionNotifyEvent) -> Result<Option<String>, Error> {
        if event.property == x11rb::NONE {
            return Ok(None);
        }
        let property = self.connection.get_property(true, self.id, event.property, AtomEnum::ANY, 0, MAX_TEXT / 4)?;
        let property = property.reply()?;
        if property.format != 8 {
            return Ok(None);
        }
        Ok(Some(String::from_utf8_lossy(&property.value).into_owned()))
    }

    /// Another program asks for what this window offers.
    pub(super) fn offer(&self, event: &SelectionRequestEvent) -> Result<(), Error> {
        let atoms = &self.atoms;
        let property = if event.property == x11rb::NONE { event.target } else { event.property };
        let (mode, connection) = (PropMode::REPLACE, &self.connection);
        let string = AtomEnum::STRING.into();
        let (kinds, text) = if event.selection == atoms.XdndSelection {
            (vec![atoms.TEXT_URI_LIST], self.carried().unwrap_or_default())
        } else {
            (vec![atoms.UTF8_STRING, string], self.clipboard.text.as_str())
        };
        let given = if event.target == atoms.TARGETS {
            let targets = [&[atoms.TARGETS], &kinds[..]].concat();
            connection.change_property32(mode, event.requestor, property, AtomEnum::ATOM, &targets)?;
            true
        } else if kinds.contains(&event.target) {
            connection.change_property8(mode, event.requestor, property, event.target, text.as_bytes())?;
            true
        } else {
            false
        };
        let notice = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: event.time,
            requestor: event.requestor,
            selection: event.selection,
            target: event.target,
            property: if given { property } else { x11rb::NONE },
        };
        connection.send_event(false, event.requestor, EventMask::NO_EVENT, notice)?;
        Ok(connection.flush()?)
    }
}
