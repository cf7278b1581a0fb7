//! Sources of the doors, compiled here once more. A PAM module is a C library and a command line a program: neither can
//! be linked, and making libraries of them would show to everybody what is nobody's business.

#[path = "../../pam_module/src/answer.rs"]
pub(crate) mod answer;
#[expect(dead_code, reason = "the plan of an import needs more than its parser")]
#[path = "../../cli/src/command/import/rows.rs"]
mod rows;

use common::username::Folding;

/// How many accounts and how many mistakes a CSV file comes to, or why it cannot be read.
pub(crate) fn import(octets: &[u8], folding: Folding) -> Result<(usize, usize), String> {
    rows::read(octets, folding).map(|(rows, mistakes)| (rows.len(), mistakes.len()))
}
