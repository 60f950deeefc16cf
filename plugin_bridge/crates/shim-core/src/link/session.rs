//! One connection to one sidecar.

use super::{Courier, asked::Asked};
use crate::{
    Status, launch,
    message::{Message, PROTOCOL},
    peer::Reach,
    runfile::{self, RunFile},
};
use std::time::{Duration, Instant};
use zeromq::{DealerSocket, Socket, SocketEvent, SocketOptions, SocketRecv, SocketSend, ZmqMessage};

/// PROTOCOL section 2: `ping` every 250 ms, gone after 5 s of silence.
const HEARTBEAT: Duration = Duration::from_millis(250);
const GONE_MS: u64 = 5000;
/// While a bounce waits it is the wait that gives up (20 s); the link must not do so before it.
const GONE_WAITING_MS: u64 = 30_000;
const CONNECT: Duration = Duration::from_secs(2);
/// In real time the audio thread wakes nobody, so its ring is looked at this often.
const TICK: Duration = Duration::from_millis(1);
/// The same while nothing was said for a while.
const REST: Duration = Duration::from_millis(10);
const RESTED: Duration = Duration::from_secs(1);
/// How long a block may hold slots that a new sidecar would take for its own.
const SETTLE: Duration = Duration::from_secs(1);
/// The writer's time to send the last message.
const FLUSH: Duration = Duration::from_millis(20);

/// Why a connection ended.
pub(super) enum End {
    /// The instance goes.
    Closed,
    /// The sidecar died or fell silent.
    Lost(String),
    /// The sidecar does not want this plugin.
    Refused(String),
}

/// A connection in progress.
pub(super) struct Session {
    socket: DealerSocket,
    monitor: futures_channel::mpsc::Receiver<SocketEvent>,
    pid: u32,
    last_id: u64,
    /// The `timeline` command that is not applied yet; its timeline must not be read or published to.
    pub(super) opening: Option<u64>,
    /// The `state` command that is not applied yet.
    pub(super) state: Option<u64>,
    /// How many loads of the host the last `state` that was sent included.
    pub(super) loads: u64,
    /// Commands of the editor that the sidecar has not answered.
    pub(super) asked: Asked,
    pub(super) welcomed: bool,
    /// Records sent over this connection.
    pub(super) records: u64,
    /// A PASS was sent over this connection, so that records of a pass mean something to this sidecar.
    pub(super) announced: bool,
    pub(super) spoke: Instant,
    pinged: Instant,
    checked: Instant,
    pub(super) complaints: u32,
}

/// A sidecar of another version.
pub(super) fn foreign(protocol: u16) -> End {
    End::Refused(format!(
        "the sidecar speaks protocol {protocol}, this plugin {PROTOCOL}: run `demon plugin install` and restart both"
    ))
}

pub(super) async fn run(courier: &mut Courier, run: &RunFile) -> End {
    if run.protocol != PROTOCOL {
        return foreign(run.protocol);
    }
    courier.stand(Reach::Starting, Status::Starting, "connecting to the sidecar");
    match Session::open(courier, run).await {
        Ok(mut session) => {
            let end = session.serve(courier).await;
            session.asked.abandon(&courier.shared);
            courier.shared.set_scene(None);
            end
        }
        Err(text) => End::Lost(text),
    }
}

