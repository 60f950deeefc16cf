use super::*;
use proptest::prelude::*;
use serde_json::json;

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn attachment(byte: u8) -> Attachment {
    Attachment { hash: [byte; 32], bytes: vec![byte; 3].into() }
}

/// What a reader makes of a document: null and absent are the same.
fn read(draft: &Draft) -> Map<String, Value> {
    let strip = |object: &Map<String, Value>| -> Map<String, Value> {
        object.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let inner = |(key, value): (String, Value)| match value {
        Value::Object(inner) => (key, Value::Object(strip(&inner))),
        value => (key, value),
    };
    strip(&draft.document.json).into_iter().map(inner).filter(|(_, value)| *value != json!({})).collect()
}

fn any_edit() -> impl Strategy<Value = Map<String, Value>> {
    let seed = (0u8..3).prop_map(|seed| json!({"seed": seed}));
    let prompt = ("[ab]", "x{0,2}").prop_map(|(key, text)| json!({"prompts": {key: text}}));
    let cleared = prop::sample::select(vec![json!({"seed": null}), json!({"prompts": null}), json!({"loras": null})]);
    let loras = prop::collection::vec("[a-c]", 0..3).prop_map(|names| json!({"loras": names}));
    prop_oneof![seed, prompt, cleared, loras].prop_map(object)
}

proptest! {
    #[test]
    fn undoing_everything_gives_the_first_document_and_redoing_it_the_last(
        edits in prop::collection::vec(any_edit(), 1..20),
    ) {
        let mut draft = Draft::default();
        let first = read(&draft);
        for (number, edit) in edits.into_iter().enumerate() {
            draft.edit(number as u64, edit).unwrap();
        }
        let last = read(&draft);
        while draft.undo(0).is_some() {}
        prop_assert_eq!(read(&draft), first);
        while draft.redo(0).is_some() {}
        prop_assert_eq!(read(&draft), last);
    }

    #[test]
    fn a_peer_that_merges_what_is_sent_holds_the_same_document(
        edits in prop::collection::vec(prop::option::of(any_edit()), 1..20),
    ) {
        let (mut draft, mut peer) = (Draft::default(), Draft::default());
        for edit in edits {
            let sent = match edit {
                Some(edit) => draft.edit(1, edit).unwrap(),
                None => draft.undo(1),
            };
            if let Some(sent) = sent {
                peer.edit(1, sent.keys).unwrap();
            }
            prop_assert_eq!(read(&peer), read(&draft));
        }
    }
}

#[test]
fn an_edit_of_one_prompt_keeps_the_other() {
    let mut draft = Draft::default();
    draft.edit(1, object(json!({"prompts": {"a": "x", "b": "y"}}))).unwrap();
    let sent = draft.edit(2, object(json!({"prompts": {"b": "z"}}))).unwrap().unwrap();
    assert_eq!(Value::Object(sent.keys), json!({"prompts": {"a": "x", "b": "z"}}));
    assert!(draft.edit(3, object(json!({"prompts": {"b": "z"}}))).unwrap().is_none(), "nothing changes");
}

#[test]
fn the_way_back_of_a_song_is_what_an_absent_key_means_because_null_says_something() {
    let mut draft = Draft::default();
    draft.take(object(json!({"song": {"key": "C major"}})), vec![]);
    let sent = draft.edit(1, object(json!({"song": {"tempo": null}}))).unwrap().unwrap();
    assert_eq!(sent.keys["song"], json!({"key": "C major", "tempo": null, "metre": "follow"}));
    assert_eq!(draft.undo(2).unwrap().keys["song"], json!({"key": "C major", "tempo": "follow", "metre": "follow"}));
}

#[test]
fn parameters_and_what_a_document_is_are_not_edited() {
    let mut draft = Draft::default();
    for key in FOREIGN {
        let error = draft.edit(1, object(json!({key: 1, "seed": 2}))).unwrap_err();
        assert!(error.to_string().contains(key));
    }
    assert!(draft.edit(1, object(json!({"notes": "x".repeat(MAX_DOCUMENT)}))).is_err());
    draft.load(Document { json: object(json!({"format": "demon-state", "version": 0})), ..Document::default() });
    assert!(draft.edit(1, object(json!({"seed": 2}))).is_err());
    assert_eq!(draft.document.json.get("seed"), None);
}

#[test]
fn an_edit_that_the_sidecar_refuses_is_taken_back_for_good() {
    let mut draft = Draft::default();
    draft.edit(1, object(json!({"seed": 1}))).unwrap();
    draft.edit(2, object(json!({"seed": -1}))).unwrap();
    assert!(!draft.settle(1, true));
    assert!(draft.settle(2, false));
    assert!(!draft.settle(2, false), "it is settled");
    assert_eq!(draft.document.json["seed"], json!(1));
    assert_eq!(draft.steps(), (false, false));
}

#[test]
fn a_document_that_crosses_an_edit_does_not_undo_it() {
    let mut draft = Draft::default();
    draft.edit(1, object(json!({"seed": 5}))).unwrap();
    let older = json!({"seed": 0, "learned": {"hash": attachment(1).name()}});
    assert!(draft.take(object(older.clone()), vec![attachment(1)]));
    assert_eq!((&draft.document.json["seed"], draft.document.attachments.len()), (&json!(5), 1));
    draft.settle(1, true);
    draft.take(object(older), vec![attachment(1)]);
    assert_eq!(draft.document.json["seed"], json!(0));
}

#[test]
fn what_an_act_brought_is_undone_and_comes_back_with_its_audio() {
    let mut draft = Draft::default();
    let learned = json!({"learned": {"hash": attachment(1).name()}});
    draft.take(object(learned.clone()), vec![attachment(1)]);
    assert_eq!(draft.steps(), (false, false), "nobody did that by hand");
    draft.acted();
    let timbre = json!({"timbre": {"hash": attachment(2).name()}, "learned": learned["learned"]});
    draft.take(object(timbre), vec![attachment(1), attachment(2)]);
    let sent = draft.undo(1).unwrap();
    assert_eq!((Value::Object(sent.keys), sent.attachments.len()), (json!({"timbre": null}), 0));
    assert_eq!(draft.document.attachments, [attachment(1)]);
    assert_eq!(draft.redo(2).unwrap().attachments, [attachment(2)]);
    assert_eq!(draft.document.attachments.len(), 2);
}

#[test]
fn a_load_leaves_nothing_to_undo_and_only_so_many_steps_are_kept() {
    let mut draft = Draft::default();
    for seed in 0..STEPS as u64 + 10 {
        draft.edit(seed, object(json!({"seed": seed + 1}))).unwrap();
    }
    assert_eq!((0..).take_while(|_| draft.undo(0).is_some()).count(), STEPS);
    assert_eq!(draft.document.json["seed"], json!(10));
    draft.load(Document::default());
    assert_eq!(draft.steps(), (false, false));
}
