//! How does each kind of text look, and how is that changed?
//!
//! Code names what a text is ([`Look`]); a theme says how that looks. Themes are files: four come along under
//! `config/themes`, others stand in the user's `themes` folder. No meaning hangs on a colour alone: the theme `none` has no
//! colours, and every view still says everything.

use std::collections::BTreeMap;

use ratatui_core::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::base::text::nearest;
use crate::protocol::diff::{Hunk, Words};
use crate::tui::answer::Ground;
use crate::tui::diff_view::Spans;

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Words as they are.
    Plain,
    /// Less important.
    Dim,
    /// More important.
    Bold,
    /// What mimi draws the eye to: the prompt, what is chosen.
    Accent,
    /// Something went well; added lines.
    Good,
    /// Something went wrong; removed lines.
    Bad,
    /// Something needs attention.
    Notice,
    /// What was added within a line.
    GoodWord,
    /// What was removed within a line.
    BadWord,
    /// Emphasised words.
    Emphasis,
    /// A heading.
    Heading,
    /// Code, in words or as a block.
    Code,
    /// A link.
    Link,
    /// Quoted words.
    Quote,
    /// What the model thought.
    Thought,
    /// What the person wrote.
    Person,
    /// Lines between things.
    Border,
    /// The row that is chosen.
    Chosen,
    /// Behind a line that was added.
    Added,
    /// Behind a line that was removed.
    Removed,
    /// In code: a word of the language.
    Keyword,
    /// In code: text.
    String,
    /// In code: a number or another constant.
    Number,
    /// In code: a comment.
    Comment,
    /// In code: the name of a type.
    Type,
    /// In code: the name of a function.
    Function,
}

/// Every look by its name in a theme file, in the order of [`Theme::styles`].
pub const LOOKS: [(&str, Look); 26] = [
    ("plain", Look::Plain),
    ("dim", Look::Dim),
    ("bold", Look::Bold),
    ("accent", Look::Accent),
    ("good", Look::Good),
    ("bad", Look::Bad),
    ("notice", Look::Notice),
    ("good_word", Look::GoodWord),
    ("bad_word", Look::BadWord),
    ("emphasis", Look::Emphasis),
    ("heading", Look::Heading),
    ("code", Look::Code),
    ("link", Look::Link),
    ("quote", Look::Quote),
    ("thought", Look::Thought),
    ("person", Look::Person),
    ("border", Look::Border),
    ("chosen", Look::Chosen),
    ("added", Look::Added),
    ("removed", Look::Removed),
    ("keyword", Look::Keyword),
    ("string", Look::String),
    ("number", Look::Number),
    ("comment", Look::Comment),
    ("type", Look::Type),
    ("function", Look::Function),
];

/// The themes that come along, by name.
pub const THEMES: [(&str, &str); 4] = [
    ("dark", include_str!("../../config/themes/dark.yaml")),
    ("light", include_str!("../../config/themes/light.yaml")),
    ("contrast", include_str!("../../config/themes/contrast.yaml")),
    ("none", include_str!("../../config/themes/none.yaml")),
];

/// How every kind of text looks.
#[derive(Debug, Clone)]
pub struct Theme {
    /// One style for each of [`LOOKS`].
    styles: [Style; LOOKS.len()],
    skills: Skills,
}

/// What others know of texts; this room knows no language.
#[derive(Debug, Clone, Copy)]
pub struct Skills {
    /// Colours code, given the name of its file or language and the text; one row of spans for each line. Plain where nobody
    /// knows the language or there is too much of it.
    pub code: fn(&str, &str) -> Vec<Spans>,
    /// Finds the words that changed within the lines of a hunk.
    pub words: fn(&Hunk) -> Vec<Words>,
}

impl Skills {
    /// Knows nothing: all code is plain.
    pub const NONE: Self = Self { code: |_, text| plain(text), words: |_| Vec::new() };
}

fn plain(text: &str) -> Vec<Spans> {
    text.split('\n').map(|line| vec![(Look::Plain, line.to_owned())]).collect()
}

/// One row of a theme file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Row {
    fg: Option<Colour>,
    bg: Option<Colour>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    reverse: bool,
}

/// A colour as files name it.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Colour {
    Number(u8),
    Name(String),
}

impl Theme {
    /// Reads a theme file; looks it does not name are plain. Fails with what is wrong, and where.
    pub fn read(text: &str) -> Result<Self, String> {
        let rows: BTreeMap<String, Row> = crate::base::yaml::from_str(text).map_err(|error| error.to_string())?;
        let mut styles = [Style::new(); LOOKS.len()];
        for (name, row) in &rows {
            let at = LOOKS
                .iter()
                .position(|(known, _)| known == name)
                .ok_or_else(|| format!("line {}: {}", line_of(text, name), unknown(name)))?;
            styles[at] = row.style().map_err(|wrong| format!("line {}: `{name}`: {wrong}", line_of(text, name)))?;
        }
        Ok(Self { styles, skills: Skills::NONE })
    }

