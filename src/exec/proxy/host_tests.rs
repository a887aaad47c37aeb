use super::*;

#[test]
fn one_host_has_one_form_however_it_is_spelled() {
    let table = [
        ("example.com", "example.com"),
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("a_b.example", "a_b.example"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0xA9FEA9FE", "169.254.169.254"),
        ("[::1]", "::1"),
        ("::1", "::1"),
        ("[::ffff:10.0.0.1]", "10.0.0.1"),
        ("[0:0:0:0:0:FFFF:0A00:0001]", "10.0.0.1"),
        ("[2001:DB8::A]", "2001:db8::a"),
        ("1.2.3.4.example", "1.2.3.4.example"),
    ];
    for (text, expected) in table {
        assert_eq!(Host::parse(text).map(|host| host.to_string()).as_deref(), Ok(expected), "{text}");
        let again = Host::parse(expected).unwrap();
        assert_eq!(again.to_string(), expected, "{text}");
    }
}

#[test]
fn what_has_no_one_form_is_refused() {
    let long = "a".repeat(64);
    let table = [
        "",
        ".",
        "..",
        "a..b",
        ".a",
        "a b",
        " a",
        "a\t",
        "a\0.example",
        "a\0",
        "a\r\nb",
        "user@a",
        "a@b",
        "a/b",
        "a?b",
        "a#b",
        "a\\b",
        "a%2eb",
        "a:80",
        "*.example",
        "*",
        "bücher.example",
        "ｅxample.com",
        "exam\u{200d}ple.com",
        "-a.b",
        "a-.b",
        "a.b-",
        "[::1",
        "::1]",
        "[::1%eth0]",
        "fe80::1%1",
        "[127.0.0.1]",
        "[a]",
        "1.2.3.4.5",
        "256.1.1.1",
        "1.2.3.256",
        "0x",
        "a.1",
        "a.0x1",
        "08.1.1.1",
        "4294967296",
        "+1",
        "0x+1",
        "1e3.7",
        "a,b",
        "a;b",
        "a'b",
        "a\"b",
        "$a",
        "~",
        "!",
        long.as_str(),
    ];
    for text in table {
        assert!(Host::parse(text).is_err(), "{text:?} is {:?}", Host::parse(text));
    }
    assert_eq!(Host::parse(&format!("{0}.{0}.{0}.{0}", "a".repeat(63))), Err(HostError::TooLong));
}

#[test]
fn a_target_has_a_port_of_its_own_or_the_usual_one() {
    let table = [
        ("a.example:443", None, Ok("a.example:443")),
        ("a.example", Some(80), Ok("a.example:80")),
        ("a.example", None, Err(HostError::Port)),
        ("a.example:", Some(80), Err(HostError::Port)),
        ("a.example:0", None, Err(HostError::Port)),
        ("a.example:65536", None, Err(HostError::Port)),
        ("a.example:+80", None, Err(HostError::Port)),
        ("a.example:8 0", None, Err(HostError::Port)),
        ("a.example:80:80", None, Err(HostError::Character(':'))),
        ("[::1]:80", None, Ok("[::1]:80")),
        ("[::1]80", None, Err(HostError::Character(']'))),
        ("::1", Some(80), Err(HostError::Character(':'))),
        ("[::ffff:1.2.3.4]:80", None, Ok("1.2.3.4:80")),
        (":80", None, Err(HostError::Empty)),
    ];
    for (text, usual, expected) in table {
        let found = Target::parse(text, usual).map(|target| target.to_string());
        assert_eq!(found, expected.map(str::to_owned), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_refused_or_has_a_form_that_is_its_own(text in ".{0,80}") {
        if let Ok(host) = Host::parse(&text) {
            proptest::prop_assert_eq!(Host::parse(&host.to_string()), Ok(host));
        }
        if let Ok(target) = Target::parse(&text, Some(80)) {
            proptest::prop_assert_eq!(Target::parse(&target.to_string(), None), Ok(target));
        }
    }

    /// Against the address parser of the standard library, which knows the usual form alone.
    #[test]
    fn every_address_of_ipv4_is_the_same_in_each_of_its_forms(number in proptest::num::u32::ANY) {
        let ip = Ipv4Addr::from(number);
        let [a, b, c, d] = ip.octets();
        let low = number & 0x00ff_ffff;
        let forms = [ip.to_string(), number.to_string(), format!("0x{number:x}"), format!("0{number:o}"),
            format!("{a}.{low}"), format!("{a}.{b}.0x{:x}", u16::from_be_bytes([c, d])), format!("[::ffff:{ip}]")];
        for form in forms {
            proptest::prop_assert_eq!(Host::parse(&form), Ok(Host::Address(ip.into())));
        }
    }
}
