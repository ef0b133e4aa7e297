//! A report as Markdown; its pictures are files beside it.

use super::{Block, Plot};

/// The document. `plots` is the folder of the pictures, relative to it.
pub fn text(title: &str, blocks: &[Block], plots: &str) -> String {
    let mut out = format!("# {title}\n");
    for block in blocks {
        out.push('\n');
        out += &of(block, plots);
    }
    out
}

fn of(block: &Block, plots: &str) -> String {
    let picture = |plot: &Plot| format!("![{}]({plots}/{}.svg)\n", escape(&plot.caption), plot.name);
    match block {
        Block::Judgement(_, sentence) => format!("**{}**\n", escape(sentence)),
        Block::Heading(heading) => format!("## {}\n", escape(heading)),
        Block::Subheading(heading) => format!("### {}\n", escape(heading)),
        Block::Text(text) => format!("{}\n", escape(text)),
        Block::Missing(text) => format!("*{}*\n", escape(text)),
        Block::Figures(figures) => {
            figures.iter().map(|(name, value)| format!("- {}: {}\n", escape(name), escape(value))).collect()
        }
        Block::Table { heading, rows, words } => table(heading, rows, *words),
        Block::Shaded { heading, rows } => {
            let row = |(name, cells): &(String, Vec<super::Shade>)| {
                std::iter::once(name.clone()).chain(cells.iter().map(|cell| cell.text.clone())).collect()
            };
            table(heading, &rows.iter().map(row).collect::<Vec<_>>(), 1)
        }
        Block::Plot(_) | Block::Plots(_) | Block::Switch(_) => block.plots().into_iter().map(picture).collect(),
        Block::Links(links) => links.iter().map(|(file, name)| format!("- [{}]({file})\n", escape(name))).collect(),
        Block::Code(code) => format!("```sh\n{code}\n```\n"),
    }
}

fn table(heading: &[String], rows: &[Vec<String>], words: usize) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.iter().map(|c| escape(c)).collect::<Vec<_>>().join(" | "));
    let rule: Vec<&str> = (0..heading.len()).map(|column| if column < words { "---" } else { "---:" }).collect();
    let body: String = rows.iter().map(|row| line(row)).collect();
    format!("{}| {} |\n{body}", line(heading), rule.join(" | "))
}

/// Text that Markdown shows as it is: one line, no markup.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '|' | '*' | '_' | '`' | '<' | '[' | ']' | '\\' => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::Tone;
    use super::*;

    #[test]
    fn blocks_become_markdown_and_markup_in_them_stays_text() {
        let words = |list: &[&str]| list.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let blocks = [
            Block::Judgement(Tone::Yes, "Accepted.".into()),
            Block::Table { heading: words(&["a", "b"]), rows: vec![words(&["x|y", "1"])], words: 1 },
            Block::Plot(Plot { name: "p".into(), caption: "two\nlines".into(), svg: String::new() }),
            Block::Links(vec![("f.svg".into(), "graph".into())]),
        ];
        let text = text("Audit", &blocks, "plots/1");
        for part in ["# Audit\n", "**Accepted.**", "| --- | ---: |\n| x\\|y | 1 |", "![two lines](plots/1/p.svg)"] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(text.contains("- [graph](f.svg)"));
    }
}
