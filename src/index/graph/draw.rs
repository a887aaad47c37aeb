//! How is a graph shown: as a tree, for graphviz, or as a diagram of Mermaid?
//!
//! Pure: a graph in, text out. Names come from code and may hold anything, so they are escaped for each form. JSON is the
//! graph itself.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::base::text::{count, visible};
use crate::index::graph::resolve::Confidence;
use crate::index::graph::{Direction, Edge, Graph, Node};

/// Nodes of a Mermaid diagram; larger ones are not drawn by those who show them.
pub const MERMAID_NODES: usize = 60;
/// Lines of a tree.
const MAX_LINES: usize = 400;

/// Draws a tree: for each way a root and what hangs on it.
pub fn tree(graph: &Graph, directions: &[Direction]) -> String {
    let mut out = String::new();
    let mut n_lines = 0;
    for root in &graph.roots {
        let Some(node) = graph.nodes.get(*root) else { continue };
        let shown: Vec<Direction> = directions.iter().copied().filter(|direction| belongs(node, *direction)).collect();
        if shown.is_empty() {
            continue;
        }
        let _ = writeln!(out, "{}", said(node));
        for direction in shown {
            let _ = writeln!(out, "  {}", heading(direction));
            let before = n_lines;
            branch(
                graph,
                *root,
                direction,
                &mut Branch {
                    out: &mut out,
                    n_lines: &mut n_lines,
                    open: &mut vec![*root],
                    seen: &mut BTreeSet::new(),
                },
            );
            if n_lines == before {
                let _ = writeln!(out, "    (none)");
            }
        }
    }
    if n_lines > MAX_LINES {
        let _ = writeln!(out, "[{} more]", count(n_lines - MAX_LINES, "line"));
    }
    out
}

/// Calls hang on definitions, imports on files; at a file both are shown.
fn belongs(node: &Node, direction: Direction) -> bool {
    let is_file = node.line == 0;
    match direction {
        Direction::Callers | Direction::Callees => !is_file,
        Direction::Imports | Direction::Dependents => is_file,
    }
}

fn heading(direction: Direction) -> &'static str {
    match direction {
        Direction::Callers => "used by",
        Direction::Callees => "calls",
        Direction::Imports => "brings in",
        Direction::Dependents => "brought in by",
    }
}

struct Branch<'b> {
    out: &'b mut String,
    n_lines: &'b mut usize,
    /// Nodes from the root to here.
    open: &'b mut Vec<usize>,
    /// Nodes whose branches are drawn already.
    seen: &'b mut BTreeSet<usize>,
}

fn branch(graph: &Graph, at: usize, direction: Direction, drawing: &mut Branch<'_>) {
    if !drawing.seen.insert(at) {
        return;
    }
    let inward = matches!(direction, Direction::Callers | Direction::Dependents);
    let mut edges: Vec<(&Edge, usize)> = graph
        .edges
        .iter()
        .filter(|edge| edge.by == direction && (if inward { edge.to } else { edge.from }) == at)
        .map(|edge| (edge, if inward { edge.from } else { edge.to }))
        .collect();
    edges.sort_by(|a, b| a.0.confidence.cmp(&b.0.confidence).then_with(|| graph.nodes[a.1].cmp(&graph.nodes[b.1])));
    for (edge, other) in edges {
        let Some(node) = graph.nodes.get(other) else { continue };
        *drawing.n_lines += 1;
        let is_circle = drawing.open.contains(&other);
        let is_shown = drawing.seen.contains(&other);
        if *drawing.n_lines <= MAX_LINES {
            let indent = "  ".repeat(drawing.open.len() + 1);
            let place =
                if edge.line > 0 && node.line > 0 || inward { format!(", line {}", edge.line) } else { String::new() };
            let mark = match edge.confidence {
                Confidence::Exact => "",
                Confidence::Likely => " (likely)",
                Confidence::Name => " (by name)",
            };
            let again = if is_circle {
                " (again: a circle)"
            } else if is_shown {
                " (see above)"
            } else {
                ""
            };
            let _ = writeln!(drawing.out, "{indent}{}{place}{mark}{again}", said(node));
        }
        if !is_circle && drawing.open.len() < 64 {
            drawing.open.push(other);
            branch(graph, other, direction, drawing);
            drawing.open.pop();
        }
    }
}

/// Returns a node on one line.
pub fn said(node: &Node) -> String {
    let text = match (node.line, node.kind) {
        (0, "external") => format!("{} (from elsewhere)", node.name),
        (0, _) => node.name.clone(),
        (line, kind) => format!("{kind} {}  {}:{line}", node.name, node.path),
    };
    visible(&text.replace(['\n', '\r'], " ")).into_owned()
}