impl Session {
    async fn open(courier: &mut Courier, run: &RunFile) -> Result<Self, String> {
        let mut options = SocketOptions::default();
        options.connect_timeout(CONNECT);
        let mut socket = DealerSocket::with_options(options);
        let monitor = socket.monitor();
        let endpoint = format!("tcp://127.0.0.1:{}", run.port);
        socket
            .connect(&endpoint)
            .await
            .map_err(|error| format!("the sidecar at {endpoint} does not answer: {error}"))?;
        let now = Instant::now();
        let mut session = Self {
            socket,
            monitor,
            pid: run.pid,
            last_id: 0,
            opening: None,
            state: None,
            loads: 0,
            asked: Asked::default(),
            welcomed: false,
            records: 0,
            announced: false,
            spoke: now,
            pinged: now,
            checked: now,
            complaints: 0,
        };
        courier.shared.peer.touch(true);
        let hello = Message::Hello {
            id: session.next_id(),
            protocol: PROTOCOL,
            token: run.token.clone(),
            role: "plugin".into(),
            instance: courier.shared.id.clone(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").into(),
            host: courier.shared.host.clone(),
        };
        session.send(&hello, []).await?;
        Ok(session)
    }

    async fn serve(&mut self, courier: &mut Courier) -> End {
        loop {
            match self.turn(courier).await {
                Ok(()) if courier.closed => return End::Closed,
                Ok(()) => {}
                Err(end) => return end,
            }
            let tick = if self.spoke.elapsed() < RESTED || courier.shared.is_waiting() { TICK } else { REST };
            let received = tokio::select! {
                biased;
                message = self.socket.recv() => Some(message),
                () = courier.shared.wake.notified() => None,
                () = tokio::time::sleep(tick) => None,
            };
            let handled = match received {
                Some(Ok(message)) => self.receive(courier, message).await,
                Some(Err(error)) => Err(End::Lost(format!("the connection to the sidecar broke: {error}"))),
                None => Ok(()),
            };
            if let Err(end) = handled {
                return end;
            }
        }
    }

    /// Everything that is due on this side.
    async fn turn(&mut self, courier: &mut Courier) -> Result<(), End> {
        self.check_alive(courier)?;
        // Counted before the commands are taken: what the main thread asked for before a record was written goes first.
        let records = courier.ends.records.slots();
        courier.take_commands();
        if courier.closed {
            self.goodbye(courier).await;
            return Ok(());
        }
        let sent = async {
            if self.welcomed {
                self.follow_commands(courier).await?;
                self.send_records(courier, records).await?;
                self.send_free(courier).await?;
            } else {
                courier.void_records();
            }
            self.ping(courier).await
        };
        sent.await.map_err(End::Lost)?;
        courier.pass_answers();
        courier.tell();
        Ok(())
    }

    async fn follow_commands(&mut self, courier: &mut Courier) -> Result<(), String> {
        if std::mem::take(&mut courier.timeline_is_new) {
            self.send_records(courier, usize::MAX).await?;
            self.open_timeline(courier).await?;
        }
        if std::mem::take(&mut courier.state_is_new) {
            self.send_state(courier).await?;
        }
        self.send_requests(courier).await?;
        if std::mem::take(&mut courier.watch_is_new) {
            self.send_watch(courier).await?;
        }
        Ok(())
    }

    /// After `welcome`: timeline, then state (PROTOCOL section 5).
    pub(super) async fn introduce(&mut self, courier: &mut Courier) -> Result<(), String> {
        self.welcomed = true;
        launch::serves();
        let until = Instant::now() + SETTLE;
        while courier.shelf.as_mut().is_some_and(|shelf| !shelf.is_settled()) && Instant::now() < until {
            tokio::time::sleep(TICK).await;
        }
        courier.timeline_is_new = false;
        courier.state_is_new = false;
        courier.void_records();
        self.open_timeline(courier).await?;
        courier.watch_is_new = courier.shared.is_watched();
        self.send_state(courier).await
    }

    fn check_alive(&mut self, courier: &Courier) -> Result<(), End> {
        while let Ok(event) = self.monitor.try_recv() {
            if matches!(event, SocketEvent::Disconnected(_)) {
                return Err(End::Lost("the sidecar closed the connection".into()));
            }
        }
        let peer = &courier.shared.peer;
        let limit = if courier.shared.is_waiting() { GONE_WAITING_MS } else { GONE_MS };
        if peer.now().saturating_sub(peer.heard()) > limit {
            return Err(End::Lost("the sidecar stopped answering".into()));
        }
        if self.checked.elapsed() > HEARTBEAT {
            self.checked = Instant::now();
            if !runfile::is_alive(self.pid) {
                return Err(End::Lost("the sidecar ended".into()));
            }
        }
        Ok(())
    }

    async fn ping(&mut self, courier: &Courier) -> Result<(), String> {
        if self.pinged.elapsed() < HEARTBEAT {
            return Ok(());
        }
        self.pinged = Instant::now();
        self.send(&Message::Ping { time: courier.shared.peer.now() }, []).await
    }

    async fn goodbye(&mut self, courier: &mut Courier) {
        let records = courier.ends.records.slots();
        let _ = self.send_records(courier, records).await;
        let _ = self.send(&Message::Bye {}, []).await;
        tokio::time::sleep(FLUSH).await;
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) async fn send(
        &mut self,
        message: &Message,
        frames: impl IntoIterator<Item = Vec<u8>>,
    ) -> Result<(), String> {
        let mut parts = ZmqMessage::from(message.encode());
        frames.into_iter().for_each(|frame| parts.push_back(frame.into()));
        self.socket.send(parts).await.map_err(|error| format!("the connection to the sidecar broke: {error}"))
    }
}
