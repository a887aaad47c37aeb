//! How much must a server read before the first word of the user, and has another user warmed it up already?
//!
//! A server keeps what it has read of a prompt and reuses the longest common start. Everything two users share is read
//! once; everything that differs pushes all that follows out of reach.

use serde_json::Value;

use crate::Measured;
use crate::server::{Server, Turn};
use crate::user::User;

/// A usual first sentence.
const TASK: &str = "fix the failing test";

/// Measures the system prompt and the tools as they stand in the first request.
pub fn size() -> Result<Measured, String> {
    let request: Value =
        serde_json::from_slice(&first_request("ada", "project")?).map_err(|error| error.to_string())?;
    let tools = request.get("tools").map(|tools| (tools.to_string().len(), tools.as_array().map_or(0, Vec::len)));
    let (n_tool_bytes, n_tools) = tools.ok_or("the first request offers no tools")?;
    let messages = request.get("messages").and_then(Value::as_array).ok_or("the first request has no messages")?;
    let system = messages.iter().find(|message| message.get("role").is_some_and(|role| role == "system"));
    let text = system.and_then(|message| message.get("content")).and_then(Value::as_str);
    let n_system_bytes = text.ok_or("the first request has no system message")?.len();
    let detail = format!("system {n_system_bytes} B, {n_tools} tools {n_tool_bytes} B");
    Ok(Measured { value: (n_system_bytes + n_tool_bytes) as f64, detail })
}

/// Measures the first request as it goes over the wire.
pub fn request() -> Result<Measured, String> {
    let bytes = first_request("ada", "project")?.len();
    Ok(Measured { value: bytes as f64, detail: "body, without HTTP".to_owned() })
}

/// Measures the share of the first request that is the same for two users with nothing in common but the task.
pub fn shared() -> Result<Measured, String> {
    let ada = first_request("ada", "project")?;
    let other = first_request("bartholomew", "work/services/billing")?;
    let n_shared = ada.iter().zip(&other).take_while(|(one, two)| one == two).count();
    let n_longest = ada.len().max(other.len());
    let after: String = String::from_utf8_lossy(&ada[n_shared..ada.len().min(n_shared + 30)]).escape_debug().collect();
    let detail = format!("{n_shared} of {n_longest} bytes; then `{after}`");
    Ok(Measured { value: 100.0 * n_shared as f64 / n_longest as f64, detail })
}

/// Runs one task as this user and returns the body of its first request.
fn first_request(name: &str, folder: &str) -> Result<Vec<u8>, String> {
    let user = User::new(name, folder).map_err(|error| error.to_string())?;
    user.write(&format!("{name}.txt"), "hello\n").map_err(|error| error.to_string())?;
    let server = Server::start(|_| Turn::Say("done".to_owned())).map_err(|error| error.to_string())?;
    let ended = user.run_task(&server.url, TASK, |_| {}).map_err(|error| error.to_string())?;
    let first = server.exchanges().into_iter().next();
    first.map(|exchange| exchange.body).ok_or_else(|| format!("no request was made: {}", ended.stderr.trim()))
}