/// Draws for graphviz, by folder.
pub fn dot(graph: &Graph) -> String {
    let escaped = |text: &str| visible(text).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ");
    let mut out = "digraph code {\n  rankdir=LR;\n  node [shape=box, fontname=\"monospace\"];\n".to_owned();
    for (n, (folder, nodes)) in folders(graph).into_iter().enumerate() {
        let indent = if folder.is_empty() { "  " } else { "    " };
        if !folder.is_empty() {
            let _ = writeln!(out, "  subgraph cluster_{n} {{\n    label=\"{}\";", escaped(&folder));
        }
        for at in nodes {
            let shape = if graph.roots.contains(&at) { ", style=bold" } else { "" };
            let _ = writeln!(out, "{indent}n{at} [label=\"{}\"{shape}];", label(&graph.nodes[at], &escaped, "\\n"));
        }
        if !folder.is_empty() {
            out.push_str("  }\n");
        }
    }
    for edge in &graph.edges {
        let style = match edge.confidence {
            Confidence::Exact => "",
            Confidence::Likely => " [style=dashed]",
            Confidence::Name => " [style=dotted]",
        };
        let _ = writeln!(out, "  n{} -> n{}{style};", edge.from, edge.to);
    }
    out.push_str("}\n");
    out
}

/// Draws for Mermaid; what is beyond its size is left out, nearest nodes first.
pub fn mermaid(graph: &Graph) -> String {
    // Inside quotes only these are more than text.
    let escaped = |text: &str| {
        visible(text)
            .replace('&', "&amp;")
            .replace('"', "&quot;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace(['\n', '`'], " ")
            .replace('#', "&num;")
    };
    let kept: BTreeSet<usize> = (0..graph.nodes.len().min(MERMAID_NODES)).collect();
    let mut out = "flowchart LR\n".to_owned();
    if graph.nodes.len() > MERMAID_NODES {
        let _ = writeln!(out, "  %% {} of {} are shown", MERMAID_NODES, count(graph.nodes.len(), "node"));
    }
    for (n, (folder, nodes)) in folders(graph).into_iter().enumerate() {
        let nodes: Vec<usize> = nodes.into_iter().filter(|at| kept.contains(at)).collect();
        if nodes.is_empty() {
            continue;
        }
        let indent = if folder.is_empty() { "  " } else { "    " };
        if !folder.is_empty() {
            let _ = writeln!(out, "  subgraph f{n}[\"{}\"]", escaped(&folder));
        }
        for at in nodes {
            let _ = writeln!(out, "{indent}n{at}[\"{}\"]", label(&graph.nodes[at], &escaped, "<br/>"));
        }
        if !folder.is_empty() {
            out.push_str("  end\n");
        }
    }
    for edge in graph.edges.iter().filter(|edge| kept.contains(&edge.from) && kept.contains(&edge.to)) {
        let arrow = if edge.confidence == Confidence::Exact { "-->" } else { "-.->" };
        let _ = writeln!(out, "  n{} {arrow} n{}", edge.from, edge.to);
    }
    out
}

/// Nodes by the folder of their files, in order.
fn folders(graph: &Graph) -> Vec<(String, Vec<usize>)> {
    let mut folders: std::collections::BTreeMap<String, Vec<usize>> = std::collections::BTreeMap::new();
    for (at, node) in graph.nodes.iter().enumerate() {
        let folder = node.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        folders.entry(folder.to_owned()).or_default().push(at);
    }
    folders.into_iter().collect()
}

fn label(node: &Node, escaped: &impl Fn(&str) -> String, line_break: &str) -> String {
    let file = node.path.rsplit('/').next().unwrap_or_default();
    if node.line == 0 {
        return escaped(if file.is_empty() { &node.name } else { file });
    }
    format!("{}{line_break}{}:{}", escaped(&node.name), escaped(file), node.line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(n: usize) -> Graph {
        let node = |at: usize| Node {
            name: if at == 1 { "odd\"<b>#\n`".to_owned() } else { format!("f{at}") },
            kind: "function",
            path: format!("src/d{}/a.rs", at % 2),
            line: at as u32 + 1,
        };
        let edge = |from, to, confidence| Edge { from, to, confidence, line: 3, by: Direction::Callees };
        let mut graph = Graph { nodes: (0..n).map(node).collect(), roots: vec![0], ..Graph::default() };
        graph.edges = (1..n).map(|at| edge(at - 1, at, Confidence::Exact)).collect();
        graph.edges.push(edge(n - 1, 0, Confidence::Likely));
        graph
    }

    #[test]
    fn a_circle_ends_and_says_so() {
        let text = tree(&graph(3), &[Direction::Callees]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "function f0  src/d0/a.rs:1");
        assert_eq!(lines[1], "  calls");
        assert!(lines[4].contains("f0") && lines[4].ends_with("(likely) (again: a circle)"), "{text}");
        assert_eq!(lines.len(), 5);
    }

    #[test]
    fn labels_are_escaped_for_each_form() {
        let dot = dot(&graph(3));
        assert!(dot.contains("odd\\\"<b># `") && dot.contains("[style=dashed]") && dot.contains("cluster_"), "{dot}");
        let mermaid = mermaid(&graph(3));
        assert!(
            mermaid.contains("odd&quot;&lt;b&gt;&num;") && mermaid.contains("-.->") && mermaid.contains("subgraph"),
            "{mermaid}"
        );
        assert!(mermaid.lines().all(|line| !line.contains('`')));
    }

    #[test]
    fn a_large_diagram_is_cut_and_says_so() {
        let mermaid = mermaid(&graph(100));
        assert!(mermaid.contains("%% 60 of 100 nodes are shown"));
        assert_eq!(mermaid.matches("[\"").count(), 60 + 2, "nodes and folders");
    }
}
