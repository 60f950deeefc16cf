//! What goes to the sidecar.

use super::{Act, Courier, Request, session::Session};
use crate::{
    draft::Change,
    message::{MAX_RECORDS, Message},
    parameters,
    record::{BYTES, Kind, Record},
    state::MAX_ATTACHMENTS,
};
use std::time::Instant;

impl Session {
    /// Names the timeline; until it is applied nothing is published to it.
    pub(super) async fn open_timeline(&mut self, courier: &mut Courier) -> Result<(), String> {
        let Some(shelf) = &courier.shelf else { return Ok(()) };
        let (timeline, id) = (shelf.timeline.clone(), self.next_id());
        (self.opening, self.announced) = (Some(id), false);
        let layout = timeline.layout;
        let (epoch, fd) = (timeline.epoch, timeline.fd());
        self.send(&Message::Timeline { id, epoch, fd, bytes: layout.bytes, rate: layout.rate }, []).await
    }

    pub(super) async fn send_state(&mut self, courier: &mut Courier) -> Result<(), String> {
        let (document, edits) = {
            let mut draft = courier.shared.draft();
            self.loads = courier.shared.loads();
            (draft.document.with_values(&courier.shared), draft.cover())
        };
        let attachments: Vec<_> = document.attachments.iter().take(MAX_ATTACHMENTS).collect();
        let id = self.next_id();
        self.state = Some(id);
        self.asked.state(id, edits);
        let message = Message::State {
            id,
            instance: courier.shared.id.clone(),
            attachments: attachments.iter().map(|attachment| attachment.name()).collect(),
        };
        let json = serde_json::to_vec(&document.json).map_err(|error| format!("the document: {error}"))?;
        let frames = attachments.iter().map(|attachment| attachment.bytes.to_vec());
        self.send(&message, std::iter::once(json).chain(frames)).await
    }

    /// What the editor asked for.
    pub(super) async fn send_requests(&mut self, courier: &mut Courier) -> Result<(), String> {
        while let Some(request) = courier.requests.pop_front() {
            match request {
                Request::Edit(number, change) => self.send_edit(courier, number, change).await?,
                Request::Act(act) => self.send_act(courier, act).await?,
            }
        }
        Ok(())
    }

    async fn send_edit(&mut self, courier: &mut Courier, number: u64, change: Change) -> Result<(), String> {
        let id = self.next_id();
        self.asked.edit(id, number);
        let attachments = change.attachments.iter().take(MAX_ATTACHMENTS);
        let names = attachments.clone().map(|attachment| attachment.name()).collect();
        let json = serde_json::to_vec(&change.keys).map_err(|error| format!("an edit: {error}"))?;
        let frames = attachments.map(|attachment| attachment.bytes.to_vec());
        let message = Message::State { id, instance: courier.shared.id.clone(), attachments: names };
        self.send(&message, std::iter::once(json).chain(frames)).await
    }

    async fn send_act(&mut self, courier: &Courier, act: Act) -> Result<(), String> {
        let id = self.next_id();
        self.asked.act(id, act.number);
        let (names, frames): (Vec<_>, Vec<_>) = act.attachments.into_iter().unzip();
        let message = Message::Act { id, instance: courier.shared.id.clone(), verb: act.verb, attachments: names };
        let json = serde_json::to_vec(&act.arguments).map_err(|error| format!("an act: {error}"))?;
        let frames = frames.into_iter().map(|bytes| bytes.to_vec());
        self.send(&message, std::iter::once(json).chain(frames)).await
    }

    pub(super) async fn send_watch(&mut self, courier: &Courier) -> Result<(), String> {
        let (id, on) = (self.next_id(), courier.shared.is_watched());
        self.asked.watch(id);
        self.send(&Message::Watch { id, instance: courier.shared.id.clone(), on }, []).await
    }

    /// Sends up to `count` records of the audio thread. Those of a pass that this sidecar was not told of are void.
    pub(super) async fn send_records(&mut self, courier: &mut Courier, count: usize) -> Result<(), String> {
        let mut frame = Vec::new();
        for _ in 0..count {
            let Ok(record) = courier.ends.records.pop() else { break };
            self.announced |= record.kind == Kind::Pass && self.opening.is_none();
            if record.kind == Kind::Capture {
                courier.captured = record.value as u64 + 1;
            }
            if self.opening.is_some() || (record.pass != 0 && !self.announced) {
                continue;
            }
            frame.extend_from_slice(&record.to_bytes());
            if frame.len() == MAX_RECORDS * BYTES {
                self.send_automation(std::mem::take(&mut frame)).await?;
            }
        }
        if frame.is_empty() { Ok(()) } else { self.send_automation(frame).await }
    }

    /// Every value, outside a pass.
    pub(super) async fn send_values(&mut self, courier: &mut Courier) -> Result<(), String> {
        let mut frame = Vec::new();
        for (index, value) in courier.shared.host_values() {
            let id = parameters::table()[index].id;
            frame.extend_from_slice(&Record::breakpoint(false, id, 0, 0, value).to_bytes());
        }
        self.send_automation(frame).await
    }

    async fn send_automation(&mut self, frame: Vec<u8>) -> Result<(), String> {
        let (first, count) = (self.records, (frame.len() / BYTES) as u32);
        self.records += u64::from(count);
        self.spoke = Instant::now();
        self.send(&Message::Automation { first, count }, [frame]).await
    }

    /// Gives slots back that nothing reads any more.
    pub(super) async fn send_free(&mut self, courier: &mut Courier) -> Result<(), String> {
        let Some(shelf) = courier.shelf.as_mut().filter(|_| self.opening.is_none()) else { return Ok(()) };
        for slots in shelf.collect().chunks(MAX_RECORDS) {
            let frame = slots.iter().flat_map(|slot| slot.to_le_bytes()).collect();
            self.send(&Message::Free { count: slots.len() as u32 }, [frame]).await?;
        }
        Ok(())
    }
}
