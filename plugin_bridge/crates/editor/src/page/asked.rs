//! What the user asked of the instance beside parameters, and what became of it.

use std::sync::Arc;

use serde_json::{Map, Value};
use shim_core::{EditError, Instance, Outcome};

pub struct Asked {
    instance: Arc<Instance>,
    open: Vec<u64>,
    /// The last refusal, until the user has read it.
    pub refused: Option<String>,
    /// What came of the last act that had something to say.
    pub said: Option<(u64, String)>,
}

impl Asked {
    pub fn new(instance: Arc<Instance>) -> Self {
        Self { instance, open: Vec::new(), refused: None, said: None }
    }

    /// Changes keys of the document; `changes` is an object.
    pub fn edit(&mut self, changes: Value) {
        let answer = self.instance.edit(object(changes));
        self.note(answer);
    }

    /// Has the sidecar do something; `arguments` is an object. The number under which it will have said something.
    pub fn act(&mut self, verb: &str, arguments: Value, attachments: Vec<(String, Arc<[u8]>)>) -> Option<u64> {
        self.said = None;
        let answer = self.instance.act(verb, object(arguments), attachments);
        let number = answer.as_ref().ok().copied();
        self.note(answer);
        number
    }

    fn note(&mut self, answer: Result<u64, EditError>) {
        match answer {
            Ok(number) => self.open.push(number),
            Err(error) => self.refused = Some(error.to_string()),
        }
    }

    /// Takes the answers that came; whether there is something new to show.
    pub fn settle(&mut self) -> bool {
        let before = self.open.len();
        let (instance, refused, said) = (&self.instance, &mut self.refused, &mut self.said);
        self.open.retain(|number| match instance.outcome(*number) {
            Some(Outcome::Pending) => true,
            Some(Outcome::Refused(text)) => {
                *refused = Some(text);
                false
            }
            Some(Outcome::Done(text)) => {
                if !text.is_empty() {
                    *said = Some((*number, text));
                }
                false
            }
            None => false,
        });
        self.open.len() != before
    }

    /// Whether something is under way.
    pub fn is_busy(&self) -> bool {
        !self.open.is_empty()
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
