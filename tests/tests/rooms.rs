//! The order of the rooms, and other promises about the source that no compiler checks.
//!
//! `core/src/lib.rs` names the rooms in their order: first the leaves (the line "Below them lie the leaves"), then the
//! table from left to right. A room may use what comes before it and nothing that comes after.
#![expect(clippy::panic, reason = "a test may stop at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Places in the core that may ask which target they are compiled for.
const TARGET_QUESTIONS: usize = 5;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every Rust file of the core: path of modules (`["engine", "book"]` for `engine/book.rs`) and source.
fn core_sources() -> Vec<(Vec<String>, String)> {
    fn walk(folder: &Path, modules: &[String], found: &mut Vec<(Vec<String>, String)>) {
        let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        for path in paths {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let mut inside = modules.to_vec();
            if path.is_dir() {
                inside.push(stem);
                walk(&path, &inside, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                if stem != "mod" && stem != "lib" {
                    inside.push(stem);
                }
                found.push((inside, read(&path)));
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join("core/src"), &[], &mut found);
    found
}

/// Rooms in their order, read from the documentation of the core.
fn order(lib: &str) -> Vec<String> {
    let doc: Vec<&str> = lib.lines().filter_map(|line| line.strip_prefix("//! ")).collect();
    let linked = |line: &&str| -> Vec<String> {
        line.split("[`").skip(1).filter_map(|rest| rest.split('`').next()).map(str::to_owned).collect()
    };
    let leaves = doc.iter().skip_while(|line| !line.starts_with("Below them lie the leaves")).flat_map(linked);
    let table = doc.iter().filter(|line| line.starts_with("| [`")).filter_map(|line| linked(line).into_iter().next());
    leaves.chain(table).collect()
}

/// `source` with comments, strings and characters blanked out, lines kept.
fn code_only(source: &str) -> String {
    let text: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut at = 0;
    while at < text.len() {
        let end = token_end(&text, at);
        match end {
            None => {
                code.push(text[at]);
                at += 1;
            }
            Some(end) => {
                code.extend(text[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
                at = end;
            }
        }
    }
    code
}

/// End of the comment, string or character literal that starts at `at`, if one does.
fn token_end(text: &[char], at: usize) -> Option<usize> {
    let starts =
        |pattern: &str| text[at..].iter().zip(pattern.chars()).filter(|(a, b)| *a == b).count() == pattern.len();
    let inside_word = at > 0 && (text[at - 1].is_alphanumeric() || text[at - 1] == '_');
    if starts("//") {
        return Some(text[at..].iter().position(|&c| c == '\n').map_or(text.len(), |length| at + length));
    }
    if starts("/*") {
        let (mut depth, mut next) = (0_usize, at);
        while next < text.len() {
            match (text[next], text.get(next + 1)) {
                ('/', Some('*')) => (depth, next) = (depth + 1, next + 2),
                ('*', Some('/')) => (depth, next) = (depth - 1, next + 2),
                _ => next += 1,
            }
            if depth == 0 {
                break;
            }
        }
        return Some(next);
    }
    let raw = if starts("r") {
        1
    } else if starts("br") {
        2
    } else {
        0
    };
    if raw > 0 && !inside_word {
        let hashes = text[at + raw..].iter().take_while(|&&c| c == '#').count();
        if text.get(at + raw + hashes) == Some(&'"') {
            let closing: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            let body = at + raw + hashes + 1;
            let length = text[body..].windows(closing.len()).position(|window| window == closing);
            return Some(length.map_or(text.len(), |length| body + length + closing.len()));
        }
    }
    if text[at] == '"' {
        return Some(quoted_end(text, at, '"'));
    }
    // A quote starts a character, unless it starts a lifetime: 'a' and '\n' against 'a.
    if text[at] == '\'' && (text.get(at + 1) == Some(&'\\') || text.get(at + 2) == Some(&'\'')) {
        return Some(quoted_end(text, at, '\''));
    }
    None
}

fn quoted_end(text: &[char], at: usize, quote: char) -> usize {
    let mut next = at + 1;
    while next < text.len() && text[next] != quote {
        next += if text[next] == '\\' { 2 } else { 1 };
    }
    (next + 1).min(text.len())
}

/// A word or a sign of Rust code, with its line number from 1.
type Token = (usize, String);

fn tokens(code: &str) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = match first {
                _ if rest.starts_with("::") => 2,
                c if c.is_alphanumeric() || c == '_' => {
                    rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
                }
                c => c.len_utf8(),
            };
            found.push((index + 1, rest[..length].to_owned()));
            rest = rest[length..].trim_start();
        }
    }
    found
}

/// First names after the crate's root that `source` mentions, with their lines: `crate::engine::Fill` gives `engine`,
/// `use crate::{num, rng::Stream}` gives `num` and `rng`, and enough `super::` lead to the root too.
fn mentioned(modules: &[String], source: &str) -> Vec<(usize, String)> {
    let tokens = tokens(&code_only(source));
    let word = |at: usize| tokens.get(at).map_or("", |(_, word)| word.as_str());
    let mut found = Vec::new();
    // Modules written inside the file lead one deeper, so that `super` means less there.
    let mut inline: Vec<usize> = Vec::new();
    let mut depth = 0_usize;
    let mut at = 0;
    while at < tokens.len() {
        match word(at) {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                inline.retain(|&opened| opened <= depth);
            }
            "mod" if word(at + 2) == "{" => inline.push(depth + 1),
            "crate" if word(at + 1) == "::" => at = names_after(&tokens, at + 2, &mut found),
            "super" if word(at + 1) == "::" && (at == 0 || word(at - 1) != "::") => {
                let mut up = 0;
                while word(at) == "super" && word(at + 1) == "::" {
                    up += 1;
                    at += 2;
                }
                if up >= modules.len() + inline.len() && !modules.is_empty() {
                    at = names_after(&tokens, at, &mut found);
                }
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Adds the name at `at`, or the names at the top of the braces that open there; gives where to go on before.
fn names_after(tokens: &[Token], at: usize, found: &mut Vec<Token>) -> usize {
    let Some((line, word)) = tokens.get(at) else { return at };
    if word != "{" {
        found.push((*line, word.clone()));
        return at;
    }
    let (mut depth, mut expected, mut next) = (0_usize, true, at);
    while let Some((line, word)) = tokens.get(next) {
        match word.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," => {}
            _ if depth == 1 && expected => found.push((*line, word.clone())),
            _ => {}
        }
        expected = word == "," || (word == "{" && depth == 1);
        if depth == 0 {
            break;
        }
        next += 1;
    }
    next
}

/// Sentences about each mention of a room by one on its left.
fn violations(order: &[String], modules: &[String], source: &str) -> Vec<String> {
    let Some(room) = modules.first() else { return Vec::new() };
    let place = |name: &str| order.iter().position(|known| known == name);
    let Some(own) = place(room) else { return vec![format!("room {room} is not in the order of core/src/lib.rs")] };
    mentioned(modules, source)
        .into_iter()
        .filter(|(_, name)| place(name).is_some_and(|other| other > own))
        .map(|(line, name)| format!("{}, line {line}: {room} uses {name}, a room to its right", modules.join("/")))
        .collect()
}

#[test]
fn no_room_uses_one_to_its_right() {
    let order = order(&read(&root().join("core/src/lib.rs")));
    let found: Vec<String> =
        core_sources().iter().flat_map(|(modules, source)| violations(&order, modules, source)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_order_names_every_room_once() {
    let lib = read(&root().join("core/src/lib.rs"));
    let order = order(&lib);
    let named: BTreeSet<&str> = order.iter().map(String::as_str).collect();
    assert_eq!(named.len(), order.len(), "a room is named twice: {order:?}");
    let code = code_only(&lib);
    let declared: BTreeSet<&str> = code
        .lines()
        .filter_map(|line| line.trim().strip_suffix(';')?.trim_start_matches("pub ").strip_prefix("mod "))
        .collect();
    assert_eq!(declared, named, "modules of the core against the order in its documentation");
}

#[test]
fn every_way_to_reach_to_the_right_is_seen() {
    let order: Vec<String> = ["num", "bundle", "engine"].map(str::to_owned).to_vec();
    let judge = |modules: &[&str], source: &str| {
        violations(&order, &modules.iter().map(|&m| m.to_owned()).collect::<Vec<_>>(), source).len()
    };
    let forbidden = [
        "use crate::engine::Fill;",
        "use crate::engine;",
        "use crate::{num, engine::{Fill, Order}};",
        "use crate::{\n    num::{self, exp},\n    engine,\n};",
        "fn f() -> crate::engine::Fill { crate :: num::exp(1.0) }",
        "use super::engine::Fill;",
        "mod inner { use super::super::engine; }",
        "let quote = '\"'; use crate::engine; let other = '\"';",
        "let path = r#\"a \" b\"#; use crate::engine;",
        "/* outer /* inner */ */ use crate::engine;",
        "fn f<'a>(x: &'a str) {} use crate::engine;",
    ];
    for source in forbidden {
        assert_eq!(judge(&["bundle"], source), 1, "{source}");
    }
    assert_eq!(judge(&["bundle", "reader"], "use super::super::engine;"), 1);
    assert_eq!(judge(&["bundle"], "use crate::engine;\nuse crate::engine::Fill;"), 2);
    assert_eq!(judge(&["elsewhere"], ""), 1, "a room without a place");

    let allowed = [
        "use crate::num::exp;",
        "use crate::bundle::Field;",
        "// use crate::engine;",
        "/// See [`crate::engine`].\nfn f() {}",
        "let text = \"crate::engine\";",
        "let text = \"\\\"\"; // crate::engine",
        "use crate::{num::{engine, exp}};",
        "use other_crate::engine;",
        "mod tests { use super::*; use super::engine; }",
        "use self::engine::X;",
    ];
    for source in allowed {
        assert_eq!(judge(&["bundle"], source), 0, "{source}");
    }
    assert_eq!(judge(&["bundle", "reader"], "use super::engine;"), 0, "bundle::engine is bundle's own");
    assert_eq!(judge(&["engine"], "use crate::{num, bundle};"), 0);
    assert_eq!(judge(&[], "pub use engine::Fill;"), 0, "the root may use everything");
}

#[test]
fn the_order_is_read_from_the_documentation() {
    let lib = "//! | room | gives |\n//! | [`b`] | [`not`] this |\n//! | [`c`] | x |\n//!\n\
               //! Below them lie the leaves that all use: [`a`],\n//! [`z`].\n";
    assert_eq!(order(lib), ["a", "z", "b", "c"]);
}

#[test]
fn the_core_hardly_asks_where_it_runs() {
    // Conditions hold their values in strings, so only comments may be taken away.
    let asks = |source: &str| {
        let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines
            .filter(|line| ["target_arch", "target_family", "target_os"].iter().any(|word| line.contains(word)))
            .count()
    };
    assert_eq!(asks("// target_arch\n#[cfg(target_arch = \"wasm32\")]\nif cfg!(target_os = \"linux\") {}"), 2);
    let found: BTreeMap<String, usize> = core_sources()
        .iter()
        .map(|(modules, source)| (modules.join("/"), asks(source)))
        .filter(|(_, count)| *count > 0)
        .collect();
    assert!(found.values().sum::<usize>() <= TARGET_QUESTIONS, "more than {TARGET_QUESTIONS}: {found:?}");
}

/// Paths of one machine and addresses of one network, cut so that this file does not hold them.
fn foreign() -> Vec<String> {
    let cut = [
        ("/wo", "rk/"),
        ("/ro", "ot/"),
        ("/ho", "me/"),
        ("static.cra", "tes.io"),
        ("index.cra", "tes.io"),
        ("registry.npm", "js.org"),
        ("pypi.o", "rg"),
        ("files.python", "hosted.org"),
        ("deb.deb", "ian.org"),
        ("security.deb", "ian.org"),
        ("static.rust-", "lang.org"),
        ("proxy.gol", "ang.org"),
    ];
    cut.iter().map(|(start, end)| format!("{start}{end}")).collect()
}

/// Lines of `text` that name a foreign place. A path counts where it starts, not inside a longer one.
fn foreign_lines(text: &str) -> Vec<usize> {
    let names = |line: &str| {
        foreign().iter().any(|place| {
            line.match_indices(place.as_str()).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                !place.starts_with('/') || before.is_none_or(|c| !c.is_alphanumeric() && !"_-.)}*/".contains(c))
            })
        })
    };
    text.lines().enumerate().filter(|(_, line)| names(line)).map(|(index, _)| index + 1).collect()
}

/// Files under version control; nothing where this is no checkout.
fn tracked() -> Vec<PathBuf> {
    if !root().join(".git").exists() {
        return Vec::new();
    }
    let listed = Command::new("git").arg("-C").arg(root()).args(["ls-files", "-z"]).output();
    let listed = listed.unwrap_or_else(|error| panic!("git cannot be started: {error}"));
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(!names.is_empty(), "git lists no files: {}", String::from_utf8_lossy(&listed.stderr));
    names.split('\0').filter(|name| !name.is_empty()).map(|name| root().join(name)).collect()
}

#[test]
fn no_file_names_a_place_outside_the_repository() {
    assert_eq!(foreign_lines(&format!("fine\ncp x {}y\n", foreign()[0])), [2]);
    assert_eq!(foreign_lines(&format!("see https://{}/x", foreign()[3])), [1]);
    assert!(foreign_lines(&format!("target{}x", foreign()[0])).is_empty(), "a relative path is the repository's own");
    let found: Vec<String> = tracked()
        .iter()
        .filter_map(|path| Some((path, String::from_utf8(std::fs::read(path).ok()?).ok()?)))
        .flat_map(|(path, text)| {
            foreign_lines(&text).into_iter().map(|line| format!("{}, line {line}", path.display())).collect::<Vec<_>>()
        })
        .collect();
    assert!(found.is_empty(), "paths of one machine or hosts of one network:\n{}", found.join("\n"));
}
