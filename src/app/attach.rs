//! What goes along with the words of a person?
//!
//! Everything they mention with `@`, found once, when the words are sent; the words themselves stay as they were written.
//! Files, folders and what else is text stand in one labelled block each; images are read here and shown to models
//! that can see. The same for the full screen, the conversation line by line and `mimi run`.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::app::App;
use crate::app::mentions::Mention;
use crate::base::fault::{Fault, Kind};
use crate::base::path::open_regular;
use crate::base::text::size;
use crate::context::prompt;
use crate::protocol::attached::Attached;
use crate::protocol::message::Image;
use crate::protocol::task::Task;

/// Bytes of an image: as much as the servers of the large providers take in one request after base64.
const MAX_IMAGE_BYTES: u64 = 5 << 20;
/// Endings of files that are shown rather than read.
const ENDINGS: [&str; 5] = ["png", "jpg", "jpeg", "gif", "webp"];

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gathered {
    /// What goes along.
    pub attached: Vec<Attached>,
    /// A line for each mention that adds nothing.
    pub trouble: Vec<String>,
}

impl App {
    /// Finds what words mention that are meant for a model; `None` for the one that is configured.
    ///
    /// # Errors
    /// An image is mentioned and the model cannot see any, or it cannot be read: the words make no sense without it.
    pub async fn gather(&self, text: &str, model: Option<&str>) -> Result<Gathered, Fault> {
        let mut gathered = Gathered::default();
        let images = image_mentions(text);
        if !images.is_empty() {
            self.need_sight(model).await?;
        }
        for written in images {
            let path = self.place_of(&written);
            let read = tokio::task::spawn_blocking(move || read_image(&path, &written));
            let image =
                read.await.map_err(|error| Fault::new(Kind::Bug, "an image was not read").cause(error.to_string()))?;
            gathered.attached.push(image?);
        }
        for mention in self.mentions(text) {
            if matches!(&mention, Mention::File { path, .. } if is_image(path)) {
                continue;
            }
            match self.mentioned(&mention).await {
                Ok(block) => gathered.attached.push(Attached { label: block.label, text: block.text, image: None }),
                Err(fault) => gathered.trouble.push(fault.line()),
            }
        }
        Ok(gathered)
    }

    /// Where a path that a person typed leads: from the project's folder on, or from their home.
    fn place_of(&self, written: &str) -> PathBuf {
        match written.strip_prefix("~/") {
            Some(below_home) => self.dirs.home.join(below_home),
            None => self.workspace.root().join(written),
        }
    }

    async fn need_sight(&self, model: Option<&str>) -> Result<(), Fault> {
        let route = self.gateway.resolve(Task::Chat, model).await?;
        if route.sees_images() != Some(false) {
            return Ok(());
        }
        let fault = Fault::new(Kind::Usage, format!("`{}` cannot see images", route.model));
        let seeing = route.server.models.iter().find(|model| model.capabilities.iter().any(|can| can == "vision"));
        Err(match seeing {
            Some(model) => {
                fault.hint(format!("a model of this server that can: --model {0}, in the chat /model {0}", model.id))
            }
            None => fault.hint("use a model that can: --model NAME, in the chat /model NAME"),
        })
    }
}

/// Says whether a path names an image by its ending.
pub fn is_image(path: &str) -> bool {
    let ending = Path::new(path).extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
    ENDINGS.contains(&ending.as_str())
}

/// Finds the images that words mention: `@shot.png`, `@"two words.png"`.
fn image_mentions(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (at, _) in text.match_indices('@') {
        let begins = text[..at].chars().next_back().is_none_or(|c| c.is_whitespace() || c == '(');
        let rest = &text[at + 1..];
        let word = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next().unwrap_or_default(),
            None => {
                rest.split_whitespace().next().unwrap_or_default().trim_end_matches([',', '.', ';', '!', '?', ')', ':'])
            }
        };
        if begins && is_image(word) && !found.iter().any(|known| known == word) {
            found.push(word.to_owned());
        }
    }
    found
}

fn read_image(path: &Path, written: &str) -> Result<Attached, Fault> {
    let fail = |error: &std::io::Error| Fault::io(Kind::Usage, format!("cannot read the image `{written}`"), error);
    let (mut file, meta) = open_regular(path).map_err(|error| fail(&error))?;
    if meta.len() > MAX_IMAGE_BYTES {
        let (is, most) = (size(meta.len()), size(MAX_IMAGE_BYTES));
        return Err(Fault::new(Kind::Usage, format!("the image `{written}` is too large: {is}, at most {most}"))
            .hint("make it smaller, or cut out what matters"));
    }
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut file, &mut bytes).map_err(|error| fail(&error))?;
    let kind = imagesize::image_type(&bytes).ok().and_then(|kind| media_type(&kind));
    let media_type = kind.ok_or_else(|| {
        Fault::new(Kind::Usage, format!("`{written}` is no image that models take"))
            .hint("png, jpeg, gif and webp are taken")
    })?;
    let (width, height) = imagesize::blob_size(&bytes).map_or((0, 0), |size| (clip(size.width), clip(size.height)));
    let name = path.file_name().map_or_else(|| written.to_owned(), |name| name.to_string_lossy().into_owned());
    let pixels = format!("{width} x {height}");
    let label = format!("{written}, {pixels}, {}", size(bytes.len() as u64));
    let text = prompt::ATTACHED_IMAGE.render(&[&name, &pixels]);
    let image = Image { media_type: media_type.to_owned(), data: STANDARD.encode(&bytes), width, height };
    Ok(Attached { label, text, image: Some(image) })
}

fn media_type(kind: &imagesize::ImageType) -> Option<&'static str> {
    match kind {
        imagesize::ImageType::Png => Some("image/png"),
        imagesize::ImageType::Jpeg => Some("image/jpeg"),
        imagesize::ImageType::Gif => Some("image/gif"),
        imagesize::ImageType::Webp => Some("image/webp"),
        _ => None,
    }
}

fn clip(pixels: usize) -> u32 {
    u32::try_from(pixels).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of a PNG file of 2 by 3 pixels.
    fn png() -> Vec<u8> {
        [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".as_slice(), &[0, 0, 0, 2, 0, 0, 0, 3, 8, 2, 0, 0, 0], &[0; 16]].concat()
    }

    #[test]
    fn images_are_told_from_other_mentions() {
        let text = "see @a.png, @\"b c.JPG\" and @src/a.rs (@./d.webp) me@x.png @a.png";
        assert_eq!(image_mentions(text), ["a.png", "b c.JPG", "./d.webp"]);
    }

    #[test]
    fn an_image_is_read_with_its_kind_and_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        std::fs::write(&path, png()).unwrap();
        let attached = read_image(&path, "a.png").unwrap();
        let image = attached.image.unwrap();
        assert_eq!((image.media_type.as_str(), image.width, image.height), ("image/png", 2, 3));
        assert_eq!(STANDARD.decode(image.data).unwrap(), png());
        assert!(attached.label.starts_with("a.png, 2 x 3") && attached.text.contains("a.png"), "{}", attached.label);
    }

    #[test]
    fn what_is_no_image_or_too_large_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        assert!(read_image(&path, "a.png").unwrap_err().line().contains("cannot read the image `a.png`"));
        std::fs::write(&path, "words").unwrap();
        assert!(read_image(&path, "a.png").unwrap_err().line().contains("no image"));
        std::fs::File::create(&path).unwrap().set_len(MAX_IMAGE_BYTES + 1).unwrap();
        assert!(read_image(&path, "a.png").unwrap_err().line().contains("too large"));
    }
}
