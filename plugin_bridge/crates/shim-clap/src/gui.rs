//! The editor as CLAP's gui: an X11 window inside the host's.

use std::cell::RefCell;
use std::sync::Arc;

use clack_extensions::gui::{
    AspectRatioStrategy, GuiApiType, GuiConfiguration, GuiResizeHints, GuiSize, PluginGuiImpl, Window,
};
use clack_plugin::prelude::*;
use editor::Editor;

use crate::gestures::Host;
use crate::main_thread::MainThread;

/// What the host has said about the window, and the window.
#[derive(Default)]
pub struct Gui(RefCell<Option<Shape>>);

struct Shape {
    size: GuiSize,
    scale: Option<f32>,
    editor: Option<Editor>,
}

fn is_ours(configuration: GuiConfiguration) -> bool {
    configuration.api_type == GuiApiType::X11 && !configuration.is_floating
}

fn scaled((width, height): (u32, u32), scale: f32) -> GuiSize {
    GuiSize { width: (width as f32 * scale).round() as u32, height: (height as f32 * scale).round() as u32 }
}

impl MainThread<'_> {
    fn with_gui<T>(&self, act: impl FnOnce(&mut Shape) -> T) -> Result<T, PluginError> {
        let mut shape = self.gui.0.borrow_mut();
        shape.as_mut().map(act).ok_or(PluginError::Message("no editor: call gui.create first"))
    }

    fn open(&self, parent: u32, shape: &mut Shape) -> Result<(), PluginError> {
        let host = Arc::new(Host {
            instance: Arc::clone(&self.shared.instance),
            gestures: Arc::clone(&self.shared.gestures),
            notices: Arc::clone(&self.shared.notices),
            params: self.host.get_extension(),
            gui: self.host.get_extension(),
        });
        let size = (shape.size.width, shape.size.height);
        let instance = Arc::clone(&self.shared.instance);
        // The window before, if the host hands over another parent, closes first.
        shape.editor = None;
        let opened = Editor::open(parent, size, shape.scale, instance, Arc::clone(&host) as _, host);
        shape.editor = Some(opened.map_err(|_| PluginError::Message("the system refused the editor a thread"))?);
        Ok(())
    }
}

impl PluginGuiImpl for MainThread<'_> {
    fn is_api_supported(&self, configuration: GuiConfiguration) -> bool {
        is_ours(configuration)
    }

    fn get_preferred_api(&self) -> Option<GuiConfiguration<'_>> {
        Some(GuiConfiguration { api_type: GuiApiType::X11, is_floating: false })
    }

    fn create(&self, configuration: GuiConfiguration) -> Result<(), PluginError> {
        if !is_ours(configuration) {
            return Err(PluginError::Message("the editor is an embedded X11 window"));
        }
        *self.gui.0.borrow_mut() =
            Some(Shape { size: scaled(editor::size(&self.shared.instance), 1.0), scale: None, editor: None });
        Ok(())
    }

    fn destroy(&self) {
        drop(self.gui.0.take());
    }

    fn set_scale(&self, scale: f64) -> Result<(), PluginError> {
        if !scale.is_finite() || scale <= 0.0 {
            return Err(PluginError::Message("a scale is a positive number"));
        }
        let scale = scale as f32;
        self.with_gui(|shape| {
            let ratio = scale / shape.scale.replace(scale).unwrap_or(1.0);
            shape.size = scaled((shape.size.width, shape.size.height), ratio);
            if let Some(editor) = &shape.editor {
                editor.rescale(scale);
            }
        })
    }

    fn get_size(&self) -> Option<GuiSize> {
        self.with_gui(|shape| shape.size).ok()
    }

    fn can_resize(&self) -> bool {
        true
    }

    fn get_resize_hints(&self) -> Option<GuiResizeHints> {
        let strategy = AspectRatioStrategy::Disregard;
        Some(GuiResizeHints { can_resize_horizontally: true, can_resize_vertically: true, strategy })
    }

    fn adjust_size(&self, size: GuiSize) -> Option<GuiSize> {
        let least = self.with_gui(|shape| scaled(editor::MIN_SIZE, shape.scale.unwrap_or(1.0))).ok()?;
        Some(GuiSize { width: size.width.max(least.width), height: size.height.max(least.height) })
    }

    fn set_size(&self, size: GuiSize) -> Result<(), PluginError> {
        self.with_gui(|shape| {
            shape.size = size;
            if let Some(editor) = &shape.editor {
                editor.resize(size.width, size.height);
            }
        })
    }

    fn set_parent(&self, window: Window) -> Result<(), PluginError> {
        let handle = window.as_x11_handle().and_then(|handle| u32::try_from(handle).ok());
        let parent = handle.filter(|handle| *handle != 0).ok_or(PluginError::Message("the parent is no X11 window"))?;
        self.with_gui(|shape| self.open(parent, shape))?
    }

    fn set_transient(&self, _window: Window) -> Result<(), PluginError> {
        Err(PluginError::Message("the editor does not float"))
    }

    fn show(&self) -> Result<(), PluginError> {
        self.with_gui(|shape| shape.editor.iter().for_each(|editor| editor.show(true)))
    }

    fn hide(&self) -> Result<(), PluginError> {
        self.with_gui(|shape| shape.editor.iter().for_each(|editor| editor.show(false)))
    }
}
