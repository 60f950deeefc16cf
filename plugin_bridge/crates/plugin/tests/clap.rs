//! The built shared object in a CLAP host, without a sidecar: it must behave as a wire.

mod presets;
#[allow(dead_code, reason = "each test binary uses its part of the rig")]
mod rig;

use std::ffi::CString;
use std::io::{Cursor, Read, Write};

use clack_extensions::params::{ParamInfoBuffer, ParamInfoFlags, ParamRescanFlags, PluginParams};
use clack_extensions::remote_controls::{PluginRemoteControls, RemoteControlsPageBuffer};
use clack_extensions::render::{PluginRender, RenderMode};
use clack_extensions::state::PluginState;
use clack_host::events::Pckn;
use clack_host::events::event_types::ParamValueEvent;
use clack_host::prelude::*;
use rig::{Rig, event, extension, mix, noise, value};
use shim_core::parameters;

#[test]
fn the_descriptor_names_one_stereo_effect() {
    let entry = rig::entry();
    let factory = entry.get_plugin_factory().unwrap();
    assert_eq!(factory.plugin_count(), 1);
    let descriptor = factory.plugin_descriptor(0).unwrap();
    assert_eq!(descriptor.id(), Some(c"demon-bridge.demon"));
    assert_eq!(descriptor.name(), Some(c"DEMON"));
    assert_eq!(descriptor.vendor(), Some(c"DEMON Bridge"));
    assert_eq!(descriptor.version().unwrap().to_str(), Ok(env!("CARGO_PKG_VERSION")));
    assert_eq!(descriptor.features().collect::<Vec<_>>(), [c"audio-effect", c"stereo"]);
}

#[test]
fn every_parameter_of_the_table_is_listed_with_its_plain_range() {
    let mut rig = Rig::new();
    let params: PluginParams = extension(&mut rig.instance);
    let handle = rig.instance.plugin_handle();
    assert_eq!(params.count(&handle) as usize, parameters::COUNT);
    for (index, parameter) in parameters::table().iter().enumerate() {
        let mut buffer = ParamInfoBuffer::new();
        let info = params.get_info(&handle, index as u32, &mut buffer).unwrap();
        assert_eq!((info.id.get(), info.name), (parameter.id, parameter.name.as_bytes()));
        assert_eq!(info.module, parameter.module.as_bytes());
        assert_eq!(
            (info.min_value, info.max_value, info.default_value),
            (parameter.min, parameter.max, parameter.default)
        );
        assert_eq!(info.flags.contains(ParamInfoFlags::IS_STEPPED), parameter.steps.is_some());
        assert_eq!(info.flags.contains(ParamInfoFlags::IS_BYPASS), index == parameters::BYPASS);
        assert_eq!(info.flags.contains(ParamInfoFlags::IS_READONLY), index == parameters::STATUS);
        assert_eq!(params.get_value(&handle, info.id), Some(parameter.default));
    }
    assert!(params.get_info(&handle, parameters::COUNT as u32, &mut ParamInfoBuffer::new()).is_none());
    assert_eq!(params.get_value(&handle, ClapId::new(1)), None);
}

#[test]
fn text_of_every_parameter_reads_back_with_its_unit() {
    let mut rig = Rig::new();
    let params: PluginParams = extension(&mut rig.instance);
    let handle = rig.instance.plugin_handle();
    for parameter in parameters::table() {
        let id = ClapId::new(parameter.id);
        let mut buffer = [0; 64];
        let text = params.value_to_text(&handle, id, parameter.default, &mut buffer).unwrap();
        assert!(text.ends_with(parameter.unit.as_bytes()), "{}", parameter.key);
        let text = CString::new(&*text).unwrap();
        assert_eq!(params.text_to_value(&handle, id, &text), Some(parameter.default), "{}", parameter.key);
    }
    assert_eq!(params.text_to_value(&handle, mix(), c"much"), None);
}

