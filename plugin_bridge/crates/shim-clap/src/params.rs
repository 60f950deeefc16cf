//! Parameters: the list, their text, and changes outside `process`.

use std::ffi::CStr;
use std::fmt::Write;

use clack_extensions::params::{
    ParamDisplayWriter, ParamInfo, ParamInfoFlags, ParamInfoWriter, PluginMainThreadParams,
};
use clack_plugin::events::EventFlags;
use clack_plugin::events::event_types::ParamValueEvent;
use clack_plugin::prelude::*;
use clack_plugin::utils::Cookie;
use shim_core::parameters::{self, Curve, Parameter};

use crate::main_thread::MainThread;

fn flags(index: usize, parameter: &Parameter) -> ParamInfoFlags {
    let mut flags = match parameter.curve {
        Curve::Status => ParamInfoFlags::IS_READONLY,
        _ if parameter.automatable => ParamInfoFlags::IS_AUTOMATABLE,
        _ => ParamInfoFlags::empty(),
    };
    flags.set(ParamInfoFlags::IS_STEPPED, parameter.steps.is_some());
    flags.set(ParamInfoFlags::IS_ENUM, !parameter.choices.is_empty());
    flags.set(ParamInfoFlags::IS_BYPASS, index == parameters::BYPASS);
    flags
}

/// As much of a text as fits: a host's buffer may be short, and half a character is none.
fn cut(text: &str, room: usize) -> &str {
    let ends = text.char_indices().map(|(at, character)| at + character.len_utf8());
    &text[..ends.take_while(|&end| end <= room).last().unwrap_or(0)]
}

/// The table index and plain value of a parameter change; none for other events, notes' own values, unknown or
/// read-only parameters, and what is not a number.
pub fn change(event: &UnknownEvent) -> Option<(usize, f64)> {
    let event = event.as_event::<ParamValueEvent>()?;
    let index = parameters::index_of(event.param_id()?.get())?;
    (index != parameters::STATUS && event.value().is_finite()).then_some((index, event.value()))
}

/// The event that tells the host the plugin's status.
pub fn status_event(value: f64) -> ParamValueEvent {
    let id = ClapId::new(parameters::table()[parameters::STATUS].id);
    ParamValueEvent::new(0, id, Pckn::match_all(), value).with_flags(EventFlags::DONT_RECORD)
}

impl PluginMainThreadParams for MainThread<'_> {
    fn count(&self) -> u32 {
        parameters::COUNT as u32
    }

    fn get_info(&self, index: u32, info: &mut ParamInfoWriter) {
        let index = index as usize;
        let Some(parameter) = parameters::table().get(index) else { return };
        info.set(&ParamInfo {
            id: ClapId::new(parameter.id),
            flags: flags(index, parameter),
            cookie: Cookie::empty(),
            name: self.shared.instance.title(index).as_bytes(),
            module: parameter.module.as_bytes(),
            min_value: parameter.min,
            max_value: parameter.max,
            default_value: parameter.default,
        });
    }

    fn get_value(&self, id: ClapId) -> Option<f64> {
        parameters::index_of(id.get()).map(|index| self.shared.instance.value(index))
    }

    fn value_to_text(&self, id: ClapId, value: f64, writer: &mut ParamDisplayWriter) -> std::fmt::Result {
        let index = parameters::index_of(id.get()).ok_or(std::fmt::Error)?;
        let unit = parameters::table()[index].unit;
        let gap = if unit.is_empty() { "" } else { " " };
        let text = format!("{}{gap}{unit}", self.shared.instance.display(index, value));
        writer.write_str(cut(&text, writer.len()))
    }

    fn text_to_value(&self, id: ClapId, text: &CStr) -> Option<f64> {
        self.shared.instance.parse(parameters::index_of(id.get())?, text.to_str().ok()?)
    }

    fn flush(&self, input: &InputEvents, output: &mut OutputEvents) {
        let instance = &self.shared.instance;
        for (index, plain) in input.iter().filter_map(change) {
            instance.set_value(index, plain);
        }
        #[cfg(all(feature = "editor", target_os = "linux"))]
        self.shared.gestures.give(output);
        // Refused by a full list: the host reads the value when it next asks.
        let _ = output.try_push(status_event(instance.value(parameters::STATUS)));
    }
}
