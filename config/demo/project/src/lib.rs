//! A shelf of books that can be read page by page.

/// One page of a longer list.
#[derive(Debug, PartialEq)]
pub struct Page<'a> {
    /// The entries of this page.
    pub entries: &'a [&'a str],
    /// How many pages there are.
    pub pages: usize,
}

/// Returns page `number`, counted from one, of `titles` with `size` entries a page.
pub fn page<'a>(titles: &'a [&'a str], number: usize, size: usize) -> Page<'a> {
    let start = number * size;
    let end = (start + size).min(titles.len());
    Page { entries: &titles[start.min(end)..end], pages: titles.len() / size }
}
