//! An editor's hands on an instance: edits, undo, acts and the scene, over the real transport.

use crate::rig::{RATE, instance, play, stop, until};
use crate::sidecar::{Script, Sidecar, folder};
use serde_json::{Map, Value, json};
use shim_core::{Instance, Notice, Outcome, parameters, preset};
use std::sync::Arc;

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

/// The next `state` after the one of the handshake.
fn patch(sidecar: &Sidecar) -> Value {
    let (_, frames) = sidecar.wait_message("state");
    serde_json::from_slice(&frames[0]).unwrap()
}

fn settled(instance: &Instance, number: u64) -> Outcome {
    until("the command is answered", || instance.outcome(number) != Some(Outcome::Pending));
    instance.outcome(number).unwrap()
}

#[test]
fn an_edit_goes_as_its_own_keys_and_its_undo_and_redo_likewise() {
    let folder = folder();
    let sidecar = Sidecar::start(&folder, Script::default());
    let (instance, notices) = instance();
    let processor = instance.activate(RATE, 64).unwrap();
    assert!(patch(&sidecar)["format"].is_string(), "the handshake sends the whole document");
    let number = instance.edit(object(json!({"prompts": {"a": "pads"}}))).unwrap();
    assert_eq!(patch(&sidecar), json!({"prompts": {"a": "pads"}}));
    assert_eq!(settled(&instance, number), Outcome::Done(String::new()));
    assert!(notices.try_iter().any(|notice| notice == Notice::DocumentChanged));
    assert!(instance.undo());
    assert_eq!(patch(&sidecar), json!({"prompts": null}));
    assert_eq!((instance.document()["prompts"].clone(), instance.steps()), (Value::Null, (false, true)));
    assert!(instance.redo());
    assert_eq!(patch(&sidecar), json!({"prompts": {"a": "pads"}}));
    assert!(!instance.redo());
    instance.deactivate(processor);
}

#[test]
fn an_edit_that_the_sidecar_refuses_is_taken_back_and_a_pass_goes_on() {
    let folder = folder();
    let sidecar = Sidecar::start(&folder, Script::default());
    let (instance, _notices) = instance();
    let mut processor = instance.activate(RATE, 4096).unwrap();
    assert_eq!(play(&mut processor, 4096, 512, true), [0.5; 4096]);
    patch(&sidecar);
    let number = instance.edit(object(json!({"notes": "refuse this"}))).unwrap();
    assert_eq!(settled(&instance, number), Outcome::Refused("No. Leave.".into()));
    assert_eq!((instance.document().get("notes"), instance.steps()), (Some(&Value::Null), (false, false)));
    assert_ne!(instance.status(), shim_core::Status::Failed);
    stop(&mut processor);
    assert_eq!(play(&mut processor, 4096, 512, true), [0.5; 4096]);
    instance.deactivate(processor);
}

#[test]
fn an_edit_without_a_sidecar_is_in_force_and_reaches_the_next_one() {
    let folder = folder();
    let (instance, _notices) = instance();
    let number = instance.edit(object(json!({"seed": 7}))).unwrap();
    assert_eq!(instance.document()["seed"], json!(7));
    let processor = instance.activate(RATE, 64).unwrap();
    let later = instance.edit(object(json!({"seed": 8}))).unwrap();
    let sidecar = Sidecar::start(&folder, Script::default());
    assert_eq!(patch(&sidecar)["seed"], json!(8));
    assert_eq!(
        (settled(&instance, number), settled(&instance, later)),
        (Outcome::Done(String::new()), Outcome::Done(String::new()))
    );
    instance.deactivate(processor);
}

#[test]
fn an_act_carries_its_bytes_and_what_came_of_it_can_be_undone() {
    let folder = folder();
    let sidecar = Sidecar::start(&folder, Script::default());
    let (instance, _notices) = instance();
    let processor = instance.activate(RATE, 64).unwrap();
    patch(&sidecar);
    let audio: Arc<[u8]> = Arc::from(vec![1, 2, 3]);
    let arguments = object(json!({"role": "timbre", "name": "bell"}));
    let number = instance.act("reference", arguments.clone(), vec![("bell.wav".into(), audio)]).unwrap();
    let (head, frames) = sidecar.wait_message("act");
    assert_eq!((&head["verb"], &head["attachments"]), (&json!("reference"), &json!(["bell.wav"])));
    assert_eq!((serde_json::from_slice::<Value>(&frames[0]).unwrap(), &frames[1]), (json!(arguments), &vec![1, 2, 3]));
    assert_eq!(settled(&instance, number), Outcome::Done(String::new()));
    sidecar.document(json!({"format": "demon-state", "version": 2, "timbre": {"name": "bell"}}));
    until("the document is there", || instance.document().get("timbre").is_some());
    assert_eq!(instance.steps(), (true, false));
    assert!(instance.undo());
    assert_eq!(patch(&sidecar), json!({"timbre": null}));
    let refused = instance.act("refuse this", Map::new(), vec![]).unwrap();
    assert_eq!(settled(&instance, refused), Outcome::Refused("No. Leave.".into()));
    instance.deactivate(processor);
}

