//! Text of any length in lines that can be read.

/// A paragraph in lines of at most `width` characters, where its words allow; lines after the first are indented by
/// `hang` more than the first, which keeps its own indent.
pub fn paragraph(text: &str, width: usize, hang: usize) -> String {
    let indent = text.chars().take_while(|c| *c == ' ').count();
    let mut out = String::with_capacity(text.len() + 16);
    let mut line = " ".repeat(indent);
    let mut empty = true;
    // Splitting at every blank keeps columns apart: a run of blanks is a run of empty words.
    for word in text.trim_start().split(' ') {
        let blank = if empty { 0 } else { 1 };
        let needed = line.chars().count() + blank + word.chars().count();
        if !empty && needed > width && !word.is_empty() {
            out.push_str(line.trim_end());
            out.push('\n');
            line = " ".repeat(indent + hang);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    out.push_str(line.trim_end());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::paragraph;

    #[test]
    fn words_are_kept_whole_and_lines_short() {
        let text = "  one two three four five";
        assert_eq!(paragraph(text, 13, 2), "  one two\n    three\n    four five\n");
        assert_eq!(paragraph(text, 100, 2), format!("{text}\n"));
        assert_eq!(paragraph("", 10, 2), "\n");
        assert_eq!(paragraph("incomprehensibilities", 10, 2), "incomprehensibilities\n");
        assert_eq!(paragraph("name    value   text", 40, 4), "name    value   text\n");
    }
}
