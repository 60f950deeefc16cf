//! A real window on a real screen: Xvfb; without it these tests say so and pass.

use std::sync::Arc;

use editor::{Editor, HostWindow, SIZE};
use shim_core::{HostGestures, Instance, Outcome};
use test_screen::{Screen, until};
use x11rb::{
    connection::Connection,
    protocol::{Event, xproto::*},
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

fn open(screen: &Screen, instance: &Arc<Instance>) -> Editor {
    Editor::open(screen.parent, SIZE, Some(1.0), Arc::clone(instance), Arc::new(Host), Arc::new(Host)).unwrap()
}

#[test]
fn windows_open_and_close_many_times_and_leave_nothing_behind() {
    let Some(screen) = Screen::open(SIZE) else { return };
    let instance = Instance::new("test");
    for _ in 0..20 {
        let editor = open(&screen, &instance);
        until("window", || (screen.children().len() == 1).then_some(()));
        drop(editor);
        assert!(screen.children().is_empty());
    }
    let (first, second) = (open(&screen, &instance), open(&screen, &Instance::new("test")));
    until("two windows", || (screen.children().len() == 2).then_some(()));
    drop((first, second));
}

#[test]
fn a_window_whose_parent_or_display_goes_away_ends_quietly() {
    let Some(mut screen) = Screen::open(SIZE) else { return };
    let instance = Instance::new("test");
    let editor = open(&screen, &instance);
    screen.connection.destroy_window(screen.parent).unwrap();
    screen.connection.sync().unwrap();
    editor.resize(300, 200);
    editor.show(false);
    drop(editor);
    // A parent that is not there any more: no window, no failure.
    drop(open(&screen, &instance));
    screen.make_parent();
    let editor = open(&screen, &instance);
    screen.kill();
    editor.rescale(2.0);
    drop(editor);
    drop(open(&screen, &instance));
}

#[test]
fn the_window_that_was_clicked_keeps_the_keyboard_although_the_host_takes_it_after_the_click() {
    let Some(screen) = Screen::open(SIZE) else { return };
    let _editor = open(&screen, &Instance::new("test"));
    let window = until("window", || screen.children().first().copied());
    let (connection, parent) = (&screen.connection, screen.parent);
    let focus = || connection.get_input_focus().unwrap().reply().unwrap().focus;
    let press = ButtonPressEvent {
        response_type: BUTTON_PRESS_EVENT,
        detail: 1,
        sequence: 0,
        time: x11rb::CURRENT_TIME,
        root: screen.root,
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
    let Some(screen) = Screen::open(SIZE) else { return };
    let instance = Instance::new("test");
    let _editor = open(&screen, &instance);
    let window = until("window", || screen.children().first().copied());
    let connection = &screen.connection;
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
    let Some(screen) = Screen::open(SIZE) else { return };
    let instance = Instance::new("test");
    let _editor = open(&screen, &instance);
    let window = until("window", || screen.children().first().copied());
    let path = std::env::temp_dir().join(format!("demon drop {}.wav", std::process::id()));
    std::fs::write(&path, b"RIFF").unwrap();
    let atom = |name: &str| screen.atom(name);
    let send = |name: &str, data: [u32; 5]| {
        let message = ClientMessageEvent::new(32, window, atom(name), data);
        screen.connection.send_event(false, window, EventMask::NO_EVENT, message).unwrap();
        screen.connection.flush().unwrap();
    };
    screen.connection.set_selection_owner(screen.parent, atom("XdndSelection"), 0u32).unwrap();
    send("XdndEnter", [screen.parent, 5 << 24, atom("text/uri-list"), 0, 0]);
    send("XdndPosition", [screen.parent, 0, 100 << 16 | 326, 0, atom("XdndActionCopy")]);
    send("XdndDrop", [screen.parent, 0, 0, 0, 0]);
    let address = format!("file://{}\r\n", path.display().to_string().replace(' ', "%20"));
    let taken = until("XdndFinished", || match screen.connection.poll_for_event().unwrap()? {
        Event::SelectionRequest(request) => {
            let (kind, to) = (atom("text/uri-list"), request.requestor);
            let connection = &screen.connection;
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
