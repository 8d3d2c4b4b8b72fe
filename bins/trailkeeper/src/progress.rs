//! Progress bars on stderr. They are hidden if stderr is not a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use trailkeeper_analytics::engine::Progress;

/// A bar over bytes; a counter if the total is unknown.
pub fn bytes(total: Option<u64>) -> ProgressBar {
    match total {
        Some(total) => styled(ProgressBar::new(total), "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}"),
        None => styled(ProgressBar::no_length(), "{spinner} {bytes} {bytes_per_sec}"),
    }
}

/// A line with counts that grow without an end.
pub fn following() -> ProgressBar {
    styled(ProgressBar::new_spinner(), "{spinner} {msg}")
}

/// A bar over `total` items, labelled `what`.
pub fn items(total: u64, what: &'static str) -> ProgressBar {
    styled(ProgressBar::new(total), "{msg} {bar:40} {human_pos}/{human_len} {eta}").with_message(what)
}

/// A counter of `what`.
pub fn count(what: &'static str) -> ProgressBar {
    styled(ProgressBar::no_length(), "{spinner} {human_pos} {msg}").with_message(what)
}

/// A bar over the days or months whose events are read; `what` names the unit.
pub fn events(what: &'static str) -> ProgressBar {
    styled(ProgressBar::no_length(), "{bar:40} {pos}/{len} {prefix}, {msg} events {eta}").with_prefix(what)
}

/// Updates a bar of [`events`].
pub fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_length(progress.of);
    bar.set_position(progress.done);
    bar.set_message(progress.events.to_string());
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    // The templates are constants. A template that does not parse only changes the look of the bar.
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
