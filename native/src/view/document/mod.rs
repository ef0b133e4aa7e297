//! Documents: what a report is made of, before anybody decides how it looks, and two ways it can look.
//!
//! Given blocks of text, numbers and finished pictures, this gives one HTML page that needs nothing else, or Markdown with
//! its pictures beside it. It never knows what the report is about, and every text that it is given is shown as text.

pub mod html;
pub mod markdown;

/// What a judgement comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Passed.
    Yes,
    /// Open.
    Open,
    /// Failed.
    No,
}

/// A picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    /// Name of its file, without ending; unique in the document.
    pub name: String,
    /// What it shows.
    pub caption: String,
    /// The picture.
    pub svg: String,
}

/// A cell of a table whose ground says how large its number is.
#[derive(Clone, Debug, PartialEq)]
pub struct Shade {
    /// What it says.
    pub text: String,
    /// From −1, a loss, to 1, a gain; 0 has no shade.
    pub share: f64,
}

/// A piece of a report.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// What the report comes to, and why.
    Judgement(Tone, String),
    /// Heading of a part.
    Heading(String),
    /// Heading inside a part.
    Subheading(String),
    /// A paragraph.
    Text(String),
    /// A part that is not there, and how to get it.
    Missing(String),
    /// Key numbers by name.
    Figures(Vec<(String, String)>),
    /// A table whose first columns hold words and whose others hold numbers.
    Table {
        /// Names of the columns.
        heading: Vec<String>,
        /// Cells by row.
        rows: Vec<Vec<String>>,
        /// Number of columns of words.
        words: usize,
    },
    /// A table of shaded numbers; the first cell of each row names it.
    Shaded {
        /// Names of the columns.
        heading: Vec<String>,
        /// Name and cells by row.
        rows: Vec<(String, Vec<Shade>)>,
    },
    /// A picture.
    Plot(Plot),
    /// Pictures side by side where there is room.
    Plots(Vec<Plot>),
    /// Pictures of the same thing, of which the reader sees one: a label for each.
    Switch(Vec<(String, Plot)>),
    /// Files of the folder with what they show.
    Links(Vec<(String, String)>),
    /// Something to type.
    Code(String),
}

impl Block {
    /// A table from texts that are at hand.
    pub fn table(heading: &[&str], rows: Vec<Vec<String>>, words: usize) -> Block {
        Block::Table { heading: heading.iter().map(|&name| name.to_owned()).collect(), rows, words }
    }

    /// The pictures in it.
    pub fn plots(&self) -> Vec<&Plot> {
        match self {
            Block::Plot(plot) => vec![plot],
            Block::Plots(plots) => plots.iter().collect(),
            Block::Switch(choices) => choices.iter().map(|(_, plot)| plot).collect(),
            _ => Vec::new(),
        }
    }
}
