//! Is this content the same as that one?

/// Returns the BLAKE3 hash of `bytes` as 64 hexadecimal digits.
pub fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}
