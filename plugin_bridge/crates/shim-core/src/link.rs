//! The thread that talks to the sidecar: one per instance, from its first activation to its end.

mod asked;
mod inbound;
mod outbound;
mod session;

use crate::{
    Outcome, Status,
    draft::Change,
    launch::{self, Launch},
    log,
    peer::Reach,
    record::Kind,
    ring::{Answer, LinkEnds},
    runfile,
    shared::Shared,
    shelf::Shelf,
    timeline::Timeline,
    wait::Trouble,
};
use serde_json::{Map, Value};
use session::End;
use std::{
    collections::VecDeque,
    io,
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, error::TryRecvError, unbounded_channel};

/// What the main thread asks of the link.
pub(crate) enum Command {
    /// Render into another timeline.
    Timeline(Arc<Timeline>),
    /// The document was replaced.
    State,
    /// A command's number, and keys of the document that changed.
    Edit(u64, Change),
    Act(Act),
    /// An editor opened or closed.
    Watch,
}

/// An `act` of PROTOCOL section 2, by command number.
pub(crate) struct Act {
    pub number: u64,
    pub verb: String,
    pub arguments: Map<String, Value>,
    pub attachments: Vec<(String, Arc<[u8]>)>,
}

/// What an editor asked for, in its order.
enum Request {
    Edit(u64, Change),
    Act(Act),
}

/// The main thread's handle. Dropping it says goodbye to the sidecar.
pub(crate) struct Link {
    shared: Arc<Shared>,
    commands: Option<UnboundedSender<Command>>,
    ended: mpsc::Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

/// A host waits for a plugin that is being removed; the goodbye takes milliseconds.
const GOODBYE: Duration = Duration::from_millis(500);

impl Link {
    /// # Errors
    /// When the thread or its event loop cannot be made.
    pub(crate) fn start(shared: Arc<Shared>, ends: LinkEnds) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let (commands, receiver) = unbounded_channel();
        let (end, ended) = mpsc::channel();
        let courier = Courier::new(shared.clone(), ends, receiver);
        let thread = std::thread::Builder::new().name("demon-link".into()).spawn(move || {
            runtime.block_on(courier.run());
            runtime.shutdown_background();
            let _ = end.send(());
        })?;
        Ok(Self { shared, commands: Some(commands), ended, thread: Some(thread) })
    }

    pub(crate) fn send(&self, command: Command) {
        if let Some(commands) = &self.commands {
            let _ = commands.send(command);
            self.shared.wake.notify_one();
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.commands = None;
        self.shared.wake.notify_one();
        let ended = !matches!(self.ended.recv_timeout(GOODBYE), Err(mpsc::RecvTimeoutError::Timeout));
        if let Some(thread) = self.thread.take().filter(|_| ended) {
            let _ = thread.join();
        }
    }
}

/// How often a link without a sidecar looks for one.
const LOOK: Duration = Duration::from_millis(100);
/// The same while none can be started: until the user installs or mends something.
const ABSENT: Duration = Duration::from_secs(1);
/// After a sidecar refused this plugin; nothing changes until the user acts.
const REFUSED: Duration = Duration::from_secs(5);

/// What outlives a connection.
struct Courier {
    shared: Arc<Shared>,
    ends: LinkEnds,
    commands: UnboundedReceiver<Command>,
    shelf: Option<Shelf>,
    /// Answers that the audio thread's ring had no room for.
    answers: VecDeque<Answer>,
    /// One more than the last capture record that the audio thread announced.
    captured: u64,
    state_is_new: bool,
    timeline_is_new: bool,
    watch_is_new: bool,
    requests: VecDeque<Request>,
    closed: bool,
    /// What the user is told while no pass has failed.
    standing: (Status, String),
    failure: Option<(u32, Trouble)>,
}

impl Courier {
    fn new(shared: Arc<Shared>, ends: LinkEnds, commands: UnboundedReceiver<Command>) -> Self {
        Self {
            shared,
            ends,
            commands,
            shelf: None,
            answers: VecDeque::new(),
            captured: 0,
            state_is_new: false,
            timeline_is_new: false,
            watch_is_new: false,
            requests: VecDeque::new(),
            closed: false,
            standing: (Status::Starting, "looking for the sidecar".into()),
            failure: None,
        }
    }

