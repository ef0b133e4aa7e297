//! A report as one page that needs nothing else: style and pictures are inside, flame graphs are links beside it.

use super::Report;
use super::blocks::Block;

const STYLE: &str = "\
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 46rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; line-height: 1.2; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
.judgement { padding: .8rem 1rem; border-left: .4rem solid; border-radius: .2rem; }
.yes { border-color: #1b7f4b; background: #edf7f1; } .no { border-color: #b3261e; background: #fbeeed; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; vertical-align: top; }
th { font-weight: 600; border-bottom-color: #999; } .word { text-align: left; }
table.words td { white-space: normal; overflow-wrap: anywhere; } table.words td:first-child { overflow-wrap: normal; }
figure { margin: 1.5rem 0; } figure svg { width: 100%; max-width: 34rem; height: auto; } figcaption { font-size: .85rem; color: #555; }
pre { overflow-x: auto; background: #f4f4f4; padding: .8rem; font-size: .85rem; }
";

/// The page.
pub fn page(report: &Report) -> String {
    let title = escape(&report.title);
    let body: String = report.blocks.iter().map(block).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}</body>\n</html>\n"
    )
}

fn block(block: &Block) -> String {
    match block {
        Block::Judgement(accepted, sentence) => {
            let class = if *accepted { "yes" } else { "no" };
            format!("<p class=\"judgement {class}\">{}</p>\n", escape(sentence))
        }
        Block::Heading(heading) => format!("<h2>{}</h2>\n", escape(heading)),
        Block::Text(text) => format!("<p>{}</p>\n", escape(text)),
        Block::Table { heading, rows, words } => table(heading, rows, *words),
        Block::Plot { caption, svg, .. } => {
            format!("<figure>\n{svg}\n<figcaption>{}</figcaption>\n</figure>\n", escape(caption))
        }
        Block::Links(links) => {
            let link = |(file, name): &(String, String)| {
                format!("<li><a href=\"{}\">{}</a></li>\n", escape(file), escape(name))
            };
            format!("<ul>\n{}</ul>\n", links.iter().map(link).collect::<String>())
        }
        Block::Code(code) => format!("<pre>{}</pre>\n", escape(code)),
    }
}

fn table(heading: &[String], rows: &[Vec<String>], words: usize) -> String {
    let cells = |tag: &str, cells: &[String]| -> String {
        let cell = |(column, text): (usize, &String)| {
            let class = if column < words { " class=\"word\"" } else { "" };
            format!("<{tag}{class}>{}</{tag}>", escape(text))
        };
        cells.iter().enumerate().map(cell).collect()
    };
    let class = if words >= heading.len() { " class=\"words\"" } else { "" };
    let body: String = rows.iter().map(|row| format!("<tr>{}</tr>\n", cells("td", row))).collect();
    format!(
        "<div class=\"wide\"><table{class}>\n<thead><tr>{}</tr></thead>\n<tbody>\n{body}</tbody>\n</table></div>\n",
        cells("th", heading)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_holds_its_pictures_and_no_markup_of_others() {
        let report = Report {
            title: "Audit <script>".into(),
            blocks: vec![
                Block::Judgement(false, "Not accepted: a & b.".into()),
                Block::Plot { name: "p".into(), caption: "c".into(), svg: "<svg></svg>".into() },
                Block::Table { heading: vec!["a".into()], rows: vec![vec!["\"x\"".into()]], words: 1 },
            ],
        };
        let page = page(&report);
        assert!(page.starts_with("<!doctype html>") && page.contains("<svg></svg>") && page.contains("viewport"));
        assert!(!page.contains("<script>") && page.contains("a &amp; b") && page.contains("&quot;x&quot;"));
    }
}
