//! What comes from the sidecar.

use super::{
    Courier,
    session::{self, End, Session},
};
use crate::{
    Scene, SceneHead, Status,
    document::{self, Attachment},
    instance::Notice,
    message::{MAX_FRAMES, Message, PROTOCOL, Published},
    parameters,
    peer::Reach,
    ring::Answer,
    state::{MAX_ATTACHMENT, MAX_DOCUMENT},
};
use zeromq::ZmqMessage;

/// Messages that cannot be used are logged this often per connection.
const COMPLAINTS: u32 = 20;
/// Answers that wait for the audio thread to come back; older ones are of passes long gone.
const ANSWERS: usize = 256;

type Frames = std::collections::VecDeque<bytes::Bytes>;

impl Session {
    pub(super) async fn receive(&mut self, courier: &mut Courier, message: ZmqMessage) -> Result<(), End> {
        let mut frames = message.into_vecdeque();
        let head = frames.pop_front().unwrap_or_default();
        let message = if frames.len() < MAX_FRAMES { Message::decode(&head) } else { Err("too many frames".into()) };
        match message {
            Ok(message) => {
                // A bounce waits for as long as there is progress; neither beating nor talking is any.
                let idle = matches!(message, Message::Pong { .. } | Message::Health { .. } | Message::Scene(_));
                courier.shared.peer.touch(!idle);
                self.handle(courier, message, frames).await
            }
            Err(text) => {
                self.complain(courier, &text);
                Ok(())
            }
        }
    }

    async fn handle(&mut self, courier: &mut Courier, message: Message, frames: Frames) -> Result<(), End> {
        match message {
            Message::Welcome { protocol, .. } if protocol != PROTOCOL => return Err(session::foreign(protocol)),
            Message::Welcome { .. } if !self.welcomed => self.introduce(courier).await.map_err(End::Lost)?,
            Message::Failed { id, code, text, fix } => self.failed(courier, id, &code, &format!("{text} {fix}"))?,
            Message::Applied { id, .. } if self.opening == Some(id) => self.opened(courier).await.map_err(End::Lost)?,
            Message::Applied { id, text, .. } => {
                self.asked.applied(&courier.shared, id, &text);
                self.state = self.state.filter(|state| *state != id);
            }
            Message::Scene(head) => self.scene(courier, head, &frames),
            Message::Pass { pass, start, end, wet, .. } => courier.answer(Answer { pass, start, end, wet }),
            Message::Publish { epoch, pass, count, .. } => self.publish(courier, epoch, pass, count, &frames),
            Message::Captured { count } => {
                courier.shared.peer.set_captured(count);
                courier.shared.bell.ring();
            }
            Message::Document { attachments, values, .. } => {
                let known = self.state.is_none().then_some(self.loads);
                if let Err(text) = courier.take_document(&attachments, &values, frames, known) {
                    self.complain(courier, &text);
                }
            }
            Message::Health { state, code, text, fix, .. } => courier.health(&state, &code, &format!("{text} {fix}")),
            _ => {}
        }
        Ok(())
    }

    /// The sidecar has mapped the timeline.
    async fn opened(&mut self, courier: &mut Courier) -> Result<(), String> {
        self.opening = None;
        self.send_values(courier).await?;
        courier.shared.peer.set_captured(courier.captured);
        courier.shared.peer.connected(courier.shelf.as_ref().map_or(0, |shelf| shelf.timeline.epoch));
        if courier.standing.0 == Status::Starting {
            courier.stand(Reach::Connected, Status::Dry, "connected to the sidecar");
        }
        courier.shared.bell.ring();
        Ok(())
    }

    fn failed(&mut self, courier: &mut Courier, id: u64, code: &str, text: &str) -> Result<(), End> {
        courier.note(&format!("the sidecar refused ({code}): {text}"));
        if !self.welcomed || self.opening == Some(id) {
            return Err(End::Refused(text.into()));
        }
        if self.asked.failed(&courier.shared, id, text) {
            return Ok(());
        }
        let reach = courier.shared.peer.reach();
        courier.stand(reach, Status::Failed, text);
        if self.state != Some(id) {
            courier.shared.peer.fail();
            courier.shared.bell.ring();
        }
        Ok(())
    }

