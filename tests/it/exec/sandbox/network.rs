//! Does a confined command reach the hosts that were allowed, and nobody else?

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mimi::exec::proxy::Network;
use mimi::exec::proxy::allowed::{Allowed, Refusal};
use mimi::exec::proxy::host::Target;
use mimi::exec::proxy::log::Fate;
use mimi::exec::run::{Output, Program};
use mimi::exec::sandbox::Tier;
use tokio_util::sync::CancellationToken;

use super::{Project, Stage};
use crate::support::wire::WireServer;

/// Speaks to the proxy by hand: what is sent, and everything that comes back.
const SAY: &str = r#"say() { local p=${http_proxy#http://}; exec 3<>/dev/tcp/${p%:*}/${p#*:} && printf "$1" >&3 && cat <&3; }
"#;

fn server(answer: &'static str) -> (WireServer, SocketAddr) {
    let server = WireServer::answering(200, "text/plain", answer);
    let address = server.url().trim_start_matches("http://").trim_end_matches("/v1").parse().unwrap();
    (server, address)
}

fn network(hosts: &[&str]) -> Network {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    Network::new(Allowed::parse(&hosts).unwrap(), Vec::new(), 0)
}

/// Answers with these addresses one after the other, and for ever with the last.
fn resolving(network: Network, addresses: &[&str]) -> (Network, Arc<AtomicUsize>) {
    let addresses: Vec<IpAddr> = addresses.iter().map(|ip| ip.parse().unwrap()).collect();
    let n_asked = Arc::new(AtomicUsize::new(0));
    let counted = n_asked.clone();
    let resolve = move |_name: String| {
        let at = counted.fetch_add(1, Ordering::SeqCst).min(addresses.len() - 1);
        let found = vec![addresses[at]];
        Box::pin(async move { Ok(found) }) as futures_util::future::BoxFuture<'static, _>
    };
    (Network { resolve: Arc::new(resolve), ..network }, n_asked)
}

async fn run(stage: &Stage, network: Network, script: &str) -> Output {
    let runner = stage.runner(&[]).reaching(Some(Arc::new(network)));
    let command = stage.command(Program::Shell(format!("{SAY}{script}")));
    runner.run(command, CancellationToken::new(), None).await.unwrap()
}

fn refusals(output: &Output) -> Vec<(&str, &Refusal)> {
    let refused = output.network.asked.iter().filter_map(|asked| match &asked.fate {
        Fate::Refused(refusal) => Some((asked.target.as_str(), refusal)),
        Fate::Reached { .. } => None,
    });
    refused.collect()
}

#[tokio::test]
async fn a_host_that_is_allowed_is_reached_in_each_way_of_asking() {
    let Some(stage) = Stage::new(Tier::Full, Project::Bare) else { return };
    let (outside, address) = server("from outside");
    let port = address.port();
    let octets = format!("\\x{:02x}\\x{:02x}", port >> 8, port & 255);
    let script = format!(
        "say 'GET http://{address}/a HTTP/1.1\\r\\nHost: elsewhere.example\\r\\n\\r\\n'; echo
        say 'CONNECT {address} HTTP/1.1\\r\\n\\r\\nGET /b HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n'; echo
        say '\\x05\\x01\\x00\\x05\\x01\\x00\\x01\\x7f\\x00\\x00\\x01{octets}GET /c HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' | tail -c 12; echo"
    );
    let output = run(&stage, network(&[&address.to_string()]), &script).await;
    assert_eq!(output.text.matches("from outside").count(), 3, "{}", output.text);
    let received = outside.received();
    let paths: Vec<&str> = received.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, ["/a", "/b", "/c"]);
    assert_eq!(received[0].header("host"), Some(address.to_string().as_str()), "the host that was judged");
    let [asked] = output.network.asked.as_slice() else { panic!("{:?}", output.network) };
    assert_eq!(asked.target, address.to_string());
    assert!(matches!(asked.fate, Fate::Reached { n_sent: 50.., n_received: 100.. }), "{asked:?}");
}

