//! Which addresses are nobody's business unless the user named them?
//!
//! A name can be made to lead anywhere by whoever owns it: to this machine, to the neighbours, to the service that hands
//! out the machine's keys. So it is the address that is judged, after the name was resolved. Does no I/O.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Ranges of IPv4 that are not the public network, with the word for it (IANA special-purpose registry, RFC 6890).
const SPECIAL: &[([u8; 4], u32, &str)] = &[
    ([0, 0, 0, 0], 8, "unspecified"),
    ([10, 0, 0, 0], 8, "private"),
    // Shared between a provider and its customers; some clouds hand out keys here.
    ([100, 64, 0, 0], 10, "private"),
    ([127, 0, 0, 0], 8, "loopback"),
    // 169.254.169.254 is the metadata service of most clouds.
    ([169, 254, 0, 0], 16, "link-local"),
    ([172, 16, 0, 0], 12, "private"),
    ([192, 0, 0, 0], 24, "reserved"),
    ([192, 0, 2, 0], 24, "reserved"),
    ([192, 88, 99, 0], 24, "reserved"),
    ([192, 168, 0, 0], 16, "private"),
    ([198, 18, 0, 0], 15, "private"),
    ([198, 51, 100, 0], 24, "reserved"),
    ([203, 0, 113, 0], 24, "reserved"),
    ([224, 0, 0, 0], 4, "multicast"),
    ([240, 0, 0, 0], 4, "reserved"),
];

/// Says in a word what an address is, unless it is one of the public network.
pub fn special(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(v4) => special_v4(v4),
        IpAddr::V6(v6) => special_v6(v6),
    }
}

fn special_v4(ip: Ipv4Addr) -> Option<&'static str> {
    let is_in = |net: [u8; 4], bits: u32| (ip.to_bits() ^ Ipv4Addr::from(net).to_bits()) >> (32 - bits) == 0;
    SPECIAL.iter().find(|(net, bits, _)| is_in(*net, *bits)).map(|row| row.2)
}

/// Addresses of IPv4 inside of IPv6 are judged as what they are. Of the rest only `2000::/3` is the public network.
fn special_v6(ip: Ipv6Addr) -> Option<&'static str> {
    let s = ip.segments();
    let v4 = |high: u16, low: u16| special_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match s {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("loopback"),
        // Mapped (RFC 4291), translated for networks without IPv4 (RFC 6052), and 6to4 (RFC 3056).
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            v4(high, low)
        }
        [0xfe80..=0xfebf, ..] => Some("link-local"),
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Some("private"),
        [0xff00..=0xffff, ..] => Some("multicast"),
        // Teredo and others (RFC 2928), documentation (RFC 3849, RFC 9637).
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Some("reserved"),
        [0x2000..=0x3fff, ..] => None,
        _ => Some("reserved"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_network_are_nothing_special() {
        let table = [
            ("8.8.8.8", None),
            ("1.1.1.1", None),
            ("100.63.255.255", None),
            ("100.64.0.0", Some("private")),
            ("100.100.100.200", Some("private")),
            ("100.127.255.255", Some("private")),
            ("100.128.0.0", None),
            ("0.0.0.0", Some("unspecified")),
            ("0.1.2.3", Some("unspecified")),
            ("9.255.255.255", None),
            ("10.0.0.0", Some("private")),
            ("10.255.255.255", Some("private")),
            ("11.0.0.0", None),
            ("127.0.0.1", Some("loopback")),
            ("127.255.255.254", Some("loopback")),
            ("169.254.169.254", Some("link-local")),
            ("172.15.255.255", None),
            ("172.16.0.1", Some("private")),
            ("172.31.255.255", Some("private")),
            ("172.32.0.0", None),
            ("192.168.1.1", Some("private")),
            ("192.167.1.1", None),
            ("198.19.255.255", Some("private")),
            ("203.0.113.7", Some("reserved")),
            ("223.255.255.255", None),
            ("224.0.0.1", Some("multicast")),
            ("255.255.255.255", Some("reserved")),
            ("::", Some("unspecified")),
            ("::1", Some("loopback")),
            ("::7f00:1", Some("reserved")),
            ("::ffff:127.0.0.1", Some("loopback")),
            ("::ffff:8.8.8.8", None),
            ("::ffff:169.254.169.254", Some("link-local")),
            ("64:ff9b::a00:1", Some("private")),
            ("64:ff9b::808:808", None),
            ("64:ff9b:1::1", Some("reserved")),
            ("2002:7f00:1::", Some("loopback")),
            ("2002:808:808::", None),
            ("2001:0:1::", Some("reserved")),
            ("2001:db8::1", Some("reserved")),
            ("2606:4700::1111", None),
            ("2a00:1450::1", None),
            ("fd00:ec2::254", Some("private")),
            ("fc00::1", Some("private")),
            ("fe80::1", Some("link-local")),
            ("fec0::1", Some("private")),
            ("ff02::1", Some("multicast")),
            ("100::1", Some("reserved")),
            ("4000::1", Some("reserved")),
        ];
        for (text, expected) in table {
            assert_eq!(special(text.parse().unwrap()), expected, "{text}");
        }
    }

    proptest::proptest! {
        /// Against what the standard library knows of it.
        #[test]
        fn nothing_the_standard_library_calls_special_passes(number in proptest::num::u32::ANY) {
            let ip = Ipv4Addr::from(number);
            let is_known = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_multicast()
                || ip.is_broadcast() || ip.is_documentation() || ip.is_unspecified();
            proptest::prop_assert!(!is_known || special(ip.into()).is_some());
            proptest::prop_assert_eq!(special(ip.into()), special(ip.to_ipv6_mapped().into()));
        }
    }
}
