//! Does the model call tools so that they arrive as calls?

use serde_json::Value;

use crate::base::text::{clip_line, count};
use crate::context::prompt::{self, Prompt};
use crate::edit::parse::call::stated_in;
use crate::edit::trial::{self, Files};
use crate::model::{Answer, Delivery, Request, ToolChoice};
use crate::protocol::message::ToolCall;
use crate::protocol::profile::{EditDialect, Profile, Support};
use crate::strategy::conformance::Subject;
use crate::strategy::conformance::finding::{Finding, Health};
use crate::strategy::conformance::question::{ask, only, request};
use crate::tools::registry::tool_for;

/// Tools offered at once in the hardest check; with more than five, models are known to lose their way.
const MANY: usize = 8;
/// Tools a model is offered that lost its way among many.
const FEW: usize = 6;
/// Tools a model is offered that called nothing right among many.
const FEWEST: usize = 4;

/// The file that `prompts/doctor/edit.md` shows.
const SHOWN: &str = "greet.py";

/// A call as it should arrive: the tool, and a value that its arguments must hold.
type Wanted = (&'static str, &'static str);

/// A call in an answer that arrives in pieces.
pub async fn streamed(subject: &Subject<'_>, profile: &mut Profile) -> Finding {
    let asked = request(subject, prompt::DOCTOR_CALL.render(&[]), only(subject, "read_file"));
    let (finding, support) = one_call(subject, "tool call in pieces", asked).await;
    profile.streamed_call = support;
    finding
}

/// A call in an answer that arrives whole.
pub async fn whole(subject: &Subject<'_>, profile: &mut Profile) -> Finding {
    let asked = request(subject, prompt::DOCTOR_CALL.render(&[]), only(subject, "read_file"));
    let asked = Request { delivery: Delivery::Whole, ..asked };
    let (finding, support) = one_call(subject, "tool call in one piece", asked).await;
    profile.whole_call = support;
    // mimi itself always asks for pieces.
    if finding.health == Health::Broken { Finding { health: Health::Weak, ..finding } } else { finding }
}

async fn one_call(subject: &Subject<'_>, check: &'static str, asked: Request) -> (Finding, Support) {
    match ask(subject, asked).await {
        Err(failure) => (failure.finding(check), Support::No),
        Ok(answer) => judge(check, &answer, &[("read_file", "notes.txt")]),
    }
}

/// Two calls in one answer.
pub async fn two(subject: &Subject<'_>, profile: &mut Profile) -> Finding {
    let check = "two tool calls at once";
    let asked = request(subject, prompt::DOCTOR_TWO_CALLS.render(&[]), only(subject, "read_file"));
    let answer = match ask(subject, asked).await {
        Err(failure) => return failure.finding(check),
        Ok(answer) => answer,
    };
    let (finding, support) = judge(check, &answer, &[("read_file", "one.txt"), ("read_file", "two.txt")]);
    profile.two_calls = support;
    if support == Support::No && answer.tool_calls.len() == 1 {
        return Finding::weak(check, "the model makes one call at a time; work takes more steps");
    }
    finding
}

/// Calls while many tools are on offer, three times. Sets how many tools the model may be offered.
pub async fn eight_tools(subject: &Subject<'_>, profile: &mut Profile) -> Finding {
    let check = "tool calls of eight tools";
    let tools: std::sync::Arc<[_]> = subject.tools.iter().take(MANY).cloned().collect();
    let rounds: [(Prompt, Wanted); 3] = [
        (prompt::DOCTOR_CALL, ("read_file", "notes.txt")),
        (prompt::DOCTOR_LIST, ("list_files", "src")),
        (prompt::DOCTOR_SEARCH, ("search", "needle")),
    ];
    let (mut clean, mut repaired) = (0, 0);
    for (words, wanted) in rounds {
        match ask(subject, request(subject, words.render(&[]), tools.clone())).await {
            Err(failure) => return failure.finding(check),
            Ok(answer) => match judge(check, &answer, &[wanted]).1 {
                Support::Yes => clean += 1,
                Support::Repaired => repaired += 1,
                Support::No | Support::Unknown => {}
            },
        }
    }
    let n = rounds.len();
    profile.max_tools = match (clean, clean + repaired) {
        (clean, _) if clean == n => None,
        (_, 0) => Some(FEWEST),
        _ => Some(FEW),
    };
    match profile.max_tools {
        None => Finding::good(check, format!("{n} of {n} arrived as calls")),
        Some(0..=FEWEST) => Finding::broken(check, format!("none of {n} arrived, not even in the words")),
        Some(_) => {
            let words =
                format!("{clean} of {n} arrived as calls, {repaired} in the words; mimi will offer fewer tools");
            Finding::weak(check, words)
        }
    }
}