    /// Returns a theme that comes along; none for an unknown name.
    pub fn named(name: &str) -> Option<Self> {
        let (_, text) = THEMES.iter().find(|(known, _)| *known == name)?;
        Self::read(text).ok()
    }

    /// Returns the theme that comes along for a background.
    pub fn for_ground(ground: Ground) -> Self {
        let name = match ground {
            Ground::Dark => "dark",
            Ground::Light => "light",
        };
        Self::named(name).unwrap_or_else(Self::without_colours)
    }

    /// Returns the theme without colours.
    pub fn without_colours() -> Self {
        Self::named("none").unwrap_or(Self { styles: [Style::new(); LOOKS.len()], skills: Skills::NONE })
    }

    /// Has code coloured and changed words found by those who can.
    #[must_use]
    pub fn with_skills(self, skills: Skills) -> Self {
        Self { skills, ..self }
    }

    /// Has those asked that another theme asks.
    #[must_use]
    pub fn with_skills_of(self, other: &Self) -> Self {
        Self { skills: other.skills, ..self }
    }

    /// Colours code of a file or language of this name; one row for each line.
    pub fn code(&self, name: &str, text: &str) -> Vec<Spans> {
        (self.skills.code)(name, text)
    }

    /// Finds the words that changed within the lines of a hunk.
    pub fn words(&self, hunk: &Hunk) -> Vec<Words> {
        if hunk.words.is_empty() { (self.skills.words)(hunk) } else { hunk.words.clone() }
    }

    /// Says how a kind of text looks.
    pub fn style(&self, look: Look) -> Style {
        self.styles[look as usize]
    }
}

/// Finds the line a look stands in, counted from 1.
fn line_of(text: &str, name: &str) -> usize {
    let is_it = |line: &str| line.trim_start().trim_start_matches(['"', '\'']).starts_with(name);
    text.lines().position(is_it).map_or(1, |at| at + 1)
}

impl Row {
    fn style(&self) -> Result<Style, String> {
        let mut style = Style::new();
        style.fg = self.fg.as_ref().map(colour).transpose()?;
        style.bg = self.bg.as_ref().map(colour).transpose()?;
        let modifiers = [
            (self.bold, Modifier::BOLD),
            (self.dim, Modifier::DIM),
            (self.italic, Modifier::ITALIC),
            (self.underline, Modifier::UNDERLINED),
            (self.reverse, Modifier::REVERSED),
        ];
        let chosen = modifiers.into_iter().filter(|(is_chosen, _)| *is_chosen);
        Ok(chosen.fold(style, |style, (_, modifier)| style.add_modifier(modifier)))
    }
}

fn unknown(name: &str) -> String {
    let near = nearest(name, LOOKS.iter().map(|(known, _)| *known));
    let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    format!("there is no text called `{name}`{hint}")
}

/// Reads a colour: one of the sixteen names, a number up to 255, or `#rrggbb`.
fn colour(colour: &Colour) -> Result<Color, String> {
    match colour {
        Colour::Number(number) => Ok(Color::Indexed(*number)),
        Colour::Name(name) => name
            .parse()
            .map_err(|_| format!("there is no colour `{name}`; a name such as cyan, a number up to 255, or #rrggbb")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_themes_that_come_along_can_be_read_and_name_every_look() {
        for (name, text) in THEMES {
            Theme::read(text).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
            let rows: BTreeMap<String, Row> = crate::base::yaml::from_str(text).unwrap();
            let missing: Vec<_> = LOOKS.iter().filter(|(name, _)| !rows.contains_key(*name)).collect();
            assert!(missing.is_empty(), "{name} does not say how {missing:?} look");
        }
    }

    #[test]
    fn looks_stand_at_their_own_place() {
        for (at, (_, look)) in LOOKS.iter().enumerate() {
            assert_eq!(*look as usize, at);
        }
    }

    #[test]
    fn the_theme_without_colours_has_none() {
        let theme = Theme::without_colours();
        assert!(LOOKS.iter().all(|(_, look)| theme.style(*look).fg.is_none() && theme.style(*look).bg.is_none()));
        // Added and removed lines carry signs; words within them must still stand out.
        assert_ne!(theme.style(Look::GoodWord), theme.style(Look::Good));
    }

    #[test]
    fn what_is_wrong_with_a_theme_is_said() {
        let table = [
            ("dim: {}\naccent: {fg: bleu}", "line 2: `accent`: there is no colour `bleu`"),
            ("acent: {fg: blue}", "line 1: there is no text called `acent`; did you mean `accent`?"),
            ("accent: {colour: blue}", "colour"),
        ];
        for (text, expected) in table {
            let wrong = Theme::read(text).unwrap_err();
            assert!(wrong.contains(expected), "{text}: {wrong}");
        }
    }
}