    async fn run(mut self) {
        while !self.closed {
            let pause = match runfile::live().filter(|_| self.shelf.is_some()) {
                Some(run) => match session::run(&mut self, &run).await {
                    End::Closed => return,
                    End::Lost(text) => self.lost(&text),
                    End::Refused(text) => self.refused(&text),
                },
                None => self.launch(),
            };
            self.idle(pause).await;
        }
    }

    fn lost(&mut self, text: &str) -> Duration {
        self.stand(Reach::Starting, Status::Starting, text);
        LOOK
    }

    /// No bounce waits for a sidecar that will not have this plugin.
    fn refused(&mut self, text: &str) -> Duration {
        self.stand(Reach::Absent, Status::Failed, text);
        REFUSED
    }

    fn launch(&mut self) -> Duration {
        if self.shelf.is_none() {
            return LOOK;
        }
        match launch::request() {
            Launch::Started(pid) => {
                self.note(&format!("started the sidecar, process {pid}"));
                self.stand(Reach::Starting, Status::Starting, "the sidecar is starting");
            }
            Launch::Pending => self.stand(Reach::Starting, Status::Starting, "the sidecar is starting"),
            Launch::Impossible(text) => {
                self.stand(Reach::Absent, Status::Offline, &text);
                return ABSENT;
            }
            Launch::Exhausted(text) => {
                self.stand(Reach::Absent, Status::Failed, &text);
                return ABSENT;
            }
        }
        LOOK
    }

    /// Says where the link stands, and wakes who waits for it to change.
    fn stand(&mut self, reach: Reach, status: Status, text: &str) {
        if self.standing != (status, text.to_owned()) {
            self.note(text);
        }
        self.standing = (status, text.to_owned());
        self.shared.peer.set_reach(reach);
        self.shared.bell.ring();
        self.tell();
    }

    /// Without a sidecar: what the audio thread says is void, because a new one is told everything.
    async fn idle(&mut self, pause: Duration) {
        let until = tokio::time::Instant::now() + pause;
        while tokio::time::Instant::now() < until && !self.closed {
            self.void_records();
            self.take_commands();
            self.void_requests();
            self.tell();
            let tick = Duration::from_millis(10);
            let _ = tokio::time::timeout(tick, self.shared.wake.notified()).await;
        }
    }

    fn void_records(&mut self) {
        while let Ok(record) = self.ends.records.pop() {
            if record.kind == Kind::Capture {
                self.captured = record.value as u64 + 1;
            }
        }
    }

    /// Without a sidecar nobody acts; an edit is in the document, which the next sidecar is sent as a whole.
    fn void_requests(&mut self) {
        for request in self.requests.drain(..) {
            if let Request::Act(act) = request {
                let text = format!("no sidecar is connected ({}): try again when it is", self.standing.1);
                self.shared.outcomes.close(act.number, Outcome::Refused(text));
            }
        }
    }

    /// Takes what the main thread asked for; a timeline only replaces the last one.
    fn take_commands(&mut self) {
        loop {
            match self.commands.try_recv() {
                Ok(Command::Timeline(timeline)) => {
                    self.shelf = Some(Shelf::new(timeline));
                    self.captured = 0;
                    self.timeline_is_new = true;
                }
                Ok(Command::State) => self.state_is_new = true,
                Ok(Command::Edit(number, change)) => self.requests.push_back(Request::Edit(number, change)),
                Ok(Command::Act(act)) => self.requests.push_back(Request::Act(act)),
                Ok(Command::Watch) => self.watch_is_new = true,
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => return self.closed = true,
            }
        }
    }

    /// A pass that failed is what the user is told first.
    fn tell(&mut self) {
        let failure = self.shared.failure();
        if failure != self.failure {
            self.failure = failure;
            if let Some((pass, trouble)) = failure {
                self.note(&format!("pass {pass}: {}", trouble.text()));
            }
        }
        match failure {
            Some((_, trouble)) => self.shared.set_status(Status::Failed, trouble.text()),
            None => self.shared.set_status(self.standing.0, &self.standing.1),
        }
    }

    fn note(&self, text: &str) {
        log::line(&self.shared.id, text);
    }
}
