//! `cost`: what a lead, a webhook and a purchase cost at AWS, for us and for the designs people use
//! today; and the bill of a month. The counts are those that the tests hold (`cost/calls.snap`), the
//! rest is in `cost/usage.json`, the prices with their sources in `cost/prices.json`.

mod bill;
mod data;
mod page;

use crate::place::repository;
use crate::say;
use anyhow::{Context, Result, ensure};
use data::Data;

/// Options of `cost`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Writes the tables into docs/cost.md too.
    #[arg(long)]
    write: bool,
}

/// Prints the tables, and says whether the target is met.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let data = Data::read(repository())?;
    let page = page::render(&data)?;
    say::line(page.trim_end());
    if arguments.write {
        let path = repository().join(DOCUMENT);
        let old = std::fs::read_to_string(&path).with_context(|| format!("no {DOCUMENT}"))?;
        std::fs::write(&path, between(&old, &page)?)?;
        say::line(format!("\nwritten into {DOCUMENT}"));
    }
    Ok(())
}

const DOCUMENT: &str = "docs/cost.md";
const BEGIN: &str = "<!-- what `cargo xtask cost --write` writes -->\n";
const END: &str = "<!-- the end of it -->\n";

/// The document with this page between its marks.
fn between(document: &str, page: &str) -> Result<String> {
    let parts = document.split_once(BEGIN).and_then(|(head, rest)| {
        let (_, tail) = rest.split_once(END)?;
        Some((head, tail))
    });
    ensure!(parts.is_some(), "{DOCUMENT} has lost its marks; put back {BEGIN:?} and {END:?}");
    let (head, tail) = parts.unwrap_or_default();
    Ok(format!("{head}{BEGIN}\n{page}\n{END}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::{DOCUMENT, Data, between, page, repository};

    #[test]
    fn the_document_tells_what_the_model_computes() {
        let page = page::render(&Data::read(repository()).unwrap()).unwrap();
        let document = std::fs::read_to_string(repository().join(DOCUMENT)).unwrap();
        assert!(
            between(&document, &page).unwrap() == document,
            "run `cargo xtask cost --write`, and read the difference"
        );
    }

    #[test]
    fn a_function_is_billed_for_the_memory_that_the_template_gives_it() {
        let template = std::fs::read_to_string(repository().join("template.yaml")).unwrap();
        let ours = &Data::read(repository()).unwrap().designs[0];
        assert!(template.contains(&format!("    MemorySize: {}\n", ours.memory_mb)));
    }
}
