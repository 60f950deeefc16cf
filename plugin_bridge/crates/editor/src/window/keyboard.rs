//! Key codes to egui's keys and to text, by the server's core mapping.

use egui::{Key, Modifiers};
use x11rb::{
    connection::Connection,
    protocol::xproto::{ConnectionExt as _, KeyButMask},
    rust_connection::RustConnection,
};
use xkeysym::{KeyCode, Keysym};

use super::Error;

/// The keyboard's layout as the server has it.
pub struct Keyboard {
    first: u8,
    columns: u8,
    symbols: Vec<u32>,
}

impl Keyboard {
    /// # Errors
    /// [`Error`] when the server is gone.
    pub fn read(connection: &RustConnection) -> Result<Self, Error> {
        let setup = connection.setup();
        let (first, count) = (setup.min_keycode, setup.max_keycode - setup.min_keycode + 1);
        let mapping = connection.get_keyboard_mapping(first, count)?.reply()?;
        Ok(Self { first, columns: mapping.keysyms_per_keycode, symbols: mapping.keysyms })
    }

    /// The symbol that a key gives with the modifiers and the layout group in force.
    pub fn symbol(&self, code: u8, state: KeyButMask) -> Option<Keysym> {
        let bits = u16::from(state);
        // Bits 13 and 14 name the layout; the core mapping holds two, two columns each, and level three from column 4.
        let group = (bits >> 13 & 3).min(1) as u8;
        let shift = state.contains(KeyButMask::SHIFT);
        let third = state.contains(KeyButMask::MOD5);
        let column = if third { 4 } else { 2 * group } + u8::from(shift);
        let symbol = self.at(code, column).or_else(|| self.at(code, u8::from(shift)))?;
        let keypad = state.contains(KeyButMask::MOD2).then(|| self.at(code, 1)).flatten();
        if let Some(digit) = keypad.filter(|digit| digit.is_keypad_key()) {
            return Some(digit);
        }
        let capital = symbol.key_char().filter(|character| character.is_alphabetic());
        match capital {
            Some(_) if state.contains(KeyButMask::LOCK) => self.at(code, column ^ 1).or(Some(symbol)),
            _ => Some(symbol),
        }
    }

    fn at(&self, code: u8, column: u8) -> Option<Keysym> {
        if code < self.first || usize::from(code - self.first) * usize::from(self.columns) >= self.symbols.len() {
            return None;
        }
        let found = xkeysym::keysym(KeyCode::new(code.into()), column, self.first.into(), self.columns, &self.symbols);
        found.filter(|symbol| *symbol != Keysym::NoSymbol)
    }
}

pub fn modifiers(state: KeyButMask) -> Modifiers {
    let ctrl = state.contains(KeyButMask::CONTROL);
    Modifiers {
        alt: state.contains(KeyButMask::MOD1),
        ctrl,
        shift: state.contains(KeyButMask::SHIFT),
        mac_cmd: false,
        command: ctrl,
    }
}

/// egui's name for a symbol.
pub fn key(symbol: Keysym) -> Option<Key> {
    Some(match symbol {
        Keysym::Left | Keysym::KP_Left => Key::ArrowLeft,
        Keysym::Right | Keysym::KP_Right => Key::ArrowRight,
        Keysym::Up | Keysym::KP_Up => Key::ArrowUp,
        Keysym::Down | Keysym::KP_Down => Key::ArrowDown,
        Keysym::Escape => Key::Escape,
        Keysym::Tab | Keysym::ISO_Left_Tab | Keysym::KP_Tab => Key::Tab,
        Keysym::BackSpace => Key::Backspace,
        Keysym::Return | Keysym::KP_Enter => Key::Enter,
        Keysym::Insert | Keysym::KP_Insert => Key::Insert,
        Keysym::Delete | Keysym::KP_Delete => Key::Delete,
        Keysym::Home | Keysym::KP_Home => Key::Home,
        Keysym::End | Keysym::KP_End => Key::End,
        Keysym::Page_Up | Keysym::KP_Page_Up => Key::PageUp,
        Keysym::Page_Down | Keysym::KP_Page_Down => Key::PageDown,
        Keysym::space => Key::Space,
        Keysym::plus | Keysym::KP_Add => Key::Plus,
        Keysym::minus | Keysym::KP_Subtract => Key::Minus,
        Keysym::equal => Key::Equals,
        _ => {
            let character = symbol.key_char()?.to_ascii_uppercase();
            return Key::from_name(character.encode_utf8(&mut [0; 4]));
        }
    })
}

/// What the symbol writes into a text field.
pub fn text(symbol: Keysym, modifiers: Modifiers) -> Option<String> {
    let character = symbol.key_char().filter(|character| !character.is_control())?;
    (!modifiers.ctrl && !modifiers.alt).then(|| character.to_string())
}
