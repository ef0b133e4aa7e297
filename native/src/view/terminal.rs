//! What the terminal can show: its width and its colours.

use std::io::IsTerminal;

/// How colours are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Not at all.
    Plain,
    /// The 256-colour palette.
    Indexed,
    /// 24-bit colours.
    True,
}

/// Where text will be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Columns; `None` in a pipe or file, where lines may be of any length.
    pub width: Option<u16>,
    /// Colours that it understands and that the user wants.
    pub colour: Colour,
}

impl Terminal {
    /// A pipe or file.
    pub const PIPE: Terminal = Terminal { width: None, colour: Colour::Plain };

    /// Looks at standard output and at the variables `NO_COLOR`, `TERM` and `COLORTERM`.
    pub fn detect() -> Self {
        if !std::io::stdout().is_terminal() {
            return Self::PIPE;
        }
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        Terminal {
            width: terminal_size::terminal_size().map(|(width, _)| width.0),
            colour: colour(&variable("NO_COLOR"), &variable("TERM"), &variable("COLORTERM")),
        }
    }

    /// Longest line of running text: the terminal's width within reason, 100 in a pipe or file.
    pub fn line_width(&self) -> usize {
        self.width.map_or(100, |width| usize::from(width).clamp(60, 120))
    }

    /// Columns to draw into when a picture needs a definite width.
    pub fn columns(&self) -> usize {
        usize::from(self.width.unwrap_or(80).max(40))
    }
}

fn colour(no_color: &str, term: &str, colorterm: &str) -> Colour {
    if !no_color.is_empty() || term == "dumb" {
        Colour::Plain
    } else if matches!(colorterm, "truecolor" | "24bit") {
        Colour::True
    } else {
        Colour::Indexed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides_on_colour() {
        assert_eq!(colour("1", "xterm", "truecolor"), Colour::Plain);
        assert_eq!(colour("", "dumb", ""), Colour::Plain);
        assert_eq!(colour("", "xterm", "truecolor"), Colour::True);
        assert_eq!(colour("", "xterm-256color", ""), Colour::Indexed);
    }
}
