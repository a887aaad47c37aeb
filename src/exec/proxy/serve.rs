//! Who answers at the doors while a command runs?
//!
//! Tasks on mimi's own runtime, one for each door and one for each connection, all of which end when the command does.
//! A name is resolved once; what is dialled is the address that was judged.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::exec::proxy::Network;
use crate::exec::proxy::allowed::Refusal;
use crate::exec::proxy::host::{Host, Target};
use crate::exec::proxy::log::Log;
use crate::exec::proxy::request::{self, Ask, Malformed, Reading};

/// Connections of one command at once; further ones wait.
const MAX_CONNECTIONS: usize = 64;
/// Time a program may take to say what it wants.
const ASKING: Duration = Duration::from_secs(10);
/// Time resolving and dialling may take.
const DIALLING: Duration = Duration::from_secs(10);
/// Time after which a connection on which nothing moves is ended.
const IDLE: Duration = Duration::from_secs(120);
/// Time a program may take to notice that a connection is over.
const FAREWELL: Duration = Duration::from_secs(1);
/// Bytes carried at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// The doors of one running command. Dropped, everything behind them ends.
pub(crate) struct Serving {
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

/// What the connections of one command share.
struct Shared {
    network: Arc<Network>,
    log: Mutex<Log>,
    n_moved: AtomicU64,
    room: Arc<Semaphore>,
}

impl Serving {
    /// Answers at `doors`: the first speaks the proxy's languages, each further one leads to its own address out here.
    ///
    /// # Errors
    /// A door is no listening socket.
    pub(crate) fn start(network: Arc<Network>, doors: Vec<OwnedFd>) -> io::Result<Self> {
        let (log, n_moved, room) = (Mutex::default(), AtomicU64::new(0), Arc::new(Semaphore::new(MAX_CONNECTIONS)));
        let shared = Arc::new(Shared { network, log, n_moved, room });
        let mut tasks = JoinSet::new();
        for (at, door) in doors.into_iter().enumerate() {
            let listener = std::net::TcpListener::from(door);
            listener.set_nonblocking(true)?;
            let behind = if at == 0 { None } else { Some(Target::of_address(listener.local_addr()?)) };
            tasks.spawn(attend(TcpListener::from_std(listener)?, behind, shared.clone()));
        }
        Ok(Self { shared, _tasks: tasks })
    }

