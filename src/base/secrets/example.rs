//! What does `<an:36>` in the examples of `config/secrets.yaml` stand for?
//!
//! Characters that look random and are always the same. Written out, the examples would look like leaked keys to every
//! scanner that reads this repository.

/// Writes out the examples of a text.
pub fn expand(text: &str) -> String {
    let (mut out, mut rest, mut n_done) = (String::new(), text, 0);
    while let Some(at) = rest.find('<') {
        let (before, behind) = rest.split_at(at);
        out.push_str(before);
        match behind.split_once('>').and_then(|(inner, rest)| Some((spelled(&inner[1..], n_done)?, rest))) {
            Some((characters, after)) => {
                out.push_str(&characters);
                rest = after;
                n_done += 1;
            }
            None => {
                out.push('<');
                rest = &behind[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Spells `an:36`; none when it is something else.
fn spelled(order: &str, seed: u64) -> Option<String> {
    let (class, count) = order.split_once(':')?;
    let (letters, capitals, digits) = ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789");
    let alphabet = match class {
        "an" => [letters, capitals, digits].concat(),
        "up" => [capitals, digits].concat(),
        "lo" => [letters, digits].concat(),
        "hex" => "0123456789abcdef".to_owned(),
        "b64" => [letters, capitals, digits, "+/"].concat(),
        "url" => [letters, capitals, digits, "-_"].concat(),
        "dig" => digits.to_owned(),
        _ => return None,
    };
    let alphabet = alphabet.into_bytes();
    // The constants of Knuth's MMIX: any generator would do.
    let mut state = 0x5eed_u64.wrapping_add(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let count: usize = count.parse().ok()?;
    // Ends in letters or digits, as keys do where a word must end.
    Some((0..count).map(|_| char::from(alphabet[next() % alphabet.len().min(62)])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_long_as_said_and_the_same_each_time() {
        let key = expand("k=<an:36>; <hex:4>, a < b > c <x:2>");
        assert_eq!(key, expand("k=<an:36>; <hex:4>, a < b > c <x:2>"));
        assert!(key.starts_with("k=") && key.ends_with(", a < b > c <x:2>"), "{key}");
        assert_eq!(key.len(), "k=; , a < b > c <x:2>".len() + 40);
        assert_ne!(expand("<hex:8><hex:8>")[..8], expand("<hex:8><hex:8>")[8..]);
    }
}
