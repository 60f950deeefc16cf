//! A real window on a real display: Xvfb, started here; without it these tests say so and pass.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use editor::{Editor, HostWindow, SIZE};
use shim_core::{HostGestures, Instance, Outcome};
use x11rb::{
    connection::Connection,
    protocol::{Event, xproto::*},
    rust_connection::RustConnection,
    wrapper::ConnectionExt as _,
};

struct Host;

impl HostGestures for Host {
    fn begin(&self, _index: usize) {}
    fn perform(&self, _index: usize, _plain: f64) {}
    fn end(&self, _index: usize) {}
}

impl HostWindow for Host {
    fn request_size(&self, _width: u32, _height: u32) {}
}

/// A display for one test. The editor finds it by the environment, so tests take turns.
struct Display {
    server: Child,
    connection: RustConnection,
    parent: u32,
    root: u32,
}

static TURN: Mutex<()> = Mutex::new(());

impl Display {
    fn open() -> Option<Self> {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .inspect_err(|error| eprintln!("skipped, no Xvfb: {error}"))
            .ok()?;
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        let name = format!(":{}", number.trim());
        // SAFETY: tests that open a display hold the turn, and nothing else here reads the environment.
        unsafe { std::env::set_var("DISPLAY", &name) };
        let connection = until("a display", || RustConnection::connect(Some(&name)).ok()).0;
        let root = connection.setup().roots[0].root;
        let display = Self { server, parent: connection.generate_id().unwrap(), connection, root };
        display.make_parent();
        Some(display)
    }

    fn make_parent(&self) {
        let (width, height) = (SIZE.0 as u16, SIZE.1 as u16);
        let values = CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        self.connection
            .create_window(24, self.parent, self.root, 0, 0, width, height, 0, WindowClass::INPUT_OUTPUT, 0, &values)
            .unwrap();
        self.connection.map_window(self.parent).unwrap();
        self.connection.sync().unwrap();
    }

    fn editor(&self, instance: &Arc<Instance>) -> Editor {
        Editor::open(self.parent, SIZE, Some(1.0), Arc::clone(instance), Arc::new(Host), Arc::new(Host)).unwrap()
    }

    fn children(&self) -> Vec<u32> {
        self.connection.query_tree(self.parent).unwrap().reply().unwrap().children
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "no {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn windows_open_and_close_many_times_and_leave_nothing_behind() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(display) = Display::open() else { return };
    let instance = Instance::new("test");
    for _ in 0..20 {
        let editor = display.editor(&instance);
        until("window", || (display.children().len() == 1).then_some(()));
        drop(editor);
        assert!(display.children().is_empty());
    }
    let (first, second) = (display.editor(&instance), display.editor(&Instance::new("test")));
    until("two windows", || (display.children().len() == 2).then_some(()));
    drop((first, second));
}

#[test]
fn a_window_whose_parent_or_display_goes_away_ends_quietly() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(mut display) = Display::open() else { return };
    let instance = Instance::new("test");
    let editor = display.editor(&instance);
    display.connection.destroy_window(display.parent).unwrap();
    display.connection.sync().unwrap();
    editor.resize(300, 200);
    editor.show(false);
    drop(editor);
    // A parent that is not there any more: no window, no failure.
    drop(display.editor(&instance));
    display.make_parent();
    let editor = display.editor(&instance);
    display.server.kill().unwrap();
    display.server.wait().unwrap();
    editor.rescale(2.0);
    drop(editor);
    drop(display.editor(&instance));
}