    /// Returns what was asked so far.
    pub(crate) fn log(&self) -> Log {
        self.shared.log(|log| log.clone())
    }
}

impl Shared {
    fn log<T>(&self, note: impl FnOnce(&mut Log) -> T) -> T {
        note(&mut self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Finds out whether and where a target is reached, and connects.
    async fn dial(&self, target: &Target) -> Result<TcpStream, Refusal> {
        let network = &self.network;
        if network.servers.contains(target) {
            return Err(Refusal::ModelServer);
        }
        if !network.allowed.names(target) {
            return Err(Refusal::NotListed);
        }
        let reach = async {
            let addresses = self.addresses(&target.host).await;
            let fit = network.allowed.judge(&addresses, target.port, &self.servers(target.port).await)?;
            TcpStream::connect(fit.as_slice()).await.map_err(|error| Refusal::Unreachable(error.to_string()))
        };
        let late = |_| Refusal::Unreachable(format!("no answer within {} s", DIALLING.as_secs()));
        timeout(DIALLING, reach).await.map_err(late)?
    }

    async fn addresses(&self, host: &Host) -> Vec<IpAddr> {
        match host {
            Host::Address(ip) => vec![*ip],
            Host::Name(name) => (self.network.resolve)(name.clone()).await.unwrap_or_default(),
        }
    }

    /// Returns the addresses of the model servers on this port, which may hide behind another name.
    async fn servers(&self, port: u16) -> Vec<SocketAddr> {
        let mut found = Vec::new();
        for server in self.network.servers.iter().filter(|server| server.port == port) {
            found.extend(self.addresses(&server.host).await.into_iter().map(|ip| SocketAddr::new(ip, port)));
        }
        found
    }

    /// Counts bytes that are about to be carried.
    fn spend(&self, n: usize) -> io::Result<()> {
        let before = self.n_moved.fetch_add(n as u64, Ordering::Relaxed);
        let most = self.network.max_bytes;
        if most > 0 && before + n as u64 > most {
            self.log(|log| log.is_spent = true);
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        Ok(())
    }
}

/// Accepts at one door for as long as the command runs.
async fn attend(door: TcpListener, behind: Option<Target>, shared: Arc<Shared>) {
    let mut guests = JoinSet::new();
    loop {
        // Never closed.
        let Ok(room) = shared.room.clone().acquire_owned().await else { return };
        let Ok((link, _)) = door.accept().await else { return };
        let (behind, shared) = (behind.clone(), shared.clone());
        guests.spawn(async move {
            // Whoever hung up knows it; what was refused is in the log.
            drop(attend_one(link, behind, &shared).await);
            drop(room);
        });
        while guests.try_join_next().is_some() {}
    }
}

async fn attend_one(mut link: TcpStream, behind: Option<Target>, shared: &Shared) -> io::Result<()> {
    if let Some(target) = behind {
        let ask = Ask::Connect(target);
        return go_on(link, &ask, &[], &Language::Raw, shared).await;
    }
    let mut heard = Vec::new();
    let asked = timeout(ASKING, hear(&mut link, &mut heard)).await?;
    match asked? {
        Ok((ask, used, language)) => go_on(link, &ask, &heard[used..], &language, shared).await,
        Err((malformed, language)) => {
            shared.log(|log| log.n_malformed += 1);
            language.refuse(&mut link, 400, &malformed.to_string()).await
        }
    }
}

type Heard = Result<(Ask, usize, Language), (Malformed, Language)>;

/// Listens until it is clear what is asked.
async fn hear(link: &mut TcpStream, heard: &mut Vec<u8>) -> io::Result<Heard> {
    let first = loop {
        match heard.first() {
            Some(byte) => break *byte,
            None => more(link, heard).await?,
        }
    };
    if first != request::SOCKS {
        return read_on(link, heard, 0, request::http).await.map(|read| match read {
            Ok((ask, used)) => {
                let language = if matches!(ask, Ask::Connect(_)) { Language::Tunnel } else { Language::Raw };
                Ok((ask, used, language))
            }
            Err(malformed) => Err((malformed, Language::Tunnel)),
        });
    }
    let used = match read_on(link, heard, 0, request::socks_greeting).await? {
        Ok(((), used)) => used,
        Err(malformed) => return Ok(Err((malformed, Language::Socks))),
    };
    link.write_all(&[request::SOCKS, 0]).await?;
    let read = read_on(link, heard, used, request::socks_request).await?;
    let read = read.map(|(ask, more)| (ask, used + more, Language::Socks));
    Ok(read.map_err(|malformed| (malformed, Language::Socks)))
}

/// Reads with `reader` what begins at `from`.
async fn read_on<T>(
    link: &mut TcpStream,
    heard: &mut Vec<u8>,
    from: usize,
    reader: fn(&[u8]) -> Result<Reading<T>, Malformed>,
) -> io::Result<Result<(T, usize), Malformed>> {
    loop {
        match reader(&heard[from..]) {
            Ok(Reading::Whole(found, used)) => return Ok(Ok((found, used))),
            Ok(Reading::More) => more(link, heard).await?,
            Err(malformed) => return Ok(Err(malformed)),
        }
    }
}

async fn more(link: &mut TcpStream, heard: &mut Vec<u8>) -> io::Result<()> {
    if link.read_buf(heard).await? == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

/// In which words a program is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    /// In those of `CONNECT`.
    Tunnel,
    /// In those of HTTP: the server's own answer, or ours.
    Raw,
    /// In those of SOCKS.
    Socks,
}

impl Language {
    async fn accept(self, link: &mut TcpStream) -> io::Result<()> {
        match self {
            Self::Tunnel => link.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await,
            Self::Raw => Ok(()),
            // Succeeded; the address bound here is nobody's business.
            Self::Socks => link.write_all(&[request::SOCKS, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await,
        }
    }

    async fn refuse(self, link: &mut TcpStream, code: u16, words: &str) -> io::Result<()> {
        match self {
            // Not allowed by the rules.
            Self::Socks => link.write_all(&[request::SOCKS, 2, 0, 1, 0, 0, 0, 0, 0, 0]).await?,
            Self::Tunnel | Self::Raw => {
                let reason = if code == 400 { "Bad Request" } else { "Forbidden" };
                let n = words.len() + 1;
                let head = format!("HTTP/1.1 {code} {reason}\r\nContent-Type: text/plain\r\nContent-Length: {n}\r\n");
                link.write_all(format!("{head}Connection: close\r\n\r\n{words}\n").as_bytes()).await?;
            }
        }
        farewell(link).await
    }
}

/// Hangs up so that what was said arrives: closed with something unread, a connection is cut off instead.
async fn farewell(link: &mut TcpStream) -> io::Result<()> {
    link.shutdown().await?;
    let mut rest = vec![0; CHUNK_BYTES];
    let drained = async { while matches!(link.read(&mut rest).await, Ok(1..)) {} };
    // Whoever goes on talking to the end of this time is cut off.
    drop(timeout(FAREWELL, drained).await);
    Ok(())
}

/// Connects to what was asked for and carries bytes both ways; `early` are those of the program that came already.
async fn go_on(mut link: TcpStream, ask: &Ask, early: &[u8], language: &Language, shared: &Shared) -> io::Result<()> {
    let name = ask.target().to_string();
    let mut upstream = match shared.dial(ask.target()).await {
        Ok(upstream) => upstream,
        Err(refusal) => {
            shared.log(|log| log.refused(&name, &refusal));
            return language.refuse(&mut link, 403, &format!("{name} was refused: {refusal}")).await;
        }
    };
    let counts = Counts { shared, name: &name, n: AtomicU64::new(0) };
    counts.note(0, 0);
    language.accept(&mut link).await?;
    let mut most = u64::MAX;
    if let Ask::Forward { head, n_body, .. } = ask {
        upstream.write_all(head).await?;
        most = *n_body;
    }
    let (mut from, mut to) = link.split();
    let (mut back, mut forth) = upstream.split();
    let n_early = early.len().min(usize::try_from(most).unwrap_or(usize::MAX));
    let mut early = &early[..n_early];
    let up = async {
        counts.carry(&mut early, &mut forth, Way::Up).await?;
        counts.carry(&mut (&mut from).take(most - n_early as u64), &mut forth, Way::Up).await?;
        // A request that was forwarded is over; its answer is not, and some servers take a closed side for a hang-up.
        if most == u64::MAX { forth.shutdown().await } else { Ok(()) }
    };
    let down = async {
        counts.carry(&mut back, &mut to, Way::Down).await?;
        to.shutdown().await
    };
    tokio::select! {
        both = async { tokio::try_join!(up, down).map(|_| ()) } => both?,
        () = counts.is_idle() => return Err(io::ErrorKind::TimedOut.into()),
    }
    farewell(&mut link).await
}

#[derive(Clone, Copy)]
enum Way {
    Up,
    Down,
}

/// Counts what one connection carries.
struct Counts<'a> {
    shared: &'a Shared,
    name: &'a str,
    n: AtomicU64,
}

impl Counts<'_> {
    fn note(&self, sent: u64, received: u64) {
        self.shared.log(|log| log.moved(self.name, sent, received));
    }

    async fn carry(
        &self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
        way: Way,
    ) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let n = from.read(&mut chunk).await?;
            if n == 0 {
                return Ok(());
            }
            self.shared.spend(n)?;
            to.write_all(&chunk[..n]).await?;
            self.n.fetch_add(n as u64, Ordering::Relaxed);
            match way {
                Way::Up => self.note(n as u64, 0),
                Way::Down => self.note(0, n as u64),
            }
        }
    }

    /// Waits until nothing has moved for a while.
    async fn is_idle(&self) {
        let mut before = u64::MAX;
        loop {
            let now = self.n.load(Ordering::Relaxed);
            if now == before {
                return;
            }
            before = now;
            sleep(IDLE).await;
        }
    }
}
