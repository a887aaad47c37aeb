//! How many arguments does a call give, and how many does a function take?
//!
//! Of several functions of one name the one is meant that takes as many. Counted by the syntax alone; must not look at types.

use tree_sitter::Node;

/// Returns the list of parameters of a function.
pub fn list(node: Node<'_>) -> Option<Node<'_>> {
    let mut cursor = node.walk();
    let by_kind = || {
        node.children(&mut cursor)
            .find(|child| matches!(child.kind(), "function_value_parameters" | "class_parameters"))
    };
    node.child_by_field_name("parameters").or_else(by_kind)
}

/// Counts the arguments of a call of Kotlin: those in its brackets, and the function that may stand behind them.
fn given_behind(call: Node<'_>) -> usize {
    let mut cursor = call.walk();
    let of = |child: Node<'_>| match child.kind() {
        "value_arguments" => child.named_child_count(),
        "annotated_lambda" => 1,
        _ => 0,
    };
    call.named_children(&mut cursor).map(of).sum()
}

/// Counts the arguments of a call whose name is this node.
pub fn given(node: Node<'_>) -> Option<usize> {
    let mut at = node;
    for _ in 0..4 {
        at = at.parent()?;
        if let Some(arguments) = at.child_by_field_name("arguments") {
            let mut cursor = arguments.walk();
            return Some(arguments.named_children(&mut cursor).filter(|child| !child.is_extra()).count());
        }
        let mut cursor = at.walk();
        let mut behind = at.named_children(&mut cursor);
        if at.kind() == "call_expression"
            && behind.any(|child| matches!(child.kind(), "value_arguments" | "annotated_lambda"))
        {
            return Some(given_behind(at));
        }
        if at.kind().contains("statement") || at.kind().contains("block") {
            return None;
        }
    }
    None
}

/// Counts parameters: least and most.
pub fn taken(parameters: Node<'_>) -> (usize, usize) {
    let mut cursor = parameters.walk();
    let (mut least, mut most) = (0, 0_usize);
    for child in parameters.named_children(&mut cursor).filter(|child| !child.is_extra()) {
        let kind = child.kind();
        if kind == "self_parameter" || kind == "receiver_parameter" {
            continue;
        }
        let is_many = ["variadic", "spread", "rest", "splat"].iter().any(|word| kind.contains(word));
        // Kotlin's `vararg` stands before its parameter, and a default behind one is no parameter.
        if is_many || kind == "parameter_modifiers" {
            most = usize::MAX;
        } else if parameters.kind() != "function_value_parameters" || kind == "parameter" {
            most = most.saturating_add(1);
            let is_optional = kind.contains("optional") || kind.contains("default") || has_default(child);
            least += usize::from(!is_optional);
        }
    }
    // What C# takes any number of is no parameter of its own.
    if parameters.child_by_field_name("name").is_some() {
        return (least.saturating_sub(2), usize::MAX);
    }
    (least, most)
}

/// Says whether a parameter is set to something where no argument is given: within it, or in Kotlin behind it.
fn has_default(parameter: Node<'_>) -> bool {
    let mut cursor = parameter.walk();
    parameter.children(&mut cursor).any(|child| child.kind() == "=")
        || parameter.next_sibling().is_some_and(|next| next.kind() == "=")
}
