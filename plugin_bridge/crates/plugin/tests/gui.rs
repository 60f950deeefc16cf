//! The editor in the built shared object, by CLAP's gui extension, on an Xvfb; without one this test says so and passes.

#![cfg(feature = "editor")]

#[allow(dead_code, reason = "each test binary uses its part of the rig")]
mod rig;

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use clack_extensions::gui::{GuiApiType, GuiConfiguration, GuiSize, PluginGui, Window};
use rig::{Rig, extension};
use x11rb::{
    connection::Connection, protocol::xproto::*, rust_connection::RustConnection, wrapper::ConnectionExt as _,
};

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn display() -> Option<(Server, RustConnection)> {
    let mut child = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "2400x1600x24", "-nolisten", "tcp"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .inspect_err(|error| eprintln!("skipped, no Xvfb: {error}"))
        .ok()?;
    let mut number = String::new();
    BufReader::new(child.stdout.take()?).read_line(&mut number).ok()?;
    let (server, name) = (Server(child), format!(":{}", number.trim()));
    // SAFETY: the one test of this binary, before it loads the plugin.
    unsafe { std::env::set_var("DISPLAY", &name) };
    Some((server, until("a display", || RustConnection::connect(Some(&name)).ok()).0))
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
fn a_clap_host_embeds_scales_resizes_and_closes_the_window() {
    let Some((_server, connection)) = display() else { return };
    let (parent, root) = (connection.generate_id().unwrap(), connection.setup().roots[0].root);
    let (class, values) = (WindowClass::INPUT_OUTPUT, CreateWindowAux::new());
    connection.create_window(24, parent, root, 0, 0, 2200, 1500, 0, class, 0, &values).unwrap();
    connection.map_window(parent).unwrap();
    connection.sync().unwrap();
    let child = || connection.query_tree(parent).unwrap().reply().unwrap().children.first().copied();
    let size = |id| connection.get_geometry(id).unwrap().reply().map(|it| (it.width, it.height)).ok();

    let mut rig = Rig::new();
    let gui: PluginGui = extension(&mut rig.instance);
    let plugin = rig.instance.plugin_handle();
    let embedded = GuiConfiguration { api_type: GuiApiType::X11, is_floating: false };
    assert!(gui.is_api_supported(&plugin, embedded));
    assert!(!gui.is_api_supported(&plugin, GuiConfiguration { is_floating: true, ..embedded }));
    assert!(gui.get_size(&plugin).is_none(), "nothing is open yet");
    for scale in [1.0, 2.0] {
        gui.create(&plugin, embedded).unwrap();
        gui.set_scale(&plugin, scale).unwrap();
        let GuiSize { width, height } = gui.get_size(&plugin).unwrap();
        // SAFETY: the parent lives to the end of this test.
        unsafe { gui.set_parent(&plugin, Window::from_x11_handle(parent.into())) }.unwrap();
        gui.show(&plugin).unwrap();
        let id = until("window", child);
        assert_eq!(size(id), Some((width as u16, height as u16)));
        assert_eq!(width, (f64::from(1080) * scale) as u32);
        assert!(gui.can_resize(&plugin));
        gui.set_size(&plugin, GuiSize { width: 900, height: 600 }).unwrap();
        until("new size", || (size(id) == Some((900, 600))).then_some(()));
        gui.hide(&plugin).unwrap();
        gui.destroy(&plugin);
        assert_eq!(child(), None);
    }
}
