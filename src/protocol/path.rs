//! How does a path travel as JSON when its name is not text?
//!
//! For `#[serde(with = "crate::protocol::path")]`. A path that is UTF-8 stays a plain string; any other becomes
//! `{"bytes": "2f746d70ff"}`, because a file with an odd name must neither be lost nor stop a session from being written.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Wire {
    Text(String),
    Bytes { bytes: String },
}

/// Writes the path as text, or as the hex of its bytes.
pub fn serialize<S: Serializer>(path: &Path, out: S) -> Result<S::Ok, S::Error> {
    match path.to_str() {
        Some(text) => Wire::Text(text.to_owned()),
        None => Wire::Bytes { bytes: path.as_os_str().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect() },
    }
    .serialize(out)
}

/// Reads what [`serialize`] wrote; fails on anything that is neither text nor hex.
pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<PathBuf, D::Error> {
    match Wire::deserialize(input)? {
        Wire::Text(text) => Ok(PathBuf::from(text)),
        Wire::Bytes { bytes } => from_hex(&bytes)
            .map(|bytes| PathBuf::from(OsString::from_vec(bytes)))
            .ok_or_else(|| serde::de::Error::custom("`bytes` of a path must be pairs of hex digits")),
    }
}

/// The same for a path that may be left out.
pub mod optional {
    use std::path::PathBuf;

    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    struct Wrapped(#[serde(with = "super")] PathBuf);

    /// Writes the path as [`super::serialize`] does, or null.
    pub fn serialize<S: Serializer>(path: &Option<PathBuf>, out: S) -> Result<S::Ok, S::Error> {
        match path {
            Some(path) => super::serialize(path, out),
            None => out.serialize_none(),
        }
    }

    /// Reads what [`serialize`] wrote.
    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Option<PathBuf>, D::Error> {
        Ok(Option::<Wrapped>::deserialize(input)?.map(|wrapped| wrapped.0))
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    if digits.len() % 2 == 1 {
        return None;
    }
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Named {
        #[serde(with = "crate::protocol::path")]
        path: PathBuf,
    }

    #[test]
    fn any_name_survives_the_trip() {
        for name in [b"/tmp/a b".to_vec(), b"/tmp/\xff\xfe".to_vec(), "/tmp/ü\n\"".as_bytes().to_vec(), Vec::new()] {
            let named = Named { path: PathBuf::from(OsString::from_vec(name)) };
            let text = serde_json::to_string(&named).unwrap();
            assert_eq!(serde_json::from_str::<Named>(&text).unwrap(), named, "{text}");
        }
        assert_eq!(serde_json::to_string(&Named { path: "/a".into() }).unwrap(), r#"{"path":"/a"}"#);
        for bad in [r#"{"path":{"bytes":"zz"}}"#, r#"{"path":{"bytes":"abc"}}"#, r#"{"path":3}"#] {
            assert!(serde_json::from_str::<Named>(bad).is_err(), "{bad}");
        }
    }
}
