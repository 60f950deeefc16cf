//! What the threads of one instance share.

use crate::{
    Status,
    bell::Bell,
    document::Document,
    draft::Draft,
    instance::{Notice, Notifier},
    look::Look,
    outcome::Outcomes,
    parameters::{self, COUNT, Curve, STATUS},
    peer::Peer,
    scene::Scene,
    wait::Trouble,
};
use serde_json::{Map, Value};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

pub(crate) struct Shared {
    /// 32 hexadecimal digits.
    pub id: String,
    pub host: String,
    pub peer: Peer,
    pub bell: Bell,
    /// Wakes the link; rung by the audio thread only offline.
    pub wake: tokio::sync::Notify,
    values: [AtomicU64; COUNT],
    waiting: AtomicBool,
    /// Pass number << 8 | `Trouble`, of the last pass that failed; 0 for none.
    failure: AtomicU64,
    draft: Mutex<Draft>,
    pub outcomes: Outcomes,
    /// The last one that the sidecar sent while it was watched.
    scene: Mutex<Option<Arc<Scene>>>,
    /// An editor is open.
    watched: AtomicBool,
    look: Mutex<Look>,
    /// How often the host loaded a state. What the sidecar says about an older one must not overwrite it.
    loads: AtomicU64,
    status_text: Mutex<String>,
    /// Rate and latency of the activation in force.
    active: Mutex<Option<(u32, u32)>>,
    notifier: Mutex<Option<Arc<Notifier>>>,
}