#[test]
fn an_act_that_nobody_can_answer_is_refused_in_words() {
    let folder = folder();
    let (instance, _notices) = instance();
    let act = |verb: &str| settled(&instance, instance.act(verb, Map::new(), vec![]).unwrap());
    assert!(matches!(act("wait"), Outcome::Refused(text) if text.contains("not active")));
    let processor = instance.activate(RATE, 64).unwrap();
    assert!(matches!(act("wait"), Outcome::Refused(text) if text.contains("no sidecar")));
    let sidecar = Sidecar::start(&folder, Script::default());
    patch(&sidecar);
    let number = instance.act("wait", Map::new(), vec![]).unwrap();
    sidecar.wait_message("act");
    drop(sidecar);
    assert!(matches!(settled(&instance, number), Outcome::Refused(text) if text.contains("broke")));
    let many = vec![("a".to_owned(), Arc::from(vec![])); 15];
    assert!(instance.act("wait", Map::new(), many).is_err());
    instance.deactivate(processor);
}

#[test]
fn a_scene_is_there_while_somebody_watches_and_of_the_next_sidecar_too() {
    let folder = folder();
    let sidecar = Sidecar::start(&folder, Script::default());
    let (instance, _notices) = instance();
    let processor = instance.activate(RATE, 64).unwrap();
    instance.watch(true);
    until("a scene comes", || instance.scene().is_some());
    let scene = instance.scene().unwrap();
    assert_eq!((scene.head.frames, scene.head.missing[0].name.as_str()), (2, "bells"));
    assert_eq!((&scene.coverage[..], &scene.lanes[..]), (&[255, 0][..], &[vec![0.25, 0.5]][..]));
    assert_eq!(scene.source, [(0, 1), (-128, 127)]);
    drop(sidecar);
    until("the scene goes with its sidecar", || instance.scene().is_none());
    let next = Sidecar::start(&folder, Script::default());
    until("another comes", || instance.scene().is_some());
    instance.watch(false);
    assert!(instance.scene().is_none());
    while next.wait_message("watch").0["on"] == json!(true) {}
    instance.deactivate(processor);
}

#[test]
fn a_preset_is_taken_back_with_its_parameters() {
    let folder = folder();
    let sidecar = Sidecar::start(&folder, Script::default());
    let (instance, notices) = instance();
    let processor = instance.activate(RATE, 64).unwrap();
    patch(&sidecar);
    instance.edit(object(json!({"prompts": {"a": "mine", "b": "too"}}))).unwrap();
    patch(&sidecar);
    instance.set_value(parameters::DENOISE, 0.125);
    let preset = preset::factory().first().unwrap();
    let before = instance.document();
    instance.load_preset(preset).unwrap();
    assert!(patch(&sidecar)["format"].is_string(), "a preset goes with the whole document");
    let after = instance.document();
    assert_ne!(after["prompts"], before["prompts"]);
    while notices.try_recv().is_ok() {}
    instance.set_value(parameters::OUTPUT_GAIN, -6.0);
    assert!(instance.undo());
    assert_eq!(instance.value(parameters::OUTPUT_GAIN), -6.0, "it is no part of a sound");
    instance.set_value(parameters::OUTPUT_GAIN, 0.0);
    assert_eq!(
        (&instance.document()["parameters"], &instance.document()["prompts"]),
        (&before["parameters"], &before["prompts"])
    );
    assert_eq!(instance.value(parameters::DENOISE), 0.125);
    assert!(notices.try_iter().any(|notice| notice == Notice::ValuesChanged));
    let sent = patch(&sidecar);
    assert_eq!((&sent["parameters"]["denoise"], &sent["parameters"]["output_gain"]), (&json!(0.125), &Value::Null));
    assert!(instance.redo());
    assert_eq!(
        (&instance.document()["parameters"], &instance.document()["prompts"]),
        (&after["parameters"], &after["prompts"])
    );
    instance.deactivate(processor);
}
