//! The documents name files, tests and settings that are there.

use crate::architecture::{read, root, walk};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The documents of the repository.
fn documents() -> Vec<PathBuf> {
    let here = std::fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let docs = walk(&root().join("docs"));
    let is_document = |path: &PathBuf| path.extension().is_some_and(|e| e == "md");
    here.filter(|path| path.is_file()).chain(docs).filter(is_document).collect()
}

/// What stands between backquotes, outside blocks of code.
fn quoted(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|part| part.split('`').skip(1).step_by(2)).collect()
}

fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

#[test]
fn architecture_every_test_that_a_document_names_is_there() {
    let mut known = BTreeSet::new();
    for folder in ["functions", "shared", "cli", "sandbox", "simulation", "tests", "xtask"] {
        for file in walk(&root().join(folder)) {
            if file.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&file).unwrap();
                let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
                known.extend(words.filter(|word| word.contains('_')).map(str::to_owned));
            }
        }
    }
    let mut seen = 0;
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for quoted in quoted(&text) {
            // A test's name is a sentence: four words or more.
            let is_word =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_:".contains(c);
            let test = quoted.rsplit("::").next().unwrap_or(quoted);
            if quoted.chars().all(is_word) && test.matches('_').count() >= 4 {
                seen += 1;
                assert!(
                    known.contains(test),
                    "{} names {quoted}, which is no test",
                    name(&document)
                );
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn architecture_every_file_that_a_document_names_is_there() {
    let mut seen = 0;
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        let beside = document.parent().unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !link.contains("://") && !link.starts_with('#') && !link.starts_with("mailto:") {
                let file = link.split('#').next().unwrap();
                assert!(beside.join(file).exists(), "{} links to {link}", name(&document));
            }
        }
        for quoted in quoted(&text) {
            let starts = [
                "functions/",
                "shared/",
                "cli/",
                "tests/",
                "xtask/",
                "sandbox/",
                "docs/",
                "events/",
                "config/",
                "web/",
                "bench/",
            ];
            let is_path = starts.iter().any(|start| quoted.starts_with(start));
            if is_path && !quoted.contains(['<', '*', ' ', '…']) {
                seen += 1;
                let path = quoted.split(':').next().unwrap();
                assert!(root().join(path).exists(), "{} names {quoted}", name(&document));
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn architecture_every_parameter_and_secret_is_in_the_guide_to_deployment() {
    let guide = read("docs/deploy.md");
    let template = read("template.yaml");
    for secret in template.split("parameter/throughline/${Stage}/").skip(1) {
        let secret = secret.split_whitespace().next().unwrap();
        assert!(guide.contains(secret), "docs/deploy.md does not tell of {secret}");
    }
}