/// A panic elsewhere must not take the instance with it; everything behind these locks is replaced as a whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(host: &str) -> Self {
        Self {
            id: random_id(),
            host: host.chars().take(64).collect(),
            peer: Peer::new(),
            bell: Bell::default(),
            wake: tokio::sync::Notify::new(),
            values: std::array::from_fn(|index| AtomicU64::new(parameters::table()[index].default.to_bits())),
            waiting: AtomicBool::new(false),
            failure: AtomicU64::new(0),
            draft: Mutex::default(),
            outcomes: Outcomes::default(),
            scene: Mutex::default(),
            watched: AtomicBool::new(false),
            look: Mutex::default(),
            loads: AtomicU64::new(0),
            status_text: Mutex::new(String::from("no audio yet: activate the plugin")),
            active: Mutex::new(None),
            notifier: Mutex::new(None),
        }
    }

    pub(crate) fn value(&self, index: usize) -> f64 {
        if index == STATUS { f64::from(self.status() as u8) } else { self.stored(index) }
    }

    fn stored(&self, index: usize) -> f64 {
        f64::from_bits(self.values[index].load(Ordering::Relaxed))
    }

    /// `plain` must be quantised.
    pub(crate) fn set_value(&self, index: usize, plain: f64) {
        self.values[index].store(plain.to_bits(), Ordering::Relaxed);
    }

    /// Every value that a host may write, by table index.
    pub(crate) fn host_values(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let hosts = |index: &usize| parameters::table()[*index].curve != Curve::Status;
        (0..COUNT).filter(hosts).map(|index| (index, self.value(index)))
    }

    pub(crate) fn draft(&self) -> MutexGuard<'_, Draft> {
        lock(&self.draft)
    }

    /// The document changed, and with it perhaps what parameters are called.
    pub(crate) fn tell_names(&self) {
        let renamed = self.draft().renamed();
        if renamed {
            self.notify(Notice::NamesChanged);
        }
    }

    pub(crate) fn scene(&self) -> Option<Arc<Scene>> {
        lock(&self.scene).clone()
    }

    pub(crate) fn look(&self) -> Look {
        *lock(&self.look)
    }

    pub(crate) fn set_look(&self, look: Look) {
        *lock(&self.look) = look;
    }

    pub(crate) fn is_watched(&self) -> bool {
        self.watched.load(Ordering::Acquire)
    }

    pub(crate) fn set_watched(&self, watched: bool) {
        self.watched.store(watched, Ordering::Release);
        if !watched {
            self.set_scene(None);
        }
    }

    pub(crate) fn set_scene(&self, scene: Option<Scene>) {
        *lock(&self.scene) = scene.map(Arc::new);
    }

    /// To be called while the draft is held.
    pub(crate) fn loads(&self) -> u64 {
        self.loads.load(Ordering::Acquire)
    }

    /// The host loaded a state: absent keys keep their value.
    pub(crate) fn load(&self, loaded: Document) {
        let mut draft = self.draft();
        draft.load(loaded);
        self.loads.fetch_add(1, Ordering::AcqRel);
        drop(draft);
        self.check_latency();
    }

    /// A preset was loaded: as [`Shared::load`], with a way back.
    pub(crate) fn load_preset(&self, json: Map<String, Value>) {
        let mut draft = self.draft();
        let now = draft.document.with_values(self).json.remove("parameters").unwrap_or_default();
        draft.load_preset(json, now);
        self.loads.fetch_add(1, Ordering::AcqRel);
        drop(draft);
        self.check_latency();
    }

    /// An activation at this rate begins; returns the latency that it declares.
    pub(crate) fn activate(&self, rate: u32) -> u32 {
        let latency = self.draft().document.latency(rate);
        *lock(&self.active) = Some((rate, latency));
        latency
    }

    pub(crate) fn deactivate(&self) {
        *lock(&self.active) = None;
    }

    /// The document changed: a latency other than the one in force takes another activation.
    fn check_latency(&self) {
        let active = *lock(&self.active);
        if active.is_some_and(|(rate, latency)| self.draft().document.latency(rate) != latency) {
            self.tell(Notice::LatencyChanged);
        }
    }

    pub(crate) fn waiting(&self, waiting: bool) {
        self.waiting.store(waiting, Ordering::Release);
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Acquire)
    }

    /// Audio thread: this pass failed and is dry from here.
    pub(crate) fn pass_failed(&self, pass: u32, trouble: Trouble) {
        self.failure.store(u64::from(pass) << 8 | trouble as u64, Ordering::Release);
    }

    /// Audio thread: a pass began, so an earlier failure is history.
    pub(crate) fn pass_began(&self) {
        self.failure.store(0, Ordering::Release);
    }

    pub(crate) fn failure(&self) -> Option<(u32, Trouble)> {
        let word = self.failure.load(Ordering::Acquire);
        (word != 0).then(|| ((word >> 8) as u32, Trouble::from_code(word as u8)))
    }

    /// A pass that failed shows in the very block in which it did, whatever the link is busy with.
    pub(crate) fn status(&self) -> Status {
        if self.failure().is_some() { Status::Failed } else { Status::from_code(self.stored(STATUS) as u8) }
    }

    pub(crate) fn status_text(&self) -> String {
        self.failure().map_or_else(|| lock(&self.status_text).clone(), |(_, trouble)| trouble.text().to_owned())
    }

    /// Sets what the user is told; tells the format layer where it changed.
    pub(crate) fn set_status(&self, status: Status, text: &str) {
        let code = f64::from(status as u8);
        let changed = self.stored(STATUS) != code || *lock(&self.status_text) != text;
        if changed {
            self.set_value(STATUS, code);
            text.clone_into(&mut lock(&self.status_text));
            self.notify(Notice::StatusChanged);
        }
    }

    pub(crate) fn set_notifier(&self, notifier: Notifier) {
        *lock(&self.notifier) = Some(Arc::new(notifier));
    }

    /// Not while the draft is held.
    pub(crate) fn notify(&self, notice: Notice) {
        self.tell(notice);
        if notice == Notice::DocumentChanged {
            self.check_latency();
        }
    }

    fn tell(&self, notice: Notice) {
        // Called outside the lock: a format layer may set another notifier from within.
        let notifier = lock(&self.notifier).clone();
        if let Some(notifier) = notifier {
            notifier(notice);
        }
    }
}

fn random_id() -> String {
    let mut bytes = [0u8; 16];
    // Without randomness process and clock still tell instances apart.
    if rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()) != Ok(bytes.len()) {
        let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        bytes = (clock.as_nanos() ^ u128::from(std::process::id()) << 96).to_le_bytes();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_pass_is_the_status_at_once_and_until_the_next_pass() {
        let shared = Shared::new("test");
        shared.set_status(Status::Starting, "connecting");
        shared.pass_failed(1, Trouble::Died);
        assert_eq!((shared.status(), shared.value(STATUS)), (Status::Failed, f64::from(Status::Failed as u8)));
        shared.set_status(Status::Ready, "");
        assert_eq!((shared.status(), shared.status_text()), (Status::Failed, Trouble::Died.text().to_owned()));
        shared.pass_began();
        assert_eq!((shared.status(), shared.status_text()), (Status::Ready, String::new()));
    }
}