#[tokio::test]
async fn programs_find_the_proxy_by_themselves() {
    let Some(stage) = Stage::new(Tier::Full, Project::Bare) else { return };
    let (_outside, address) = server("from outside");
    // By name, so that no variable keeps curl from the proxy.
    let (network, _) =
        resolving(network(&[&format!("mirror.example:{}", address.port()), &address.to_string()]), &["127.0.0.1"]);
    let script = format!("command -v curl >/dev/null || exit 9; curl -sS http://mirror.example:{}/x", address.port());
    let output = run(&stage, network, &script).await;
    assert!(output.text == "from outside" || output.ending == mimi::exec::run::Ending::Exited(9), "{}", output.text);
}

#[tokio::test]
async fn a_service_of_this_machine_is_where_it_would_be_without_a_sandbox() {
    let Some(stage) = Stage::new(Tier::Full, Project::Bare) else { return };
    let (_outside, address) = server("from outside");
    let direct = format!(
        "exec 3<>/dev/tcp/127.0.0.1/{} && printf 'GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' >&3 && cat <&3",
        address.port()
    );
    let output = run(&stage, network(&[&address.to_string()]), &direct).await;
    assert!(output.text.ends_with("from outside"), "{}", output.text);
    assert_eq!(output.network.asked.len(), 1, "{:?}", output.network);
    // Where it is not allowed there is nobody.
    let output = run(&stage, network(&["other.example"]), &direct).await;
    assert!(output.text.contains("refused") && output.network.is_empty(), "{} {:?}", output.text, output.network);
}

#[tokio::test]
async fn a_host_that_is_not_allowed_is_refused_and_what_to_do_is_told() {
    let Some(stage) = Stage::new(Tier::Full, Project::Bare) else { return };
    let (outside, address) = server("from outside");
    let script = format!(
        "say 'GET http://{address}/ HTTP/1.1\\r\\n\\r\\n'; say 'CONNECT evil.example:443 HTTP/1.1\\r\\n\\r\\n'
        say '\\x05\\x01\\x00\\x05\\x01\\x00\\x03\\x0cevil.example\\x00\\x50' | od -An -tx1"
    );
    let output = run(&stage, network(&["crates.io"]), &script).await;
    assert_eq!(output.text.matches("HTTP/1.1 403 Forbidden").count(), 2, "{}", output.text);
    assert!(output.text.contains("05 00 05 02"), "{}", output.text);
    assert!(outside.received().is_empty());
    let expected = [address.to_string(), "evil.example:443".to_owned(), "evil.example:80".to_owned()];
    let found = refusals(&output);
    assert_eq!(found.iter().map(|refusal| refusal.0).collect::<Vec<_>>(), expected);
    assert!(found.iter().all(|refusal| *refusal.1 == Refusal::NotListed));
    let notes = output.network.notes();
    assert!(notes.contains("evil.example:443 was refused") && notes.contains("--allow-host"), "{notes}");
}

