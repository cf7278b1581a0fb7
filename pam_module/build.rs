//! Lets the linker find libpam on hosts that have only the library itself.
//!
//! `-lpam` looks for `libpam.so`, a link that Debian ships with its headers (libpam0g-dev). Every Debian has
//! `libpam.so.0`, and that is all a PAM module needs; so where the link is missing, one is made among the build's output.

use std::env;
use std::error::Error;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let folders = library_folders()?;
    if folders.iter().any(|folder| folder.join("libpam.so").exists()) {
        return Ok(());
    }
    let Some(library) = folders.iter().map(|folder| folder.join("libpam.so.0")).find(|path| path.exists())
    else {
        return Err("no libpam.so.0 on this machine: install the package of Linux-PAM (libpam0g)".into());
    };
    let output = PathBuf::from(env::var("OUT_DIR")?);
    let link = output.join("libpam.so");
    if fs::symlink_metadata(&link).is_ok() {
        fs::remove_file(&link)?;
    }
    symlink(library, &link)?;
    println!("cargo::rustc-link-search=native={}", output.display());
    Ok(())
}

/// Where Debian and others keep libraries: the multiarch folder of the target first.
fn library_folders() -> Result<Vec<PathBuf>, env::VarError> {
    let multiarch = format!("{}-linux-gnu", env::var("CARGO_CFG_TARGET_ARCH")?);
    let multiarch = multiarch.as_str();
    let roots = ["/usr/lib", "/lib"].map(Path::new);
    Ok(roots
        .iter()
        .flat_map(|root| [root.join(multiarch), root.join("../lib64"), root.to_path_buf()])
        .collect())
}
