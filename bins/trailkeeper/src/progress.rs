//! Progress bars on stderr; hidden where stderr is no terminal.

use indicatif::{ProgressBar, ProgressStyle};
use trailkeeper_analytics::engine::Progress;

/// A bar over bytes; without a total a counter.
pub fn bytes(total: Option<u64>) -> ProgressBar {
    match total {
        Some(total) => styled(ProgressBar::new(total), "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}"),
        None => styled(ProgressBar::no_length(), "{spinner} {bytes} {bytes_per_sec}"),
    }
}

/// A bar over things; `what` says which.
pub fn things(total: u64, what: &'static str) -> ProgressBar {
    styled(ProgressBar::new(total), "{msg} {bar:40} {human_pos}/{human_len} {eta}").with_message(what)
}

/// A bar over a span of time that is read event by event; `what` says in which parts.
pub fn events(what: &'static str) -> ProgressBar {
    styled(ProgressBar::no_length(), "{bar:40} {pos}/{len} {prefix}, {msg} events {eta}").with_prefix(what)
}

/// Moves such a bar.
pub fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_length(progress.of);
    bar.set_position(progress.done);
    bar.set_message(progress.events.to_string());
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    // The templates are constants; one that did not parse would only look different.
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
