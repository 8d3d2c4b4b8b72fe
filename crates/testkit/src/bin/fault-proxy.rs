//! The fault proxy as a program, for the acceptance scripts:
//!
//! ```text
//! fault-proxy HOST:PORT
//! ```
//!
//! The first line of its output is the address on which it listens. Then each line of its input is a command, answered
//! by one line. It ends with its input.
//!
//! | command | effect |
//! |---|---|
//! | `forward`, `freeze`, `refuse`, `lose-requests`, `lose-answers`, `cut-before-commit`, `cut-after-commit` | the mode |
//! | `slow MS` | the mode in which each piece of data waits for so many milliseconds |
//! | `cut` | closes the open connections |
//! | `counts` | `open N held N lost N cut-before-commit N cut-after-commit N` |

use std::io::{self, BufRead as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use trailkeeper_testkit::{FaultProxy, ProxyMode};

fn main() -> ExitCode {
    let Some(server) = std::env::args().nth(1) else {
        eprintln!("usage: fault-proxy HOST:PORT");
        return ExitCode::from(2);
    };
    match serve(&FaultProxy::before(&server)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fault-proxy: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the commands of the input.
fn serve(proxy: &FaultProxy) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", proxy.address())?;
    out.flush()?;
    for line in io::stdin().lock().lines() {
        writeln!(out, "{}", done(proxy, line?.trim()))?;
        out.flush()?;
    }
    Ok(())
}

/// Runs one command, and returns the line that answers it.
fn done(proxy: &FaultProxy, command: &str) -> String {
    let mode = match command {
        "forward" => ProxyMode::Forward,
        "freeze" => ProxyMode::Freeze,
        "refuse" => ProxyMode::Refuse,
        "lose-requests" => ProxyMode::LoseRequests,
        "lose-answers" => ProxyMode::LoseAnswers,
        "cut-before-commit" => ProxyMode::CutBeforeCommit,
        "cut-after-commit" => ProxyMode::CutAfterCommit,
        "cut" => return format!("cut {}", proxy.cut()),
        "counts" => {
            let counts = proxy.counts();
            return format!(
                "open {} held {} lost {} cut-before-commit {} cut-after-commit {}",
                counts.open, counts.held, counts.lost, counts.cut_before_commit, counts.cut_after_commit
            );
        }
        other => match other.strip_prefix("slow ").map(str::parse) {
            Some(Ok(milliseconds)) => ProxyMode::Slow(Duration::from_millis(milliseconds)),
            _ => return format!("error: '{other}' is no command; the commands are in the head of fault-proxy.rs"),
        },
    };
    proxy.set(mode);
    "ok".to_owned()
}
