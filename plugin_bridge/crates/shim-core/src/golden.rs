//! The byte vectors that both languages are held to (`plugin_bridge/golden`).

use crate::{
    document::Attachment,
    message::{Message, Published},
    migrate,
    record::{Kind, Record},
    scene::Scene,
    state,
};
use serde_json::{Value, json};

/// Messages that only a control client sends or receives.
const CONTROL: [&str; 2] = ["instances", "list"];

fn read(name: &str) -> Value {
    let path = format!("{}/../../golden/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

#[test]
fn every_message_has_its_golden_bytes_in_both_directions() {
    let vectors = read("messages.json");
    for vector in vectors.as_array().unwrap() {
        let expected: Value = vector["message"].clone();
        if CONTROL.contains(&expected["t"].as_str().unwrap()) {
            continue;
        }
        let head = bytes(&vector["frames"][0]);
        let message: Message = serde_json::from_value(expected.clone()).unwrap();
        assert_eq!(Message::decode(&head), Ok(message.clone()), "{}", vector["name"]);
        assert_eq!(message.encode(), head, "{}", vector["name"]);
        assert_eq!(serde_json::to_value(&message).unwrap(), expected);
        if let Message::Scene(head) = &message {
            let frames: Vec<_> = (1..5).map(|frame| bytes(&vector["frames"][frame])).collect();
            let scene = Scene::decode(head.clone(), &frames.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
            assert_eq!(scene.coverage.len(), head.frames as usize);
            if !scene.lanes.is_empty() {
                assert_eq!(scene.lanes, [[0.0, 0.5, 1.0], [1.0, 1.0, 0.25]]);
                assert_eq!((&scene.coverage[..], scene.source[2]), (&[0, 255, 1][..], (-128, 127)));
            }
        }
        if let Message::Publish { count, .. } = message {
            let records = Published::decode_all(&bytes(&vector["frames"][1]), count).unwrap();
            assert_eq!(records[0], Published { chunk: -1, slot: 0, generation: 1 });
            assert_eq!(records[1], Published { chunk: 46, slot: u32::MAX, generation: (1 << 24) - 1 });
        }
    }
}

#[test]
fn every_record_has_its_golden_bytes() {
    use Kind::{Block, Capture, Lost, Metre, Pass, Place, Point, Ramp, Stop, Tempo};
    let kinds = [Pass, Point, Ramp, Block, Capture, Stop, Tempo, Lost, Place, Metre];
    let vectors = read("records.json");
    for vector in vectors.as_array().unwrap() {
        let number = |field: &str| vector["record"][field].as_u64().unwrap();
        let record = Record {
            kind: kinds[number("kind") as usize - 1],
            parameter: number("parameter") as u16,
            pass: number("pass") as u32,
            song: vector["record"]["song"].as_i64().unwrap(),
            value: vector["record"]["value"].as_f64().unwrap(),
            aux: number("aux") as u32,
            flags: number("flags") as u32,
        };
        assert_eq!(record.to_bytes()[..], bytes(&vector["hex"]), "{vector}");
    }
}

#[test]
fn the_golden_state_loads_and_saves_to_the_same_bytes() {
    let vector = read("state.json");
    let blob = bytes(&vector["hex"]);
    let document = state::load(&blob).unwrap();
    assert_eq!(Value::Object(document.json.clone()), vector["document"]);
    let attachments = vector["attachments"].as_array().unwrap();
    let named = |value: &Value| Attachment {
        hash: Attachment::parse_name(value["hash"].as_str().unwrap()).unwrap(),
        bytes: bytes(&value["hex"]).into(),
    };
    assert_eq!(document.attachments, attachments.iter().map(named).collect::<Vec<_>>());
    assert_eq!(state::save(&document), blob);
}

#[test]
fn a_document_of_version_1_becomes_the_same_one_of_version_2_as_in_the_sidecar() {
    let vectors = read("state-v1.json");
    let loaded = state::load(&bytes(&vectors["hex"])).unwrap();
    assert_eq!(Value::Object(loaded.json), vectors["documents"][0]["v2"]);
    for vector in vectors["documents"].as_array().unwrap() {
        let mut json = vector["v1"].as_object().unwrap().clone();
        let notes = migrate::from_1(&mut json).unwrap();
        assert_eq!(Value::Object(json), vector["v2"], "{}", vector["name"]);
        assert_eq!(Value::from(notes), vector["notes"], "{}", vector["name"]);
    }
}

#[test]
fn a_document_of_version_1_that_is_not_valid_is_refused_by_name() {
    for (bad, named) in [
        (json!({"loras": 1}), "`loras`"),
        (json!({"loras": [1]}), "`loras`"),
        (json!({"loras": [{"name": "x", "strength": "1"}]}), "'x'"),
        (json!({"loras": vec![json!({}); 9]}), "`loras`"),
        (json!({"clock": []}), "`clock`"),
        (json!({"clock": {"shift": {}}}), "clock.shift"),
        (json!({"clock": {"shift": 2}, "parameters": 3}), "`parameters`"),
    ] {
        let error = migrate::from_1(&mut bad.as_object().unwrap().clone()).unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
    }
}
