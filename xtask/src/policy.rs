//! The dependency policy: which crate may depend on which (DESIGN §3), which licences are taken, that every dependency
//! says what it is for, and that panics unwind. Needs no network.

use std::env::consts::ARCH;
use std::fs;

use serde::Deserialize;

use crate::cargo;
use crate::problem::Problem;

/// Licences that dependencies may have; of alternatives one must be here.
const LICENCES: [&str; 11] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// What the PAM module must not bring into sshd: whoever speaks HTTP, TLS or SMTP, or runs beside it.
const KEPT_OUT_OF_PAM: [&str; 5] = ["delivery", "lettre", "rustls", "tokio", "ureq"];

/// Where a crate of ours stands; arrows run downwards only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tier {
    Ground,
    Middle,
    Assembly,
    Door,
    Around,
    Fuzz,
}

/// All findings, each one sentence; none means that the policy is kept.
pub(crate) fn findings() -> Result<Vec<String>, Problem> {
    let platform = format!("--filter-platform={ARCH}-unknown-linux-gnu");
    let metadata = cargo::output(&["metadata", "--offline", "--format-version=1", &platform])?;
    let metadata: Metadata = serde_json::from_slice(&metadata)
        .map_err(|source| Problem::Unreadable { from: "cargo metadata", source })?;
    let manifest = cargo::repository().join("Cargo.toml");
    let manifest = fs::read_to_string(manifest).map_err(Problem::run("cat Cargo.toml"))?;
    let arrows = metadata.packages.iter().filter(|package| package.source.is_none()).flat_map(wrong_arrows);
    let licences = metadata.packages.iter().filter(|package| package.source.is_some()).filter_map(licence);
    Ok(arrows
        .chain(licences)
        .chain(missing_reasons(&manifest))
        .chain(panics(&manifest))
        .chain(in_pam_module()?)
        .collect())
}

/// What stands in the PAM module as it is installed, which is built alone, and must not.
fn in_pam_module() -> Result<Vec<String>, Problem> {
    let arguments = ["tree", "--package=pam_module", "--edges=normal", "--prefix=none", "--offline"];
    let tree = cargo::output(&arguments)?;
    let tree = String::from_utf8_lossy(&tree);
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    let kept_out = names.filter(|name| KEPT_OUT_OF_PAM.contains(name));
    Ok(kept_out.map(|name| format!("{name} must not be in the PAM module")).collect())
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    license: Option<String>,
    /// None for our own.
    source: Option<String>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// None, `build` or `dev`.
    kind: Option<String>,
    /// Set for our own.
    path: Option<String>,
}

/// A crate that nobody has given a place is a finding of its own, so that this table stays complete.
fn tier(name: &str) -> Option<Tier> {
    match name {
        "common" | "radius_protocol" => Some(Tier::Ground),
        "audit" | "config" | "delivery" | "doctor" | "primary" | "store" => Some(Tier::Middle),
        "assembly" => Some(Tier::Assembly),
        "cli" | "local_service" | "pam_module" | "portal" | "radius_server" => Some(Tier::Door),
        "bench" | "tests" | "xtask" => Some(Tier::Around),
        "fuzz" => Some(Tier::Fuzz),
        _ => None,
    }
}

fn wrong_arrows(package: &Package) -> Vec<String> {
    let Some(from) = tier(&package.name) else {
        return vec![format!("{} has no place in the layout of DESIGN §3", package.name)];
    };
    let ours = package.dependencies.iter().filter(|dependency| dependency.path.is_some());
    // What only tests use does not get into a program; but even there no door leans on another.
    let wrong = ours.filter(|dependency| match (tier(&dependency.name), dependency.kind.as_deref()) {
        (Some(to), Some("dev")) => from == Tier::Door && to == Tier::Door,
        (Some(to), _) => !may_depend(from, to),
        (None, _) => true,
    });
    wrong.map(|dependency| format!("{} must not depend on {}", package.name, dependency.name)).collect()
}

fn may_depend(from: Tier, to: Tier) -> bool {
    match from {
        Tier::Ground => false,
        Tier::Middle => to == Tier::Ground,
        Tier::Assembly => matches!(to, Tier::Ground | Tier::Middle),
        Tier::Door => matches!(to, Tier::Ground | Tier::Assembly),
        // What is tried is tried from outside. The bench also speaks RADIUS, and fills stores with a million accounts.
        Tier::Around => matches!(to, Tier::Ground | Tier::Assembly | Tier::Around),
        // As a door does. Nothing may depend on it in turn.
        Tier::Fuzz => matches!(to, Tier::Ground | Tier::Assembly),
    }
}

