//! An X11 screen of its own for a test that opens the plugin's window: an Xvfb, started here.
#![cfg(target_os = "linux")]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use x11rb::{
    connection::Connection, protocol::xproto::*, rust_connection::RustConnection, wrapper::ConnectionExt as _,
};

/// What a machine under load may take; nothing is judged by it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A window finds its screen by the environment, so tests of one process take turns.
static TURN: Mutex<()> = Mutex::new(());

pub struct Screen {
    pub connection: RustConnection,
    pub root: u32,
    /// The host's window.
    pub parent: u32,
    size: (u16, u16),
    server: Child,
    _turn: MutexGuard<'static, ()>,
}

impl Screen {
    /// A screen with a host's window of `size` pixels on it; none, and a word about it, where Xvfb is not installed.
    pub fn open(size: (u32, u32)) -> Option<Self> {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "2400x1600x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .inspect_err(|error| eprintln!("skipped, no Xvfb: {error}"))
            .ok()?;
        let mut number = String::new();
        BufReader::new(server.stdout.take()?).read_line(&mut number).ok()?;
        let name = format!(":{}", number.trim());
        // SAFETY: whoever opens a screen holds the turn, and nothing else in a test's process writes the environment.
        unsafe { std::env::set_var("DISPLAY", &name) };
        let connection = until("a screen", || RustConnection::connect(Some(&name)).ok()).0;
        let (root, parent) = (connection.setup().roots[0].root, connection.generate_id().ok()?);
        let size = (size.0 as u16, size.1 as u16);
        let screen = Self { connection, root, parent, size, server, _turn: turn };
        screen.make_parent();
        Some(screen)
    }

    /// The host's window, again if it was destroyed.
    pub fn make_parent(&self) {
        let class = WindowClass::INPUT_OUTPUT;
        let values = CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        let ((width, height), connection) = (self.size, &self.connection);
        connection.create_window(24, self.parent, self.root, 0, 0, width, height, 0, class, 0, &values).unwrap();
        connection.map_window(self.parent).unwrap();
        connection.sync().unwrap();
    }

    /// The windows inside the host's.
    pub fn children(&self) -> Vec<u32> {
        self.connection.query_tree(self.parent).unwrap().reply().unwrap().children
    }

    pub fn atom(&self, name: &str) -> u32 {
        self.connection.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom
    }

    /// The screen goes away under whoever uses it.
    pub fn kill(&mut self) {
        // Killed already, or gone by itself, is as good.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Looks until there is something.
///
/// # Panics
/// When there is nothing for half a minute.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "no {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
