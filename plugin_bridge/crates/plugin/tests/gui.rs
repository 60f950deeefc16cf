//! The editor in the built shared object, by CLAP's gui extension, on an Xvfb; without one this test says so and passes.

#![cfg(feature = "editor")]

#[allow(dead_code, reason = "each test binary uses its part of the rig")]
mod rig;

use clack_extensions::gui::{GuiApiType, GuiConfiguration, GuiSize, PluginGui, Window};
use rig::{Rig, extension};
use test_screen::{Screen, until};
use x11rb::protocol::xproto::ConnectionExt as _;

#[test]
fn a_clap_host_embeds_scales_resizes_and_closes_the_window() {
    let Some(screen) = Screen::open((2200, 1500)) else { return };
    let (connection, parent) = (&screen.connection, screen.parent);
    let child = || screen.children().first().copied();
    let size = |id| connection.get_geometry(id).unwrap().reply().map(|it| (it.width, it.height)).ok();

    let mut rig = Rig::new();
    let gui: PluginGui = extension(&mut rig.instance);
    let plugin = rig.instance.plugin_handle();
    let embedded = GuiConfiguration { api_type: GuiApiType::X11, is_floating: false };
    assert!(gui.is_api_supported(&plugin, embedded));
    assert!(!gui.is_api_supported(&plugin, GuiConfiguration { is_floating: true, ..embedded }));
    assert!(gui.get_size(&plugin).is_none(), "nothing is open yet");
    // The project keeps the window's size: in points, whatever the scale.
    for (scale, points) in [(1.0, 1080.0), (2.0, 900.0)] {
        gui.create(&plugin, embedded).unwrap();
        gui.set_scale(&plugin, scale).unwrap();
        let GuiSize { width, height } = gui.get_size(&plugin).unwrap();
        // SAFETY: the parent lives to the end of this test.
        unsafe { gui.set_parent(&plugin, Window::from_x11_handle(parent.into())) }.unwrap();
        gui.show(&plugin).unwrap();
        let id = until("window", child);
        assert_eq!(size(id), Some((width as u16, height as u16)));
        assert_eq!(width, (points * scale) as u32);
        assert!(gui.can_resize(&plugin));
        gui.set_size(&plugin, GuiSize { width: 900, height: 600 }).unwrap();
        until("new size", || (size(id) == Some((900, 600))).then_some(()));
        gui.hide(&plugin).unwrap();
        gui.destroy(&plugin);
        assert_eq!(child(), None);
    }
}
