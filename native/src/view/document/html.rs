//! A report as one page that needs nothing else: style and pictures are inside, and no script is needed.

use std::fmt::Write as _;

use super::{Block, Plot, Shade, Tone};

const STYLE: &str = include_str!("style.css");

/// The page.
pub fn page(title: &str, blocks: &[Block]) -> String {
    let title = escape(title);
    let body: String = blocks.iter().enumerate().map(|(place, one)| block(place, one)).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}</body>\n</html>\n"
    )
}

fn block(place: usize, block: &Block) -> String {
    match block {
        Block::Judgement(tone, sentence) => {
            let class = match tone {
                Tone::Yes => "yes",
                Tone::Open => "open",
                Tone::No => "no",
            };
            format!("<p class=\"judgement {class}\">{}</p>\n", escape(sentence))
        }
        Block::Heading(heading) => format!("<h2>{}</h2>\n", escape(heading)),
        Block::Subheading(heading) => format!("<h3>{}</h3>\n", escape(heading)),
        Block::Text(text) => format!("<p>{}</p>\n", escape(text)),
        Block::Missing(text) => format!("<p class=\"missing\">{}</p>\n", escape(text)),
        Block::Figures(figures) => {
            let one = |(name, value): &(String, String)| {
                format!("<div><dt>{}</dt><dd>{}</dd></div>\n", escape(name), escape(value))
            };
            format!("<dl class=\"figures\">\n{}</dl>\n", figures.iter().map(one).collect::<String>())
        }
        Block::Table { heading, rows, words } => table(heading, rows, *words),
        Block::Shaded { heading, rows } => shaded(heading, rows),
        Block::Plot(plot) => figure(plot),
        Block::Plots(plots) => {
            format!("<div class=\"plots\">\n{}</div>\n", plots.iter().map(figure).collect::<String>())
        }
        Block::Switch(choices) => switch(place, choices),
        Block::Links(links) => {
            let link = |(file, name): &(String, String)| {
                format!("<li><a href=\"{}\">{}</a></li>\n", escape(file), escape(name))
            };
            format!("<ul>\n{}</ul>\n", links.iter().map(link).collect::<String>())
        }
        Block::Code(code) => format!("<pre>{}</pre>\n", escape(code)),
    }
}

fn figure(plot: &Plot) -> String {
    let caption = escape(&plot.caption);
    // Inside a page a picture needs no namespace, and its caption is its name for who cannot see it.
    let named = format!("<svg role=\"img\" aria-label=\"{caption}\"");
    let svg = plot.svg.replacen("<svg", &named, 1).replace(" xmlns=\"http://www.w3.org/2000/svg\"", "");
    format!("<figure>\n{}\n<figcaption>{caption}</figcaption>\n</figure>\n", svg.trim_end())
}

/// Radio buttons before the pictures say which one is seen: style alone does it.
fn switch(place: usize, choices: &[(String, Plot)]) -> String {
    let mut out = "<div class=\"switch\">\n".to_owned();
    for (choice, (label, _)) in choices.iter().enumerate() {
        let (id, checked) = (format!("switch-{place}-{choice}"), if choice == 0 { " checked" } else { "" });
        let _ = writeln!(
            out,
            "<input type=\"radio\" name=\"switch-{place}\" id=\"{id}\"{checked}><label for=\"{id}\">{}</label>",
            escape(label)
        );
    }
    out.extend(choices.iter().map(|(_, plot)| figure(plot)));
    out + "</div>\n"
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

/// Strongest ground of a shaded cell, at which its text can still be read.
const DEEPEST: f64 = 0.6;

fn shaded(heading: &[String], rows: &[(String, Vec<Shade>)]) -> String {
    let cell = |shade: &Shade| {
        let text = escape(&shade.text);
        let share = shade.share.abs().min(1.0) * DEEPEST;
        // The least of NaN and 1 is 1.
        if shade.share.is_nan() || share < 0.005 {
            return format!("<td>{text}</td>");
        }
        let class = if shade.share > 0.0 { "gain" } else { "loss" };
        format!("<td class=\"{class}\" style=\"--share:{share:.2}\">{text}</td>")
    };
    let row = |(name, cells): &(String, Vec<Shade>)| {
        format!("<tr><th class=\"word\">{}</th>{}</tr>\n", escape(name), cells.iter().map(cell).collect::<String>())
    };
    let head: String = heading.iter().map(|name| format!("<th>{}</th>", escape(name))).collect();
    let body: String = rows.iter().map(row).collect();
    format!(
        "<div class=\"wide\"><table class=\"shaded\">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table></div>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(caption: &str) -> Plot {
        let svg = "<svg width=\"1\" xmlns=\"http://www.w3.org/2000/svg\">\n</svg>\n";
        Plot { name: "p".into(), caption: caption.into(), svg: svg.into() }
    }

    #[test]
    fn the_page_holds_its_pictures_and_no_markup_of_others() {
        let blocks = [
            Block::Judgement(Tone::No, "Not accepted: a & b.".into()),
            Block::Plot(plot("c\"<")),
            Block::Table { heading: vec!["a".into()], rows: vec![vec!["\"x\"".into()]], words: 1 },
            Block::Figures(vec![("<b>".into(), "<i>".into())]),
            Block::Missing("</p>".into()),
        ];
        let page = page("Audit <script>", &blocks);
        assert!(page.starts_with("<!doctype html>") && page.contains("viewport"));
        assert!(page.contains("<svg role=\"img\" aria-label=\"c&quot;&lt;\" width=\"1\">"), "{page}");
        assert!(!page.contains("<script>") && page.contains("a &amp; b") && page.contains("&quot;x&quot;"));
        assert!(!page.contains("http") && !page.contains("<b>") && page.contains("&lt;/p&gt;"));
    }

    #[test]
    fn a_switch_shows_its_first_picture() {
        let page = page("t", &[Block::Switch(vec![("linear".into(), plot("a")), ("log".into(), plot("b"))])]);
        assert_eq!((page.matches("type=\"radio\"").count(), page.matches(" checked>").count()), (2, 1));
        assert_eq!((page.matches("for=\"switch-0-1\"").count(), page.matches("id=\"switch-0-1\"").count()), (1, 1));
    }

    #[test]
    fn shades_say_gain_or_loss_and_nothing_without_a_number() {
        let shade = |text: &str, share: f64| Shade { text: text.into(), share };
        let cells = vec![shade("5%", 0.5), shade("-9%", -2.0), shade("–", f64::NAN), shade("0%", 0.0)];
        let page = page("t", &[Block::Shaded { heading: vec![String::new()], rows: vec![("2020".into(), cells)] }]);
        assert!(page.contains("<td class=\"gain\" style=\"--share:0.30\">5%</td>"), "{page}");
        assert!(page.contains("<td class=\"loss\" style=\"--share:0.60\">-9%</td><td>–</td><td>0%</td>"));
    }
}