/// A change of a file, in the dialect its family is known for; where that fails, in simpler ones. Sets the edit dialect.
pub async fn edit(subject: &Subject<'_>, profile: &mut Profile) -> Finding {
    let check = "edit";
    let (mut dialect, mut trouble): (EditDialect, Option<String>) = (subject.route.row.edit, None);
    loop {
        let tool = tool_for(dialect);
        let asked = request(subject, prompt::DOCTOR_EDIT.render(&[tool]), only(subject, tool));
        let why = match ask(subject, asked).await {
            Err(failure) => return trouble.map_or_else(|| failure.finding(check), |why| Finding::broken(check, why)),
            Ok(answer) => edited(&answer, tool),
        };
        let why = match why {
            Err(why) => why,
            // Asked for one dialect, it may answer in another.
            Ok(used) => {
                profile.edit_dialect = Some(used);
                return match trouble {
                    None => Finding::good(check, "changes the place that was meant"),
                    Some(trouble) => Finding::weak(check, format!("{trouble}; {} instead", asked_for(used))),
                };
            }
        };
        let first = trouble.unwrap_or(why);
        match dialect.simpler() {
            Some(simpler) => (dialect, trouble) = (simpler, Some(first)),
            None => return Finding::broken(check, format!("{first}; nor does it write the whole file")),
        }
    }
}

fn asked_for(dialect: EditDialect) -> &'static str {
    match dialect {
        EditDialect::Whole => "it is asked for whole files",
        _ => "it is asked to replace one place",
    }
}

/// Applies the model's edit to the file it was shown, as mimi would. Returns the dialect it is in.
fn edited(answer: &Answer, tool: &str) -> Result<EditDialect, String> {
    let shown = prompt::DOCTOR_EDIT.text.split("```\n").nth(1).unwrap_or_default();
    let call = answer.tool_calls.first().ok_or_else(|| format!("no call of `{tool}` arrived"))?;
    let arguments: Value = serde_json::from_str(&call.arguments).map_err(|_| "the arguments are no JSON".to_owned())?;
    let unfit = |error| format!("the edit does not fit the file: {error}");
    let mut files = Files::from([(SHOWN.to_owned(), shown.to_owned())]);
    let set = stated_in(&arguments).map_err(unfit)?;
    trial::apply(&mut files, &set).map_err(unfit)?;
    let wanted = shown.replace("\"Hello, \"", "\"Welcome, \"");
    match files.get(SHOWN) == Some(&wanted) && files.len() == 1 {
        true => Ok(set.dialect),
        false => Err("the edit changes something else than was asked for".to_owned()),
    }
}

/// A call where the model would rather talk.
pub async fn forced(subject: &Subject<'_>, profile: &mut Profile) -> Finding {
    let check = "forced call";
    let asked = request(subject, prompt::DOCTOR_HELLO.render(&[]), only(subject, "read_file"));
    let asked = Request { tool_choice: ToolChoice::Required, ..asked };
    match ask(subject, asked).await {
        // A server may refuse what it does not know; that is an answer, too.
        Err(failure) => {
            profile.tool_choice = Support::No;
            let finding = failure.finding(check);
            Finding { health: Health::Weak, hints: Vec::new(), ..finding }
        }
        Ok(answer) if !answer.tool_calls.is_empty() => {
            profile.tool_choice = Support::Yes;
            Finding::good(check, "a call can be asked for")
        }
        Ok(_) => {
            profile.tool_choice = Support::No;
            Finding::weak(check, "the server lets the model talk although a call was asked for")
        }
    }
}

/// Compares the calls of an answer with those that should be there.
fn judge(check: &'static str, answer: &Answer, wanted: &[Wanted]) -> (Finding, Support) {
    let fits = |call: &ToolCall, (tool, value): &Wanted| call.name == *tool && call.arguments.contains(value);
    let is_right = answer.tool_calls.len() == wanted.len()
        && wanted.iter().all(|wanted| answer.tool_calls.iter().any(|call| fits(call, wanted)));
    let repairs: Vec<&str> = answer.stats.recovered.keys().map(String::as_str).collect();
    if is_right && repairs.is_empty() {
        return (Finding::good(check, format!("{} arrived", count(wanted.len(), "call"))), Support::Yes);
    }
    if is_right {
        let words = format!("the call had to be repaired ({})", repairs.join(", "));
        return (Finding::weak(check, words), Support::Repaired);
    }
    let words = match answer.tool_calls.as_slice() {
        [] if answer.text.trim().is_empty() => "the answer was empty".to_owned(),
        [] => format!("no call arrived, but: {}", clip_line(answer.text.trim(), 120)),
        calls => {
            let calls = calls.iter().map(|call| format!("{} {}", call.name, call.arguments)).collect::<Vec<_>>();
            format!("another call arrived: {}", clip_line(&calls.join("; "), 160))
        }
    };
    (Finding::broken(check, words), Support::No)
}