#[test]
fn control_surfaces_find_pages_of_parameters_that_are_there() {
    let mut rig = Rig::new();
    let pages: PluginRemoteControls = extension(&mut rig.instance);
    let handle = rig.instance.plugin_handle();
    let wanted = shim_core::pages::pages();
    assert_eq!(pages.count(&handle) as usize, wanted.len());
    for (index, page) in wanted.iter().enumerate() {
        let mut buffer = RemoteControlsPageBuffer::new();
        let found = pages.get(&handle, index as u32, &mut buffer).unwrap();
        assert_eq!((found.section_name, found.page_name), (page.section.as_bytes(), page.name.as_bytes()));
        let ids: Vec<u32> = found.param_ids.iter().flatten().map(|id| id.get()).collect();
        assert_eq!(ids, page.parameters.iter().map(|&index| parameters::table()[index].id).collect::<Vec<_>>());
    }
    assert!(pages.get(&handle, wanted.len() as u32, &mut RemoteControlsPageBuffer::new()).is_none());
}

#[test]
fn what_the_project_names_is_shown_by_its_name_and_cut_at_a_whole_character() {
    let named = shim_core::Instance::new("test");
    let names = serde_json::json!({"snapshots": [{"name": "Gl\u{e4}ser"}], "loras": [null, {"name": "bells"}]});
    named.edit(names.as_object().cloned().unwrap()).unwrap();
    let mut rig = Rig::new();
    assert!(load(&mut rig, &named.save_state()));
    let changed = ParamRescanFlags::VALUES | ParamRescanFlags::INFO | ParamRescanFlags::TEXT;
    assert_eq!(rig.rescans(), [changed]);
    let params: PluginParams = extension(&mut rig.instance);
    let handle = rig.instance.plugin_handle();
    let place = |key| parameters::index_of_key(key).unwrap();
    let snapshot = ClapId::new(parameters::table()[place("prompt_snapshot")].id);
    let text = |room: usize| {
        let mut buffer = vec![0; room];
        String::from_utf8(params.value_to_text(&handle, snapshot, 1.0, &mut buffer).unwrap().to_vec()).unwrap()
    };
    assert_eq!((text(64).as_str(), text(7).as_str()), ("1: Gl\u{e4}ser", "1: Gl"));
    assert_eq!(params.text_to_value(&handle, snapshot, c"gl\u{e4}ser"), Some(1.0));
    let mut buffer = ParamInfoBuffer::new();
    let info = params.get_info(&handle, place("lora_2") as u32, &mut buffer).unwrap();
    assert_eq!(info.name, b"LoRA 2: bells");
}

#[test]
fn blocks_of_any_length_pass_dry_in_real_time_and_offline() {
    for mode in [RenderMode::Realtime, RenderMode::Offline] {
        let mut rig = Rig::new();
        let render: PluginRender = extension(&mut rig.instance);
        let mut processor = rig.activate(4096).start_processing().unwrap();
        render.set(&rig.instance.plugin_handle(), mode).unwrap();
        for frames in [0, 1, 64, 4096, 0, 7] {
            let input = noise(frames);
            assert_eq!(rig::process(&mut processor, &input, &[]), input, "{frames} frames");
        }
    }
}

#[test]
fn parameter_events_take_effect_in_process_and_in_flush() {
    let mut rig = Rig::new();
    let params: PluginParams = extension(&mut rig.instance);
    params.flush(
        &mut rig.instance.inactive_plugin_handle().unwrap(),
        &InputEvents::from_buffer(&[event(0, mix(), 0.25)]),
        &mut OutputEvents::void(),
    );
    assert_eq!(value(&mut rig, mix()), 0.25);
    let mut processor = rig.activate(64).start_processing().unwrap();
    rig::process(&mut processor, &noise(64), &[event(10, mix(), 0.5), event(64, mix(), 0.75)]);
    assert_eq!(value(&mut rig, mix()), 0.75);
    let events = [event(0, mix(), 0.125)];
    params.flush_active(&mut processor.plugin_handle(), &InputEvents::from_buffer(&events), &mut OutputEvents::void());
    assert_eq!(value(&mut rig, mix()), 0.125);
}

#[test]
fn values_that_are_no_numbers_unknown_ids_and_the_status_are_ignored() {
    let mut rig = Rig::new();
    let mut processor = rig.activate(64).start_processing().unwrap();
    let status = ClapId::new(parameters::table()[parameters::STATUS].id);
    let before = value(&mut rig, status);
    let wrong = [
        event(0, mix(), f64::NAN),
        event(0, mix(), f64::INFINITY),
        event(0, ClapId::new(7), 1.0),
        event(0, status, before + 1.0),
        event(u32::MAX, mix(), 0.5),
    ];
    let input = noise(64);
    assert_eq!(rig::process(&mut processor, &input, &wrong), input);
    assert_eq!((value(&mut rig, mix()), value(&mut rig, status)), (0.5, before));
    rig::process(&mut processor, &input, &[event(0, mix(), 1e300)]);
    assert_eq!(value(&mut rig, mix()), 1.0);
}