    fn publish(&mut self, courier: &mut Courier, epoch: u32, pass: u32, count: u32, frames: &Frames) {
        let Some(shelf) = courier.shelf.as_mut().filter(|_| self.opening.is_none()) else { return };
        // Of a timeline that was replaced meanwhile; its slots are gone with it.
        if epoch != shelf.timeline.epoch {
            return;
        }
        let records = Published::decode_all(frames.front().map_or(&[], |frame| &frame[..]), count);
        let refused = records.map(|records| shelf.publish(pass, &records));
        courier.shared.bell.ring();
        match refused {
            Ok(0) => {}
            Ok(refused) => self.complain(courier, &format!("publish: {refused} slots are not the sidecar's to name")),
            Err(text) => self.complain(courier, &text),
        }
    }

    fn scene(&mut self, courier: &Courier, head: SceneHead, frames: &Frames) {
        let frames: Vec<&[u8]> = frames.iter().map(|frame| &frame[..]).collect();
        match Scene::decode(head, &frames) {
            // One that was on its way when the editor closed is of nobody's interest.
            Ok(scene) if courier.shared.is_watched() => courier.shared.set_scene(Some(scene)),
            Ok(_) => {}
            Err(text) => self.complain(courier, &text),
        }
    }

    fn complain(&mut self, courier: &Courier, text: &str) {
        self.complaints += 1;
        if self.complaints <= COMPLAINTS {
            courier.note(&format!("from the sidecar: {text}"));
        }
    }
}

impl Courier {
    fn answer(&mut self, answer: Answer) {
        if self.answers.len() == ANSWERS {
            self.answers.pop_front();
        }
        self.answers.push_back(answer);
        self.pass_answers();
        self.shared.bell.ring();
    }

    /// Hands answers to the audio thread as far as there is room.
    pub(super) fn pass_answers(&mut self) {
        while let Some(&answer) = self.answers.front() {
            if self.ends.answers.push(answer).is_err() {
                return;
            }
            self.answers.pop_front();
        }
    }

    fn health(&mut self, state: &str, code: &str, text: &str) {
        let status = match state {
            "starting" => Status::Starting,
            "dry" => Status::Dry,
            "ready" => Status::Ready,
            "late" => Status::Late,
            _ => Status::Failed,
        };
        if status == Status::Failed {
            self.note(&format!("the sidecar failed ({code}): {text}"));
            self.shared.peer.fail();
        }
        let (reach, text) = (self.shared.peer.reach(), text.trim());
        self.stand(reach, status, if text.is_empty() { state } else { text });
    }

    /// The sidecar changed something worth saving. `set`: the parameters whose values are news, because they are not
    /// this side's own. `known`: how many of the host's loads it knew; none while a newer state is on its way to it,
    /// which it will answer.
    fn take_document(
        &self,
        names: &[String],
        set: &[String],
        mut frames: Frames,
        known: Option<u64>,
    ) -> Result<(), String> {
        let json = frames.pop_front().filter(|json| json.len() <= MAX_DOCUMENT).ok_or("document: no JSON in bounds")?;
        let (json, _) = document::parse(&json).map_err(|error| error.to_string())?;
        if frames.len() != names.len() || frames.iter().any(|frame| frame.len() > MAX_ATTACHMENT) {
            return Err("document: its attachments are not in bounds".into());
        }
        let attachments = names.iter().zip(frames).map(|(name, bytes)| {
            let hash = Attachment::parse_name(name).ok_or_else(|| format!("document: {name} is no content hash"))?;
            Ok(Attachment { hash, bytes: bytes[..].into() })
        });
        let attachments = attachments.collect::<Result<Vec<_>, String>>()?;
        let values = document::values(&json).map_err(|error| error.to_string())?;
        let news = values.into_iter().filter(|(index, _)| set.iter().any(|key| key == parameters::table()[*index].key));
        let news: Vec<_> = news.collect();
        let changed = {
            let mut draft = self.shared.draft();
            if known != Some(self.shared.loads()) {
                return Ok(());
            }
            draft.take(json, attachments)
        };
        self.take_values(&news);
        if changed {
            self.shared.tell_names();
            self.shared.notify(Notice::DocumentChanged);
        }
        Ok(())
    }

    fn take_values(&self, values: &[(usize, f64)]) {
        for &(index, value) in values {
            self.shared.set_value(index, value);
        }
        if !values.is_empty() {
            self.shared.notify(Notice::ValuesChanged);
        }
    }
}
