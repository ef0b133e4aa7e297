//! The progress bar of a long run: rate, time left, best so far; nothing at all in a pipe.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over `trials`, drawn on a terminal's error stream and nowhere else.
pub fn bar(trials: u64, quiet: bool) -> ProgressBar {
    let target = if quiet || !std::io::stderr().is_terminal() {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr_with_hz(10)
    };
    let bar = ProgressBar::with_draw_target(Some(trials), target);
    let template = "{bar:30.cyan/dim} {human_pos}/{human_len} trials  {per_sec}  {eta} left  {msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar
}

/// A bar over other steps, `noun` in the plural, with a message that says what is under way.
pub fn steps(count: u64, noun: &str, quiet: bool) -> ProgressBar {
    let bar = self::bar(count, quiet);
    let template = format!("{{bar:30.cyan/dim}} {{human_pos}}/{{human_len}} {noun}  {{eta}} left  {{msg}}");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar
}