#[test]
fn the_status_goes_to_the_host_once_as_a_value_not_to_record() {
    let mut rig = Rig::new();
    let mut processor = rig.activate(64).start_processing().unwrap();
    let mut said = Vec::new();
    for _ in 0..3 {
        said.extend(rig::process_and_listen(&mut processor, &noise(64), &[]).1);
    }
    let id = ClapId::new(parameters::table()[parameters::STATUS].id);
    let expected = ParamValueEvent::new(0, id, Pckn::match_all(), value(&mut rig, id));
    assert!(said.contains(&expected), "{said:?}");
    assert!(said.windows(2).all(|pair| pair[0] != pair[1]), "{said:?}");
}

/// One byte a call: CLAP lets a stream give and take less than asked.
struct Trickle<T>(T);

impl<T: Read> Read for Trickle<T> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let end = buffer.len().min(1);
        self.0.read(&mut buffer[..end])
    }
}

impl<T: Write> Write for Trickle<T> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.0.write(&buffer[..buffer.len().min(1)])
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

fn saved(rig: &mut Rig) -> Vec<u8> {
    let state: PluginState = extension(&mut rig.instance);
    let mut blob = Trickle(Vec::new());
    state.save(&rig.instance.plugin_handle(), &mut blob).unwrap();
    blob.0
}

fn load(rig: &mut Rig, blob: &[u8]) -> bool {
    let state: PluginState = extension(&mut rig.instance);
    state.load(&rig.instance.plugin_handle(), &mut Trickle(Cursor::new(blob))).is_ok()
}

#[test]
fn state_goes_round_between_instances_and_the_host_is_told() {
    let mut first = Rig::new();
    first.set(mix(), 0.25);
    let blob = saved(&mut first);
    let mut second = Rig::new();
    assert!(load(&mut second, &blob));
    assert_eq!(value(&mut second, mix()), 0.25);
    assert_eq!(second.rescans(), [ParamRescanFlags::VALUES]);
    assert_eq!(saved(&mut second), blob);
}

#[test]
fn a_state_that_is_cut_longer_or_random_is_refused_and_the_old_one_stays() {
    let mut rig = Rig::new();
    rig.set(mix(), 0.25);
    let blob = saved(&mut rig);
    rig.set(mix(), 0.5);
    let random = noise(64)[0].iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<_>>();
    let mut flipped = blob.clone();
    flipped[blob.len() / 2] ^= 1;
    let longer = [blob.as_slice(), b"x"].concat();
    for wrong in [&blob[..blob.len() - 1], &blob[..11], b"", &random, &flipped, &longer] {
        assert!(!load(&mut rig, wrong));
        assert_eq!(value(&mut rig, mix()), 0.5);
    }
    assert!(load(&mut rig, &blob));
    assert_eq!(value(&mut rig, mix()), 0.25);
}

#[test]
fn a_second_activation_is_refused_and_the_first_goes_on() {
    let mut rig = Rig::new();
    let mut processor = rig.activate(64).start_processing().unwrap();
    assert!(!rig.activate_raw());
    let input = noise(64);
    assert_eq!(rig::process(&mut processor, &input, &[]), input);
}

#[test]
fn a_rate_that_cannot_be_served_is_refused() {
    let mut rig = Rig::new();
    for rate in [0.0, f64::NAN, -48_000.0, 1e9] {
        assert!(!rig.activate_raw_at(rate), "{rate} Hz");
    }
    assert!(rig.activate_raw_at(44_100.0));
}

#[test]
fn a_plugin_that_is_destroyed_while_active_goes_quietly() {
    let mut rig = Rig::new();
    assert!(rig.activate_raw());
    drop(rig);
    let mut next = Rig::new();
    let mut processor = next.activate(64).start_processing().unwrap();
    let input = noise(64);
    assert_eq!(rig::process(&mut processor, &input, &[]), input);
}
