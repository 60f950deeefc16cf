//! Files dropped on the window (XDND version 5).

use std::path::PathBuf;

use x11rb::{connection::Connection, protocol::xproto::*};

use super::{Error, Window};

/// Who drags over the window.
#[derive(Default)]
pub struct Drop {
    source: u32,
}

impl Window {
    /// A message of the drag protocol; where the pointer is, in pixels of the window, if it says so.
    pub(super) fn dragged(&mut self, message: &ClientMessageEvent) -> Result<Option<(i16, i16)>, Error> {
        let (atoms, data) = (self.atoms, message.data.as_data32());
        match message.type_ {
            kind if kind == atoms.XdndEnter => self.drop.source = data[0],
            kind if kind == atoms.XdndLeave => self.drop.source = 0,
            kind if kind == atoms.XdndPosition => {
                self.drop.source = data[0];
                // Accepts, everywhere, a copy.
                self.reply(atoms.XdndStatus, [self.id, 1 | 2, 0, 0, atoms.XdndActionCopy])?;
                // Packed, relative to the root window.
                return self.locate((data[2] >> 16) as i16, data[2] as i16).map(Some);
            }
            kind if kind == atoms.XdndDrop => {
                self.drop.source = data[0];
                self.ask(atoms.XdndSelection, atoms.TEXT_URI_LIST, data[2])?;
            }
            kind if kind == atoms.XdndStatus || kind == atoms.XdndFinished => self.carry_answered(message)?,
            _ => {}
        }
        Ok(None)
    }

    fn locate(&self, x: i16, y: i16) -> Result<(i16, i16), Error> {
        let root = self.connection.setup().roots.first().map_or(x11rb::NONE, |screen| screen.root);
        let place = self.connection.translate_coordinates(root, self.id, x, y)?.reply()?;
        Ok((place.dst_x, place.dst_y))
    }

    /// The source answered: ends the drag and gives the files.
    pub(super) fn dropped(&mut self, text: Option<&str>) -> Result<Vec<PathBuf>, Error> {
        let taken = u32::from(text.is_some());
        let action = if taken == 1 { self.atoms.XdndActionCopy } else { x11rb::NONE };
        self.reply(self.atoms.XdndFinished, [self.id, taken, action, 0, 0])?;
        self.drop.source = 0;
        Ok(text.map(files).unwrap_or_default())
    }

    fn reply(&self, kind: u32, data: [u32; 5]) -> Result<(), Error> {
        let message = ClientMessageEvent::new(32, self.drop.source, kind, data);
        self.connection.send_event(false, self.drop.source, EventMask::NO_EVENT, message)?;
        Ok(self.connection.flush()?)
    }
}

/// The local files of a `text/uri-list`.
fn files(list: &str) -> Vec<PathBuf> {
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| local(line.trim())).collect()
}

/// The path of a `file:` address of this machine, its percent signs resolved.
fn local(address: &str) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let rest = address.strip_prefix("file://")?;
    let path = &rest[rest.find('/')?..];
    let (mut bytes, mut left) = (Vec::with_capacity(path.len()), path.bytes());
    while let Some(byte) = left.next() {
        let digit = |byte: Option<u8>| Some(char::from(byte?).to_digit(16)? as u8);
        bytes.push(if byte == b'%' { digit(left.next())? << 4 | digit(left.next())? } else { byte });
    }
    Some(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_addresses_names_its_local_files() {
        let list = "# from a file manager\r\nfile:///music/my%20take.wav\r\nfile://box/a.flac\r\nhttp://x/y\r\n";
        assert_eq!(files(list), [PathBuf::from("/music/my take.wav"), PathBuf::from("/a.flac")]);
    }

    #[test]
    fn a_broken_address_is_no_file() {
        for bad in ["file://", "file:///a%2", "file:///%zz", "/plain", ""] {
            assert_eq!(local(bad), None, "{bad}");
        }
    }
}
