//! Tests of the pages in `docs/`: generated pages, links, command lines.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::CommandFactory;

use super::reason_codes::SECTIONS;
use super::{markdown, pages};
use crate::cli::Cli;
use crate::workspace;

/// All Markdown files of the project.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let root = std::fs::read_dir(workspace::root()).unwrap().map(|entry| entry.unwrap().path());
    found.extend(root.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    files(&workspace::root().join("docs"), "md", &mut found);
    assert!(found.len() > 20, "{found:?}");
    found
}

fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|each| each == extension) {
            found.push(path);
        }
    }
}

#[test]
fn the_reference_pages_are_current() {
    let stale: Vec<&str> =
        pages().unwrap().iter().filter(|page| !page.is_current()).map(|page| page.name).collect();
    assert_eq!(stale, Vec::<&str>::new(), "write them with: cargo local docs");
}

/// The text without fenced blocks, or only what is in them.
fn lines(text: &str, in_fences: bool) -> Vec<&str> {
    let mut is_fence = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_fence = !is_fence;
        } else if is_fence == in_fences {
            found.push(line);
        }
    }
    assert!(!is_fence, "a fenced block is not closed");
    found
}

/// Anchors of a page: its headings, numbered where they repeat.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for line in lines(text, false) {
        let heading = line.trim_start_matches('#');
        if heading.len() < line.len() && heading.starts_with(' ') {
            let anchor = markdown::anchor(&heading.trim().replace('`', ""));
            let count = seen.entry(anchor.clone()).or_default();
            found.insert(if *count == 0 { anchor } else { format!("{anchor}-{count}") });
            *count += 1;
        }
    }
    found
}

#[test]
fn internal_links_lead_somewhere() {
    let mut broken = Vec::new();
    let mut links = 0;
    for path in documents() {
        let text = std::fs::read_to_string(&path).unwrap();
        for line in lines(&text, false) {
            for rest in line.split("](").skip(1) {
                let target = rest.split(')').next().unwrap();
                if target.contains("://") || target.starts_with("mailto:") {
                    continue;
                }
                links += 1;
                let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
                let file = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
                let is_there = file.exists()
                    && (anchor.is_empty()
                        || anchors(&std::fs::read_to_string(&file).unwrap()).contains(anchor));
                if !is_there {
                    broken.push(format!("{}: {target}", path.display()));
                }
            }
        }
    }
    assert!(links > 100, "{links}");
    assert_eq!(broken, Vec::<String>::new());
}

/// A line as a shell splits it, as far as the documents need that: quotes, comments, redirections.
fn words(line: &str) -> Vec<String> {
    let (mut found, mut word, mut quote, mut is_word) = (Vec::new(), String::new(), None, false);
    for character in line.chars() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (None, '\'' | '"') => (quote, is_word) = (Some(character), true),
            (None, '#') if !is_word => break,
            (None, '<' | '>' | '|') => break,
            (None, ' ') => {
                if is_word {
                    found.push(std::mem::take(&mut word));
                }
                is_word = false;
            }
            (_, character) => {
                word.push(character);
                is_word = true;
            }
        }
    }
    assert_eq!(quote, None, "a quote is not closed: {line}");
    if is_word {
        found.push(word);
    }
    found
}

/// Complete command lines of a page: fenced ones, with continued lines joined, and inline code.
fn commands(text: &str) -> Vec<String> {
    let fenced = lines(text, true).join("\n").replace("\\\n", " ");
    let mut found: Vec<String> = fenced.lines().map(|line| line.trim().to_owned()).collect();
    let prose = lines(text, false).join(" ");
    found.extend(prose.split('`').skip(1).step_by(2).map(str::to_owned));
    found.retain(|line| {
        ["segment-relay ", "cargo relay ", "cargo local "].iter().any(|start| line.starts_with(start))
    });
    found
}

/// Why a line does not parse; help is not an error.
fn mistake(line: &str) -> Option<String> {
    let mut words = words(line);
    let mut command =
        if words[0] == "cargo" && words[1] == "local" { Cli::command() } else { relay_cli::command_line() };
    let is_cargo = words[0] == "cargo";
    words.drain(..usize::from(is_cargo));
    let error = command.try_get_matches_from_mut(words).err()?;
    error.use_stderr().then(|| format!("{line}\n{error}"))
}

#[test]
fn command_lines_in_the_documents_parse() {
    let mut mistakes = Vec::new();
    let mut count = 0;
    for path in documents() {
        // Generated usage lines are patterns and not commands; clap writes them itself.
        if path.ends_with("docs/reference/command-line.md") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for line in commands(&text) {
            count += 1;
            mistakes.extend(mistake(&line).map(|problem| format!("{}: {problem}", path.display())));
        }
    }
    assert!(count > 60, "{count}");
    assert_eq!(mistakes, Vec::<String>::new());
    assert!(mistake("segment-relay exports dry-walk newsletter").is_some());
    assert!(mistake("cargo local down --everything").is_some());
    assert_eq!(words("a --b 'c d' # e"), ["a", "--b", "c d"]);
}

/// Sources of the product, without tests and without this module.
fn sources() -> Vec<String> {
    let mut found = Vec::new();
    for folder in ["shared", "functions"] {
        files(&workspace::root().join(folder), "rs", &mut found);
    }
    let is_test = |path: &PathBuf| {
        let path = path.strip_prefix(workspace::root()).unwrap();
        path.to_string_lossy().contains("test")
    };
    found.retain(|path| !is_test(path));
    found
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
        })
        .collect()
}

/// Returns the codes that the sources give to rows as literals. The codes of runs are those of `StopCode`.
fn literals(text: &str) -> Vec<&str> {
    const GIVEN_TO: [&str; 2] = ["Reason::new(", "Reason::made("];
    let arguments = GIVEN_TO.iter().flat_map(|call| text.split(call).skip(1));
    let literals = arguments.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    literals.collect()
}

#[test]
fn every_code_of_the_sources_has_an_entry() {
    let known: BTreeSet<&str> =
        SECTIONS.iter().flat_map(|section| section.entries).map(|entry| entry.0).collect();
    let mut missing = BTreeSet::new();
    let mut found = 0;
    for text in &sources() {
        for code in literals(text) {
            found += 1;
            if !known.contains(code) {
                missing.insert(code.to_owned());
            }
        }
    }
    assert!(found > 20, "{found}");
    assert_eq!(missing, BTreeSet::new());
}

#[test]
fn every_entry_is_a_code_of_the_sources() {
    let sources = sources();
    let exists = |literal: &str| {
        let quoted = format!("\"{literal}\"");
        sources.iter().any(|text| text.contains(&quoted))
    };
    // Codes of a destination are put together from its name and its own code.
    let is_made = |code: &str| {
        ["marketo_1", "campaign_monitor_", "omnisend_4", "dynamics365_sales_8"]
            .iter()
            .any(|start| code.starts_with(start))
    };
    let entries = SECTIONS.iter().flat_map(|section| section.entries).map(|entry| entry.0);
    let gone: Vec<&str> = entries.filter(|code| !is_made(code) && !exists(code)).collect();
    assert_eq!(gone, Vec::<&str>::new());
}