#[tokio::test]
async fn a_name_is_resolved_once_and_leads_nowhere_inside() {
    let Some(stage) = Stage::new(Tier::Full, Project::Bare) else { return };
    let (outside, address) = server("from outside");
    let port = address.port();
    let ask = format!("say 'GET http://rebound.example:{port}/ HTTP/1.1\\r\\n\\r\\n'");
    let named = format!("rebound.example:{port}");
    for ip in
        ["127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "10.0.0.1", "0.0.0.0", "fd00:ec2::254", "224.0.0.1"]
    {
        let (network, n_asked) = resolving(network(&[&named]), &[ip]);
        let output = run(&stage, network, &ask).await;
        assert!(output.text.contains("403 Forbidden"), "{ip}: {}", output.text);
        assert!(matches!(refusals(&output)[..], [(_, Refusal::Special { .. })]), "{ip}: {:?}", output.network);
        assert_eq!(n_asked.load(Ordering::SeqCst), 1, "{ip}");
    }
    assert!(outside.received().is_empty());
    // A name whose second answer differs is not asked a second time: what is dialled is what was judged.
    let (network, n_asked) = resolving(network(&[&named, &address.to_string()]), &["127.0.0.1", "169.254.169.254"]);
    let output = run(&stage, network, &ask).await;
    assert!(output.text.ends_with("from outside"), "{}", output.text);
    assert_eq!(n_asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_model_server_is_never_reached_whatever_it_is_called() {
    let Some(stage) = Stage::new(Tier::Full, Project::Bare) else { return };
    let (outside, address) = server("from outside");
    let port = address.port();
    let servers = vec![Target::parse(&address.to_string(), None).unwrap()];
    let hosts = network(&[&address.to_string(), &format!("alias.example:{port}")]);
    let (hosts, _) = resolving(Network { servers, ..hosts }, &["127.0.0.1"]);
    let script = format!(
        "say 'GET http://{address}/v1/models HTTP/1.1\\r\\n\\r\\n'; say 'CONNECT alias.example:{port} HTTP/1.1\\r\\n\\r\\n'
        say 'GET http://[::ffff:7f00:1]:{port}/ HTTP/1.1\\r\\n\\r\\n'; exec 3<>/dev/tcp/127.0.0.1/{port} && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3"
    );
    let output = run(&stage, hosts, &script).await;
    assert!(outside.received().is_empty(), "{}", output.text);
    assert!(!output.text.contains("from outside"), "{}", output.text);
    let found = refusals(&output);
    assert!(found.len() == 2 && found.iter().all(|refusal| *refusal.1 == Refusal::ModelServer), "{found:?}");
}

#[tokio::test]
async fn beside_the_proxy_there_is_no_network() {
    let Some(stage) = Stage::new(Tier::Full, Project::Bare) else { return };
    let (outside, address) = server("from outside");
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_nonblocking(true).unwrap();
    let udp_port = udp.local_addr().unwrap().port();
    let script = format!(
        "for way in tcp/{}/{} tcp/8.8.8.8/53 tcp/crates.io/443 tcp/localhost/{}; do (exec 3<>/dev/$way) 2>/dev/null && echo open $way; done
        echo x > /dev/udp/127.0.0.1/{udp_port}; echo x > /dev/udp/8.8.8.8/53 && echo sent
        getent hosts crates.io && echo resolved; command -v curl >/dev/null && curl -s --noproxy '*' -m 5 http://crates.io && echo fetched
        env -u http_proxy -u https_proxy -u all_proxy -u HTTP_PROXY -u HTTPS_PROXY -u ALL_PROXY bash -c '(exec 3<>/dev/tcp/crates.io/80) 2>/dev/null && echo open'
        true",
        address.ip(), address.port(), address.port()
    );
    let output = run(&stage, network(&["crates.io", "other.example:1"]), &format!("{{ {script}; }} 2>/dev/null")).await;
    assert_eq!(output.text, "", "{:?}", output.network);
    assert!(outside.received().is_empty() && udp.recv(&mut [0; 8]).is_err());
}

/// Looks for the door in the file system and in other processes, and tries to stand in for it.
const TAKING: &str = r#"find / -xdev -type s 2>/dev/null; ls /run/mimi
find /proc/[0-9]*/fd -lname 'socket:*' 2>/dev/null | grep -v '^/proc/1/'
p=${http_proxy#http://}; command -v python3 >/dev/null && python3 - ${p#*:} <<'END'
import socket, sys
for reuse in (0, 1):
    for host in ('127.0.0.1', '0.0.0.0'):
        s = socket.socket()
        if reuse:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            s.bind((host, int(sys.argv[1])))
            s.listen()
            print('taken', reuse, host)
        except OSError:
            pass
END
kill -9 1; kill 1; true"#;

#[tokio::test]
async fn nobody_else_finds_the_door_and_the_command_cannot_take_it() {
    let Some(stage) = Stage::new(Tier::Full, Project::Bare) else { return };
    let (outside, address) = server("from outside");
    let network = || network(&[&address.to_string()]);
    // Nothing lies in the file system, nothing is held open, and the place is taken.
    let output = run(&stage, network(), TAKING).await;
    assert_eq!(output.text, "mimi\n", "{:?}", output.network);
    // While the command runs its door is not among the ports of this machine.
    let script = "echo ${http_proxy##*:}; read -t 5 < <(sleep 10); true";
    let cancel = CancellationToken::new();
    let runner = stage.runner(&[]).reaching(Some(Arc::new(network())));
    let command = stage.command(Program::Shell(script.to_owned()));
    let (said, mut heard) = tokio::sync::mpsc::channel(8);
    let (_, is_hidden) = tokio::join!(runner.run(command, cancel.clone(), Some(said)), async {
        let port: u16 = heard.recv().await.unwrap().trim().parse().unwrap();
        let found = TcpStream::connect(("127.0.0.1", port));
        let is_hidden = found.map_or(true, |link| !answers_as_proxy(link));
        cancel.cancel();
        is_hidden
    });
    assert!(is_hidden);
    assert!(outside.received().is_empty());
}

/// Somebody else's service may have the number by chance.
fn answers_as_proxy(mut link: TcpStream) -> bool {
    link.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    drop(link.write_all(b"CONNECT evil.example:1 HTTP/1.1\r\n\r\n"));
    let mut said = String::new();
    drop(link.read_to_string(&mut said));
    said.contains("sandbox.hosts")
}

#[tokio::test]
async fn what_a_command_may_move_has_an_end() {
    let Some(stage) = Stage::new(Tier::Full, Project::Bare) else { return };
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = door.local_addr().unwrap();
    std::thread::spawn(move || {
        let Ok((mut link, _)) = door.accept() else { return };
        while link.write_all(&[b'x'; 10_000]).is_ok() {}
    });
    let limited = Network { max_bytes: 1_000_000, ..network(&[&address.to_string()]) };
    let output = run(&stage, limited, &format!("say 'CONNECT {address} HTTP/1.1\\r\\n\\r\\n' | wc -c")).await;
    let n_bytes: u64 = output.text.trim().parse().unwrap();
    assert!((900_000..=1_000_100).contains(&n_bytes), "{n_bytes}");
    assert!(output.network.is_spent && output.network.notes().contains("network_mb"), "{:?}", output.network);
}

#[tokio::test]
async fn nonsense_is_answered_and_noted() {
    let Some(stage) = Stage::new(Tier::Full, Project::Bare) else { return };
    let (outside, address) = server("from outside");
    let script = format!(
        "say 'GET / HTTP/1.1\\r\\nHost: {address}\\r\\n\\r\\n' | head -1; say 'CONNECT user@{address} HTTP/1.1\\r\\n\\r\\n' | head -1
        say 'POST http://{address}/ HTTP/1.1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n' | head -1
        say 'CONNECT {address}\\x00.evil.example:80 HTTP/1.1\\r\\n\\r\\n' | head -1"
    );
    let output = run(&stage, network(&[&address.to_string()]), &script).await;
    assert_eq!(output.text.matches("400 Bad Request").count(), 4, "{}", output.text);
    assert!(outside.received().is_empty());
    assert_eq!(output.network.n_malformed, 4);
}

#[tokio::test]
async fn without_a_network_of_its_own_a_command_reaches_nobody() {
    let Some(stage) = Stage::new(Tier::Landlock, Project::Bare) else { return };
    let (outside, address) = server("from outside");
    let script = format!(
        "echo ${{http_proxy:-none}}; (exec 3<>/dev/tcp/{}/{}) 2>/dev/null && echo open; true",
        address.ip(),
        address.port()
    );
    let output = run(&stage, network(&[&address.to_string()]), &script).await;
    assert_eq!(output.text, "none\n");
    assert!(outside.received().is_empty());
}

#[tokio::test]
async fn what_mimi_asks_for_itself_reaches_nobody() {
    let Some(stage) = Stage::new(Tier::Full, Project::Bare) else { return };
    let (_outside, address) = server("from outside");
    let runner = stage.runner(&[]).reaching(Some(Arc::new(network(&[&address.to_string()]))));
    let argv = ["bash", "-c", "echo ${http_proxy:-none}"].map(str::to_owned);
    let output = runner.run_quiet(&argv, &stage.work, Duration::from_secs(30)).await.unwrap();
    assert_eq!(output.stdout, b"none\n");
}
