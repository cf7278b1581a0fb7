//! Lets the linker find libpam, for the feature `pam`, where only the library itself is installed: `-lpam` looks for
//! `libpam.so`, which Debian ships with its headers, while every Debian has `libpam.so.0`. Cargo hands the place on to
//! all programs that link this crate, so that the PAM module finds it too.

use std::env;
use std::error::Error;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_PAM").is_none() {
        return Ok(());
    }
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
    let roots = ["/usr/lib", "/lib"].map(Path::new);
    Ok(roots
        .iter()
        .flat_map(|root| [root.join(&multiarch), root.join("../lib64"), root.to_path_buf()])
        .collect())
}
