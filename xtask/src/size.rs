//! The step `size`: two representative functions, built small and zipped as they are deployed, weigh
//! no more than they may; and no function links what only the operator's command needs.

use crate::compile::cargo;
use crate::place::{functions, repository, shown};
use crate::say;
use crate::tools::python;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use tokio::process::{Child, Command};

/// How many bytes a function's zip may have, on x86-64 with thin LTO. Measured were 2 999 577 and
/// 3 582 164; the 2 % above are for a new version of a library, not for a new one. With fat LTO, as it
/// is deployed, stripe-webhook has 2 658 689.
const LIMITS: [Limit; 2] = [
    Limit { function: "stripe-webhook", zip: 3_060_000 },
    Limit { function: "crm-sync", zip: 3_654_000 },
];

/// What a zip of a function is to weigh at most, in the end.
const TARGET: u64 = 2_500_000;

struct Limit {
    function: &'static str,
    zip: u64,
}

/// What no function may link, and why. `aws-sdk-sts` is not among them: `aws-config` names it, whatever
/// one asks for, and the linker drops what nobody calls.
const BANNED: [(&str, &str); 5] = [
    ("aws-sdk-sso", "a person signs in, a function does not"),
    ("aws-sdk-ssooidc", "a person signs in, a function does not"),
    ("native-tls", "there is one TLS, and it is rustls"),
    ("openssl", "there is one TLS, and it is rustls"),
    ("ring", "there is one cryptography, and it is aws-lc"),
];

/// What there may be one version of in a function.
const ONCE: [&str; 3] = ["hyper", "rustls", "h2"];

/// The build of what is weighed, under way.
pub(crate) struct Small(Child);

/// Begins to build what is weighed. It takes longer than any other build and nothing waits for it, so
/// that it stands back behind whatever else wants a processor.
pub(crate) fn begin(log: &Path) -> Result<Small> {
    let log = File::create(log)?;
    let mut build = Command::new("nice");
    build
        .args(["-n", "19", "cargo", "build", "--profile", "size"])
        .args(LIMITS.iter().flat_map(|limit| ["-p", limit.function]))
        .current_dir(repository())
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true);
    Ok(Small(build.spawn().context("`nice` and cargo cannot be started")?))
}

/// Weighs, and looks into the functions' trees.
pub(crate) async fn check(mut small: Small) -> Result<((), String)> {
    for function in functions()? {
        look(&function, &tree(&function).await?)?;
    }
    let status = small.0.wait().await?;
    ensure!(status.success(), "the functions cannot be built small");
    let mut told = Vec::new();
    for limit in &LIMITS {
        let weight = weigh(limit.function).await?;
        say::line(format!(
            "    {}: zip {} of {} bytes; the target is {TARGET}",
            limit.function, weight, limit.zip
        ));
        ensure!(
            weight <= limit.zip,
            "{} weighs {weight} bytes, {} more than it may; see what came with the last \
             dependency (`cargo tree -p {}`), or raise the limit in xtask/src/size.rs and say why",
            limit.function,
            weight - limit.zip,
            limit.function
        );
        told.push(format!("{} {} kB", limit.function, weight / 1000));
    }
    Ok(((), told.join(", ")))
}

/// The crates that a function links, each as often as it has versions.
async fn tree(function: &str) -> Result<BTreeMap<String, Vec<String>>> {
    let said = cargo(&["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(["-p", function])
        .output()
        .await
        .context("cargo cannot be started")?;
    ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let mut crates: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in String::from_utf8_lossy(&said.stdout).lines() {
        let mut words = line.split_whitespace();
        let (Some(name), Some(version)) = (words.next(), words.next()) else { continue };
        let versions = crates.entry(name.to_owned()).or_default();
        if !versions.iter().any(|known| known == version) {
            versions.push(version.to_owned());
        }
    }
    Ok(crates)
}

/// Sees that a function links nothing that it must not.
fn look(function: &str, crates: &BTreeMap<String, Vec<String>>) -> Result<()> {
    for (name, why) in BANNED {
        if crates.contains_key(name) {
            bail!("{function} links {name}: {why}; `cargo tree -p {function} -i {name}` says how");
        }
    }
    for name in ONCE {
        let versions = crates.get(name).map_or(&[][..], Vec::as_slice);
        ensure!(
            versions.len() < 2,
            "{function} links {name} {}; `cargo tree -p {function} -d` says how",
            versions.join(" and ")
        );
    }
    Ok(())
}

/// The zip of one function, in bytes: one file, `bootstrap`, deflated.
async fn weigh(function: &str) -> Result<u64> {
    let binary = repository().join("target/size").join(function);
    let said = Command::new(python().await?)
        .arg(repository().join("xtask/tools/weigh.py"))
        .arg(&binary)
        .output()
        .await
        .context("Python cannot be started")?;
    ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let text = String::from_utf8_lossy(&said.stdout);
    text.trim().parse().with_context(|| format!("weigh.py said {text:?} of {}", shown(&binary)))
}

#[cfg(test)]
mod tests {
    use super::look;
    use std::collections::BTreeMap;

    fn linking(names: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        let owned = |versions: &[&str]| versions.iter().map(|v| (*v).to_owned()).collect();
        names.iter().map(|(name, versions)| ((*name).to_owned(), owned(versions))).collect()
    }

    #[test]
    fn a_function_that_links_the_operators_sign_in_is_found() {
        assert!(look("a", &linking(&[("hyper", &["v1.1.0"]), ("aws-sdk-ssm", &["v1"])])).is_ok());
        let error = look("a", &linking(&[("aws-sdk-sso", &["v1"])])).unwrap_err();
        assert!(error.to_string().contains("a links aws-sdk-sso: a person signs in"), "{error}");
    }

    #[test]
    fn two_versions_of_one_thing_are_found() {
        let error = look("a", &linking(&[("rustls", &["v0.21.1", "v0.23.2"])])).unwrap_err();
        assert!(error.to_string().contains("rustls v0.21.1 and v0.23.2"), "{error}");
    }
}