#[test]
fn the_window_that_was_clicked_keeps_the_keyboard_although_the_host_takes_it_after_the_click() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(display) = Display::open() else { return };
    let _editor = display.editor(&Instance::new("test"));
    let window = until("window", || display.children().first().copied());
    let (connection, parent) = (&display.connection, display.parent);
    let focus = || connection.get_input_focus().unwrap().reply().unwrap().focus;
    let press = ButtonPressEvent {
        response_type: BUTTON_PRESS_EVENT,
        detail: 1,
        sequence: 0,
        time: x11rb::CURRENT_TIME,
        root: display.root,
        event: window,
        child: x11rb::NONE,
        root_x: 700,
        root_y: 4,
        event_x: 700,
        event_y: 4,
        state: KeyButMask::default(),
        same_screen: true,
    };
    connection.send_event(false, window, EventMask::BUTTON_PRESS, press).unwrap();
    connection.flush().unwrap();
    until("keyboard after the click", || (focus() == window).then_some(()));
    connection.set_input_focus(InputFocus::PARENT, parent, x11rb::CURRENT_TIME).unwrap();
    connection.sync().unwrap();
    until("keyboard after the host took it", || (focus() == window).then_some(()));
}

#[test]
fn what_changes_right_after_a_frame_is_shown_although_nothing_else_happens() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(display) = Display::open() else { return };
    let instance = Instance::new("test");
    let _editor = display.editor(&instance);
    let window = until("window", || display.children().first().copied());
    let connection = &display.connection;
    let shown = || {
        // Something that wakes the window and changes nothing, so that it looks at once.
        let nothing = ClientMessageEvent::new(32, window, AtomEnum::STRING, [0; 5]);
        connection.send_event(false, window, EventMask::NO_EVENT, nothing).unwrap();
        connection.get_image(ImageFormat::Z_PIXMAP, window, 0, 0, 340, 240, u32::MAX).unwrap().reply().unwrap().data
    };
    until("first frame", || shown().windows(2).any(|two| two[0] != two[1]).then_some(()));
    for n in 0..12 {
        let before = shown();
        instance
            .edit(serde_json::json!({"prompts": {"a": format!("{n} {n} {n}")}}).as_object().unwrap().clone())
            .unwrap();
        until("frame with the new prompt", || (shown() != before).then_some(()));
    }
}

#[test]
fn a_file_that_is_dropped_on_the_window_is_read_and_sent() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(display) = Display::open() else { return };
    let instance = Instance::new("test");
    let _editor = display.editor(&instance);
    let window = until("window", || display.children().first().copied());
    let path = std::env::temp_dir().join(format!("demon drop {}.wav", std::process::id()));
    std::fs::write(&path, b"RIFF").unwrap();
    let atom = |name: &str| display.connection.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom;
    let send = |name: &str, data: [u32; 5]| {
        let message = ClientMessageEvent::new(32, window, atom(name), data);
        display.connection.send_event(false, window, EventMask::NO_EVENT, message).unwrap();
        display.connection.flush().unwrap();
    };
    display.connection.set_selection_owner(display.parent, atom("XdndSelection"), 0u32).unwrap();
    send("XdndEnter", [display.parent, 5 << 24, atom("text/uri-list"), 0, 0]);
    send("XdndPosition", [display.parent, 0, 100 << 16 | 326, 0, atom("XdndActionCopy")]);
    send("XdndDrop", [display.parent, 0, 0, 0, 0]);
    let address = format!("file://{}\r\n", path.display().to_string().replace(' ', "%20"));
    let taken = until("XdndFinished", || match display.connection.poll_for_event().unwrap()? {
        Event::SelectionRequest(request) => {
            let (kind, to) = (atom("text/uri-list"), request.requestor);
            let connection = &display.connection;
            connection.change_property8(PropMode::REPLACE, to, request.property, kind, address.as_bytes()).unwrap();
            let notice = SelectionNotifyEvent {
                response_type: SELECTION_NOTIFY_EVENT,
                sequence: 0,
                time: request.time,
                requestor: to,
                selection: request.selection,
                target: request.target,
                property: request.property,
            };
            connection.send_event(false, to, EventMask::NO_EVENT, notice).unwrap();
            connection.flush().unwrap();
            None
        }
        Event::ClientMessage(message) if message.type_ == atom("XdndFinished") => Some(message.data.as_data32()[1]),
        _ => None,
    });
    assert_eq!(taken, 1);
    // This instance was never activated, so its first act is refused, which is how it is known here that it was asked.
    let outcome = until("act", || instance.outcome(1));
    assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    std::fs::remove_file(path).unwrap();
}