fn licence(package: &Package) -> Option<String> {
    let Some(expression) = &package.license else {
        return Some(format!("{} names no licence", package.name));
    };
    let parsed = spdx::Expression::parse_mode(expression, spdx::ParseMode::LAX);
    let taken = |requirement: &spdx::LicenseReq| {
        requirement.license.id().is_some_and(|id| LICENCES.contains(&id.name))
    };
    match parsed {
        Ok(parsed) if parsed.evaluate(taken) => None,
        Ok(_) => Some(format!("{} is under {expression}, which is not on our list", package.name)),
        Err(_) => Some(format!("{} has a licence that cannot be read: {expression}", package.name)),
    }
}

/// Every foreign dependency has its reason on its line.
fn missing_reasons(manifest: &str) -> Vec<String> {
    let foreign =
        section(manifest, "[workspace.dependencies]").into_iter().filter(|line| !line.contains("path = "));
    let named = foreign.filter_map(|line| line.split_once(" = "));
    let silent =
        named.filter(|(_, rest)| rest.split_once('#').is_none_or(|(_, reason)| reason.trim().is_empty()));
    silent.map(|(name, _)| format!("{name} has no reason beside it in Cargo.toml")).collect()
}

/// `panic = "abort"` anywhere would take the guard away that keeps a panic out of sshd.
fn panics(manifest: &str) -> Option<String> {
    let release = section(manifest, "[profile.release]");
    let aborts = manifest.lines().any(|line| line.trim_start().starts_with("panic = \"abort\""));
    let unwinds = release.iter().any(|line| line.starts_with("panic = \"unwind\""));
    (aborts || !unwinds)
        .then(|| "Cargo.toml must say panic = \"unwind\" for releases, and abort nowhere".to_owned())
}

/// The lines of one table of a manifest.
fn section<'a>(manifest: &'a str, header: &str) -> Vec<&'a str> {
    let lines = manifest.lines().skip_while(|line| *line != header).skip(1);
    lines.take_while(|line| !line.starts_with('[')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_keeps_the_policy() {
        assert_eq!(findings().expect("cargo metadata"), Vec::<String>::new());
    }

    fn package(name: &str, dependency: &str, kind: Option<&str>) -> Package {
        let dependency =
            Dependency { name: dependency.into(), kind: kind.map(Into::into), path: Some(String::new()) };
        Package { name: name.into(), license: None, source: None, dependencies: vec![dependency] }
    }

    #[test]
    fn a_door_leans_on_no_other_door_and_not_on_the_middle() {
        assert_eq!(wrong_arrows(&package("pam_module", "radius_server", None)).len(), 1);
        assert_eq!(wrong_arrows(&package("pam_module", "radius_server", Some("dev"))).len(), 1);
        assert_eq!(wrong_arrows(&package("pam_module", "store", None)).len(), 1);
        assert!(wrong_arrows(&package("pam_module", "assembly", None)).is_empty());
    }

    #[test]
    fn the_ground_depends_on_nothing_of_ours() {
        assert_eq!(wrong_arrows(&package("common", "radius_protocol", None)).len(), 1);
        assert_eq!(wrong_arrows(&package("common", "store", None)).len(), 1);
    }

    #[test]
    fn a_crate_without_a_place_is_found() {
        assert_eq!(wrong_arrows(&package("helpers", "common", None)).len(), 1);
    }

    fn licensed(expression: &str) -> Option<String> {
        let mut package = package("foreign", "common", None);
        package.license = Some(expression.to_owned());
        licence(&package)
    }

    #[test]
    fn one_of_the_alternatives_must_be_on_the_list() {
        assert_eq!(licensed("MIT/Apache-2.0"), None);
        assert_eq!(licensed("(MIT OR GPL-3.0-only) AND Unicode-3.0"), None);
        assert!(licensed("GPL-3.0-only").is_some());
        assert!(licensed("MIT AND GPL-3.0-only").is_some());
    }

    #[test]
    fn a_dependency_without_a_reason_is_found() {
        let manifest = "[workspace.dependencies]\nours = { path = \"ours\" }\nserde = \"1\"\nnix = \"1\" # calls\n\n[next]\na = \"1\"\n";
        assert_eq!(missing_reasons(manifest), ["serde has no reason beside it in Cargo.toml"]);
    }

    #[test]
    fn an_abort_in_any_profile_is_found() {
        assert!(panics("[profile.release]\npanic = \"abort\"\n").is_some());
        assert!(panics("[profile.release]\nlto = true\n").is_some());
        assert!(panics("[profile.release]\npanic = \"unwind\"\n").is_none());
    }
}
