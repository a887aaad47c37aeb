//! How does a listening socket get out of a namespace?
//!
//! The inner supervisor opens it where the command is, and sends it over the lifeline before the command starts: one byte
//! with the sockets attached (`unix(7)`, `SCM_RIGHTS`). mimi accepts on it from outside, since a socket stays in the network
//! it was made in, whoever holds it. The command itself cannot reach the lifeline.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};

/// Most sockets handed over at once.
const MAX_DOORS: usize = 16;

/// Comes before the report when sockets do.
const MARK: &[u8] = b"d";

/// Opens `doors` and sends them through `lifeline`. Returns where the first one is.
///
/// # Errors
/// The first one cannot be opened, or nothing can be sent. One of the others that cannot be had is left out: ports
/// below 1024 are not a command's to open.
#[cfg(target_os = "linux")]
pub(crate) fn open(lifeline: impl AsFd, doors: &[SocketAddr]) -> io::Result<SocketAddr> {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    let mut open = Vec::new();
    for (at, door) in doors.iter().take(MAX_DOORS).enumerate() {
        match TcpListener::bind(door) {
            Ok(listener) => open.push(listener),
            Err(error) if at == 0 => return Err(error),
            Err(_) => {}
        }
    }
    let first = open.first().ok_or(io::ErrorKind::InvalidInput)?.local_addr()?;
    let handles: Vec<_> = open.iter().map(AsFd::as_fd).collect();
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DOORS))];
    let mut attached = SendAncillaryBuffer::new(&mut space);
    if !attached.push(SendAncillaryMessage::ScmRights(&handles)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    sendmsg(lifeline, &[io::IoSlice::new(MARK)], &mut attached, SendFlags::NOSIGNAL)?;
    Ok(first)
}

/// Reads from the lifeline: appends bytes to `heard` and returns how many came, and sockets that came with them.
#[cfg(target_os = "linux")]
pub(crate) fn receive(lifeline: impl AsFd, heard: &mut Vec<u8>) -> io::Result<(usize, Vec<OwnedFd>)> {
    use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
    let mut bytes = [0; 256];
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DOORS))];
    let mut attached = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let message = recvmsg(lifeline, &mut [io::IoSliceMut::new(&mut bytes)], &mut attached, flags)?;
    let mut doors = Vec::new();
    for part in attached.drain() {
        if let RecvAncillaryMessage::ScmRights(handles) = part {
            doors.extend(handles);
        }
    }
    let came = &bytes[..message.bytes];
    // What carries sockets is no part of the report.
    heard.extend_from_slice(if doors.is_empty() { came } else { came.strip_prefix(MARK).unwrap_or(came) });
    Ok((message.bytes, doors))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn open(_lifeline: impl AsFd, _doors: &[SocketAddr]) -> io::Result<SocketAddr> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn receive(lifeline: impl AsFd, heard: &mut Vec<u8>) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut bytes = [0; 256];
    let n = rustix::io::read(lifeline, &mut bytes)?;
    heard.extend_from_slice(&bytes[..n]);
    Ok((n, Vec::new()))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn doors_come_before_the_report_and_work_where_they_were_opened() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let first = open(&theirs, &[any, any]).unwrap();
        theirs.write_all(b"exited 0 0\n").unwrap();
        let (mut heard, mut doors) = (Vec::new(), Vec::new());
        while !heard.ends_with(b"\n") {
            doors.extend(receive(&ours, &mut heard).unwrap().1);
        }
        assert_eq!((heard.as_slice(), doors.len()), (&b"exited 0 0\n"[..], 2));
        let mut guest = TcpStream::connect(first).unwrap();
        let (mut host, _) = TcpListener::from(doors.remove(0)).accept().unwrap();
        host.write_all(b"hello").unwrap();
        drop(host);
        let mut said = String::new();
        guest.read_to_string(&mut said).unwrap();
        assert_eq!(said, "hello");
        drop(theirs);
        assert_eq!(receive(&ours, &mut heard).unwrap().0, 0);
    }
}
