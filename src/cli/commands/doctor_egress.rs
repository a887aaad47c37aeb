//! What would be connected to, by whom and what for?
//!
//! Reads settings and two files of the system; connects to nothing.

use crate::app::App;
use crate::base::fault::Fault;
use crate::base::text::visible;
use crate::cli::context::Cx;
use crate::config::keyring::SystemRing;
use crate::exec::sandbox::Tier;
use crate::model::outlets;
use crate::model::settings::GatewayConfig;

/// Where the system's name servers stand (`resolv.conf(5)`).
const NAME_SERVERS: &str = "/etc/resolv.conf";

/// One thing that would be connected to.
struct Row {
    address: String,
    who: &'static str,
    purpose: String,
}

impl Row {
    fn new(address: impl Into<String>, who: &'static str, purpose: impl Into<String>) -> Self {
        Self { address: address.into(), who, purpose: purpose.into() }
    }
}

/// Lists everything.
pub fn run(cx: &Cx, app: &App, is_json: bool) -> Result<(), Fault> {
    let mut rows = servers(app);
    rows.extend(hosts(app));
    rows.extend(names(&rows));
    rows.push(keyring(cx));
    if is_json {
        let json = |row: &Row| serde_json::json!({"address": row.address, "who": row.who, "purpose": row.purpose});
        return cx.out.line(serde_json::Value::from(rows.iter().map(json).collect::<Vec<_>>()).to_string());
    }
    let width = rows.iter().map(|row| row.address.len()).max().unwrap_or_default();
    rows.iter().try_for_each(|row| {
        cx.out.line(format!("{:<width$}  {:<8}  {}", visible(&row.address), row.who, visible(&row.purpose)))
    })
}

fn servers(app: &App) -> Vec<Row> {
    let mut rows = Vec::new();
    for outlet in outlets::list(&GatewayConfig::of(&app.config)) {
        let address = format!("{}:{}", outlet.dial.host, outlet.dial.port);
        rows.push(match outlet.dial.through {
            Some(proxy) => Row::new(proxy, "mimi", format!("the proxy that leads to {address}, {}", outlet.purpose)),
            None => Row::new(address, "mimi", outlet.purpose),
        });
    }
    rows
}

/// Lists what commands reach, which depends on what confines them.
fn hosts(app: &App) -> Vec<Row> {
    let reached = app.runner.network.as_ref().map(|network| network.allowed.words()).unwrap_or_default();
    let purpose = "sandbox.hosts, through mimi's proxy; ports 80 and 443 where none is named";
    let mut rows: Vec<Row> = reached.into_iter().map(|host| Row::new(host, "commands", purpose)).collect();
    if rows.is_empty() {
        rows.push(match app.choice.tier {
            Tier::Full | Tier::Landlock => {
                let words = format!("the sandbox {} lets them reach nothing", app.choice.tier.name());
                Row::new("nothing", "commands", words)
            }
            Tier::External | Tier::None => Row::new("anything", "commands", "nothing confines them"),
        });
    }
    rows
}

/// Names the name servers, where any address so far is a name.
fn names(rows: &[Row]) -> Option<Row> {
    let host = |row: &Row| {
        row.address.rsplit("//").next().and_then(|rest| rest.rsplit_once(':')).map(|pair| pair.0.to_owned())
    };
    let is_name = |host: &String| host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_err();
    let mut names: Vec<String> =
        rows.iter().filter(|row| row.address != "nothing").filter_map(host).filter(is_name).collect();
    names.dedup();
    if names.is_empty() {
        return None;
    }
    let text = std::fs::read_to_string(NAME_SERVERS).unwrap_or_default();
    let servers: Vec<String> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("nameserver"))
        .map(|rest| format!("{}:53", rest.trim()))
        .collect();
    let address = if servers.is_empty() { "the system's name service".to_owned() } else { servers.join(", ") };
    Some(Row::new(address, "mimi", format!("to look up {}", names.join(", "))))
}

fn keyring(cx: &Cx) -> Row {
    match SystemRing::new(&cx.env).absent() {
        None => Row::new("the session bus (a socket of this machine)", "mimi", "the keyring, for keys of servers"),
        Some(why) => Row::new("no keyring", "mimi", why),
    }
}
