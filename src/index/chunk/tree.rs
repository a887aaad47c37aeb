//! Where does code fall apart?
//!
//! Between nodes of its syntax tree: a node that fits stays whole, one that does not is cut between its children; then
//! neighbours are joined as long as they fit. Remarks and attributes stay with what follows them.

use tree_sitter::{Node, Tree, TreeCursor};

use crate::index::chunk::{Lines, Piece, TARGET_BYTES, pieces};

/// Deeper than this a node is not cut: no code somebody wrote is.
const MAX_DEPTH: usize = 200;

/// Cuts a parsed text. `remarks` are the kinds of nodes that belong to what follows.
pub fn cut(tree: &Tree, lines: &Lines, remarks: &[u16]) -> Vec<Piece> {
    let mut splitting = Splitting { lines, remarks, begins: Vec::new() };
    let root = tree.root_node();
    if root.byte_range().len() > TARGET_BYTES {
        splitting.split(&mut root.walk(), 0);
    }
    pieces(lines, splitting.begins)
}

struct Splitting<'l> {
    lines: &'l Lines,
    remarks: &'l [u16],
    /// Lines at which a piece begins.
    begins: Vec<usize>,
}

impl Splitting<'_> {
    /// Cuts between the children of the node at the cursor.
    fn split(&mut self, cursor: &mut TreeCursor<'_>, depth: usize) {
        if depth > MAX_DEPTH || !cursor.goto_first_child() {
            return;
        }
        // The piece under way, and the first of the remarks that wait for what they belong to; both by first line.
        let mut open: Option<usize> = None;
        let mut remark: Option<usize> = None;
        loop {
            let node = cursor.node();
            if self.remarks.contains(&node.kind_id()) && node.byte_range().len() <= TARGET_BYTES {
                remark = remark.or_else(|| Some(row(node)));
            } else {
                let first = remark.take().unwrap_or_else(|| row(node));
                let begin = self.lines.begin(first);
                if node.end_byte().saturating_sub(begin) > TARGET_BYTES {
                    self.begins.push(first);
                    self.split(cursor, depth + 1);
                    // What follows begins a piece of its own.
                    self.begins.push(node.end_position().row + 1);
                    open = None;
                } else {
                    let fits = open.is_some_and(|open| node.end_byte() - self.lines.begin(open) <= TARGET_BYTES);
                    if !fits {
                        self.begins.push(first);
                        open = Some(first);
                    }
                }
            }
            if !cursor.goto_next_sibling() {
                break;
            }
        }
        cursor.goto_parent();
    }
}

fn row(node: Node<'_>) -> usize {
    node.start_position().row
}
