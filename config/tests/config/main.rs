//! The suites of this crate: files as administrators write them, in folders of their own.
#[cfg(test)]
mod clients;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod edits;
#[cfg(test)]
mod effective;
#[cfg(test)]
mod files;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod registration;
#[cfg(test)]
mod settings;
