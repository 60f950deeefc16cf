//! What the plugin is called. The class id is stable for ever: sessions and presets name the plugin by it.

use vst3::{Steinberg::TUID, uid};

pub const CLASS_ID: TUID = uid(0x8C5D1F0A, 0x64E24B7F, 0x9E0B52A4, 0xD3A16C27);
pub const NAME: &str = "DEMON";
pub const VENDOR: &str = "DEMON Bridge";
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
pub const CATEGORY: &str = "Audio Module Class";
pub const SUBCATEGORIES: &str = "Fx";
pub const SDK_VERSION: &str = "VST 3.8.0";
