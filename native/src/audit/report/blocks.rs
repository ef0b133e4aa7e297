//! What a report is made of, before anybody decides how it looks.

/// A piece of a report.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// Whether the audit is accepted, and why.
    Judgement(bool, String),
    /// Heading of a part.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// A table whose first columns hold words and whose others hold numbers.
    Table {
        /// Names of the columns.
        heading: Vec<String>,
        /// Cells by row.
        rows: Vec<Vec<String>>,
        /// Number of columns of words.
        words: usize,
    },
    /// A picture.
    Plot {
        /// Name of its file, without ending.
        name: String,
        /// What it shows.
        caption: String,
        /// The picture.
        svg: String,
    },
    /// Files of the folder with what they show.
    Links(Vec<(String, String)>),
    /// Something to type.
    Code(String),
}
