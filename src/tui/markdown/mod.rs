//! How does what a model writes in Markdown look on a terminal?
//!
//! [`render`] turns a text into rows of a width. [`growing`] does it piece by piece while the text comes in: blocks that
//! cannot change any more are rendered once. Must not hide anything: what is no markup is shown as it is, links keep their
//! address, and HTML is text. To add a form: an arm in `blocks::Writer`, a row in the table of its tests.

mod blocks;
pub mod growing;
mod table;

use pulldown_cmark::{Options, Parser};
use ratatui_core::text::Line;

use crate::tui::look::Theme;

/// What is understood besides plain Markdown.
fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS
}

/// Renders a whole text in rows of `width` columns.
pub fn render(text: &str, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut writer = blocks::Writer::new(width, theme);
    for event in Parser::new_ext(text, options()) {
        writer.event(event);
    }
    writer.finish()
}

#[cfg(test)]
#[path = "markdown_tests.rs"]
mod tests;
