use super::*;

fn target(text: &str) -> Target {
    Target::parse(text, None).unwrap()
}

fn read(text: &str) -> Result<Ask, Malformed> {
    match http(format!("{text}\r\n\r\n").as_bytes())? {
        Reading::Whole(ask, used) => {
            assert_eq!(used, text.len() + 4);
            Ok(ask)
        }
        Reading::More => panic!("{text} is whole"),
    }
}

fn sent(text: &str) -> (String, String, u64) {
    match read(text).unwrap() {
        Ask::Forward { target, head, n_body } => (target.to_string(), String::from_utf8(head).unwrap(), n_body),
        Ask::Connect(_) => panic!("{text} is forwarded"),
    }
}

#[test]
fn a_request_goes_on_with_the_host_that_was_judged_and_nothing_meant_for_us() {
    let (target, head, n_body) = sent(
        "POST http://Example.com.:8080/a?b=c HTTP/1.1\r\nHost: other.example\r\nProxy-Authorization: x\r\nX-A:  b \r\n\
         Connection: keep-alive, x\r\nUpgrade: websocket\r\ncontent-length: 12",
    );
    assert_eq!((target.as_str(), n_body), ("example.com:8080", 12));
    assert_eq!(
        head,
        "POST /a?b=c HTTP/1.1\r\nHost: example.com:8080\r\nx-a: b\r\ncontent-length: 12\r\nConnection: close\r\n\r\n"
    );
    let (target, head, n_body) = sent("GET HTTP://127.1?x HTTP/1.0");
    assert_eq!((target.as_str(), n_body), ("127.0.0.1:80", 0));
    assert_eq!(head, "GET /?x HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    assert_eq!(sent("GET http://[::1]/ HTTP/1.1").1.lines().nth(1), Some("Host: [::1]"));
}

#[test]
fn a_connection_is_asked_for_with_a_port() {
    assert_eq!(read("CONNECT a.example:443 HTTP/1.1"), Ok(Ask::Connect(target("a.example:443"))));
    assert_eq!(read("CONNECT [::1]:443 HTTP/1.1\r\nHost: x"), Ok(Ask::Connect(target("[::1]:443"))));
    assert_eq!(read("CONNECT a.example HTTP/1.1"), Err(Malformed::Host(HostError::Port)));
}

#[test]
fn what_is_not_exactly_a_request_is_refused() {
    let lines = [
        "",
        "GET",
        "GET / HTTP/1.1",
        "GET http://a.example/ HTTP/2",
        "GET http://a.example/ HTTP/1.1 x",
        "GET  http://a.example/ HTTP/1.1",
        "get http://a.example/ HTTP/1.1",
        "GET https://a.example/ HTTP/1.1",
        "GET ftp://a.example/ HTTP/1.1",
        "GET http://a.example/#x HTTP/1.1",
        "GET http://u:p@a.example/ HTTP/1.1",
        "GET http://a.example\\@b.example/ HTTP/1.1",
        "GET http://a.example%00.b/ HTTP/1.1",
        "GET http:///x HTTP/1.1",
        "GET http://a.example:80:80/ HTTP/1.1",
        "GET http://bücher.example/ HTTP/1.1",
        "CONNECT http://a.example/ HTTP/1.1",
        "CONNECT a.example:443/x HTTP/1.1",
        "CONNECT u@a.example:443 HTTP/1.1",
        "CONNECT *.example:443 HTTP/1.1",
        "CONNECT a.example:443\t HTTP/1.1",
        "GET http://a.example/\u{7f} HTTP/1.1",
        " GET http://a.example/ HTTP/1.1",
    ];
    for line in lines {
        assert!(read(line).is_err(), "{line:?}");
    }
    let headers = [
        "no colon",
        ": no name",
        "a b: c",
        "a : c",
        " folded: c",
        "a: b\r\n c",
        "a: \0",
        "a: b\nc: d",
        "a: b\rc",
        "ä: b",
        "transfer-encoding: chunked",
        "Transfer-Encoding: identity",
        "content-length: 1\r\ncontent-length: 1",
        "content-length: 1, 1",
        "content-length: +1",
        "content-length: -1",
        "content-length:",
        "content-length: 0x1",
        "content-length: 99999999999999999999",
    ];
    for header in headers {
        assert!(read(&format!("POST http://a.example/ HTTP/1.1\r\n{header}")).is_err(), "{header:?}");
    }
    assert_eq!(http(&vec![b'a'; MAX_HEAD_BYTES + 1]), Err(Malformed::TooLong));
    assert_eq!(http(b"CONNECT a.example:443 HTTP/1.1\n\n"), Ok(Reading::More));
    assert!(http(b"GET http://a.example/ HTTP/1.1\r\nx: \xff\r\n\r\n").is_err());
}

#[test]
fn socks_names_hosts_and_addresses() {
    let name = |name: &[u8], port: [u8; 2]| [&[5, 1, 0, 3, name.len() as u8], name, &port].concat();
    let table = [
        (name(b"Example.com", [1, 187]), Ok(target("example.com:443"))),
        (name(b"2130706433", [0, 80]), Ok(target("127.0.0.1:80"))),
        (name(b"a.example\0.b", [0, 80]), Err(Malformed::Host(HostError::Character('\0')))),
        (name(b"", [0, 80]), Err(Malformed::Host(HostError::Empty))),
        (name(b"a\xff", [0, 80]), Err(Malformed::Host(HostError::NotAscii))),
        (name(b"a.example", [0, 0]), Err(Malformed::Host(HostError::Port))),
        (vec![5, 1, 0, 1, 10, 0, 0, 1, 0, 80], Ok(target("10.0.0.1:80"))),
        (
            [&[5, 1, 0, 4][..], &"::1".parse::<std::net::Ipv6Addr>().unwrap().octets(), &[0, 80]].concat(),
            Ok(target("[::1]:80")),
        ),
        (
            [&[5, 1, 0, 4][..], &"::ffff:10.0.0.1".parse::<std::net::Ipv6Addr>().unwrap().octets(), &[0, 80]].concat(),
            Ok(target("10.0.0.1:80")),
        ),
        (vec![5, 2, 0, 1, 10, 0, 0, 1, 0, 80], Err(Malformed::Socks)),
        (vec![4, 1, 0, 80, 10, 0, 0, 1, 0], Err(Malformed::Socks)),
        (vec![5, 1, 0, 9, 10, 0, 0, 1, 0, 80], Err(Malformed::Socks)),
    ];
    for (bytes, expected) in table {
        let wanted = expected.map(|target| Reading::Whole(Ask::Connect(target), bytes.len()));
        assert_eq!(socks_request(&bytes), wanted, "{bytes:?}");
        for n in 0..bytes.len() {
            let part = socks_request(&bytes[..n]);
            assert!(matches!(part, Ok(Reading::More) | Err(Malformed::Socks)), "{n} of {bytes:?}: {part:?}");
        }
    }
    assert_eq!(socks_greeting(&[5, 1, 0]), Ok(Reading::Whole((), 3)));
    assert_eq!(socks_greeting(&[5, 2, 2]), Ok(Reading::More));
    assert_eq!(socks_greeting(&[5, 1, 2]), Err(Malformed::Socks));
    assert_eq!(socks_greeting(&[4, 1]), Err(Malformed::Socks));
}

/// Bytes as they may come: near to a request, or anything at all.
fn bytes() -> impl proptest::strategy::Strategy<Value = Vec<u8>> {
    use proptest::prelude::*;
    let near = "(CONNECT|GET|POST) (http://)?[a-z0-9.:@/%\\[\\]\\\\ -]{0,20} HTTP/1.[01]\r\n([a-z-]{0,9}: ?[ -~]{0,9}\r\n){0,3}\r\n";
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..64),
        proptest::string::string_regex(near).unwrap().prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(|rest| [&[5, 1, 0][..], &rest].concat()),
    ]
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(2000))]

    #[test]
    fn any_bytes_are_read_or_refused_and_what_goes_on_is_one_request_for_the_host_judged(bytes in bytes()) {
        let found = [http(&bytes), socks_request(&bytes)];
        drop(socks_greeting(&bytes));
        for ask in found {
            let Ok(Reading::Whole(ask, used)) = ask else { continue };
            proptest::prop_assert!(used <= bytes.len());
            proptest::prop_assert_eq!(Target::parse(&ask.target().to_string(), None), Ok(ask.target().clone()));
            if let Ask::Forward { target, head, .. } = &ask {
                let text = std::str::from_utf8(head).unwrap();
                proptest::prop_assert_eq!(text.find("\r\n\r\n"), Some(text.len() - 4));
                let hosts: Vec<&str> = text.lines().filter(|line| line.to_lowercase().starts_with("host:")).collect();
                proptest::prop_assert_eq!(hosts.len(), 1);
                let again = Target::parse(hosts[0].trim_start_matches("Host: "), Some(80));
                proptest::prop_assert_eq!(again.as_ref(), Ok(target));
                proptest::prop_assert!(text.split("\r\n").all(|line| !line.contains(['\r', '\n', '\0'])));
            }
        }
    }
}
