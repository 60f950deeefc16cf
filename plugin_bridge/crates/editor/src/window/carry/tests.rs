use test_screen::{Screen, until};
use x11rb::{protocol::Event, wrapper::ConnectionExt as _};

use super::*;
use crate::window::Input;

/// Another program's window at the screen's place 600, 100, which takes files; the host's is at the left of it.
fn file_manager(screen: &Screen) -> u32 {
    let (id, values) = (screen.connection.generate_id().unwrap(), CreateWindowAux::new());
    let class = WindowClass::INPUT_OUTPUT;
    screen.connection.create_window(24, id, screen.root, 600, 100, 200, 200, 0, class, 0, &values).unwrap();
    let aware = screen.atom("XdndAware");
    screen.connection.change_property32(PropMode::REPLACE, id, aware, AtomEnum::ATOM, &[5]).unwrap();
    screen.connection.map_window(id).unwrap();
    screen.connection.sync().unwrap();
    id
}

/// The next message of a kind that the file manager is sent.
fn told(screen: &Screen, kind: &str) -> [u32; 5] {
    let kind = screen.atom(kind);
    until("message", || match screen.connection.poll_for_event().unwrap()? {
        Event::ClientMessage(message) if message.type_ == kind => Some(message.data.as_data32()),
        _ => None,
    })
}

fn answer(screen: &Screen, window: &Window, kind: &str, data: [u32; 5]) {
    let message = ClientMessageEvent::new(32, window.id, screen.atom(kind), data);
    screen.connection.send_event(false, window.id, EventMask::NO_EVENT, message).unwrap();
    screen.connection.sync().unwrap();
}

/// Lets the window hear what came, until a condition holds.
fn hear(window: &mut Window, mut done: impl FnMut(&Window) -> bool) {
    let mut input = Input::new(1.0);
    until("answer", || {
        while input.take(window).unwrap().is_some() {}
        done(window).then_some(())
    });
}

#[test]
fn a_file_that_is_dragged_out_is_offered_accepted_dropped_and_read() {
    let Some(screen) = Screen::open((500, 400)) else { return };
    let target = file_manager(&screen);
    let mut window = Window::open(screen.parent, (400, 300), 0).unwrap();
    window.carry(Path::new("/music/Take A, 100 %.wav")).unwrap();
    window.carried_to((10, 10), 1).unwrap();
    assert_eq!(window.carry.over, x11rb::NONE, "nobody takes files there");
    window.carried_to((650, 150), 2).unwrap();
    assert_eq!(told(&screen, "XdndEnter")[..3], [window.id, 5 << 24, screen.atom("text/uri-list")]);
    assert_eq!(told(&screen, "XdndPosition")[2..4], [650 << 16 | 150, 2]);
    // Released before the answer: dropped when it comes.
    window.carried_off(3).unwrap();
    answer(&screen, &window, "XdndStatus", [target, 1, 0, 0, 0]);
    hear(&mut window, |window| window.carry.accepted);
    assert_eq!(told(&screen, "XdndDrop")[2], 3);
    let (selection, list, property) = (screen.atom("XdndSelection"), screen.atom("text/uri-list"), screen.atom("X"));
    screen.connection.convert_selection(target, selection, list, property, 3u32).unwrap();
    screen.connection.flush().unwrap();
    let mut input = Input::new(1.0);
    until("the address", || {
        while input.take(&mut window).unwrap().is_some() {}
        matches!(screen.connection.poll_for_event().unwrap()?, Event::SelectionNotify(_)).then_some(())
    });
    let read = screen.connection.get_property(true, target, property, AtomEnum::ANY, 0, 100).unwrap().reply().unwrap();
    assert_eq!(read.value, b"file:///music/Take%20A%2C%20100%20%25.wav\r\n");
    answer(&screen, &window, "XdndFinished", [target, 1, screen.atom("XdndActionCopy"), 0, 0]);
    hear(&mut window, |window| window.carried().is_none());
}

#[test]
fn a_file_that_is_let_go_where_nobody_takes_it_is_forgotten_and_who_was_offered_it_is_told() {
    let Some(screen) = Screen::open((500, 400)) else { return };
    file_manager(&screen);
    let mut window = Window::open(screen.parent, (400, 300), 0).unwrap();
    window.carry(Path::new("/a.wav")).unwrap();
    window.carried_to((650, 150), 1).unwrap();
    window.carried_to((1000, 700), 2).unwrap();
    told(&screen, "XdndLeave");
    window.carried_off(3).unwrap();
    assert_eq!(window.carried(), None);
    // A target that goes away in the middle of it, and one that refuses.
    let gone = file_manager(&screen);
    window.carry(Path::new("/b.wav")).unwrap();
    window.carried_to((650, 150), 4).unwrap();
    screen.connection.destroy_window(gone).unwrap();
    screen.connection.sync().unwrap();
    window.carried_to((651, 150), 5).unwrap();
    let over = window.carry.over;
    answer(&screen, &window, "XdndStatus", [over, 0, 0, 0, 0]);
    hear(&mut window, |window| !window.carry.waits);
    window.carried_off(6).unwrap();
    assert_eq!(window.carried(), None);
}
