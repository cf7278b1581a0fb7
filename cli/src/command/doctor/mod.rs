//! `countersign doctor`: who could get in with what, what would lock somebody out, and what to do about it. What stands in
//! files is looked at by the crate `doctor`; here is what has to be asked: the settings, the store, the servers, the clock.

mod clock;
mod report;
mod servers;
mod site;

use assembly::config::{ConfigError, Settings};
use assembly::doctor::finding::merged;
use assembly::doctor::sshd::second_opinion;
use assembly::doctor::{Diagnosis, Finding, Kind, Place, Tree, examine};
use common::causes::with_causes;

use crate::asked::asked;
use crate::command::Outcome;
use crate::command::store::check;
use crate::context::{Context, refuse_strangers};
use crate::failure::Failure;
use report::{Checked, Known};

const SSHD: &str = "/usr/sbin/sshd";
/// Blocks that sshd is asked about: each is one start of it.
const BLOCKS_ASKED_MAX: usize = 20;

pub(crate) fn run(context: &Context) -> Result<Outcome, Failure> {
    refuse_strangers()?;
    let (settings, mut findings) = settings(context);
    let tree = Tree::new("/".as_ref());
    let mut diagnosis = site::Facts::gather(settings.as_ref()).with(|facts| examine(&tree, facts));
    findings.append(&mut diagnosis.findings);
    let mut known = Known::default();
    match clock::state() {
        Ok(clock::State::Synchronised) => known.clock = Some("synchronised"),
        Ok(clock::State::Adrift(finding)) => {
            known.clock = Some("not-synchronised");
            findings.push(*finding);
        }
        Err(why) => known.unknown.push(format!("Whether the clock is synchronised is not known: {why}.")),
    }
    findings.extend(second_opinion(&diagnosis, &mut known));
    if let Some(settings) = &settings {
        findings.extend(store(context, settings));
        findings.extend(servers::findings(settings));
    }
    diagnosis.findings = merged(findings);
    let checked = Checked::new(&diagnosis, known);
    context.say(&checked)?;
    Ok(if diagnosis.findings.is_empty() { Outcome::Done } else { Outcome::Refused })
}

/// The settings, as far as they can be read, and what is wrong with them and with the clients file.
fn settings(context: &Context) -> (Option<Settings>, Vec<Finding>) {
    match Settings::load(&context.settings_file) {
        Ok(loaded) => {
            let remarks = loaded.warnings.iter().map(|it| of_settings(Kind::SettingsRemark, it));
            (Some(loaded.settings), remarks.collect())
        }
        Err(error) => {
            let alone = Settings::load_without_clients(&context.settings_file);
            (alone.ok().map(|loaded| loaded.settings), of_mistakes(context, &error))
        }
    }
}

fn of_mistakes(context: &Context, error: &ConfigError) -> Vec<Finding> {
    let found: Vec<Finding> = error.findings().iter().map(|it| of_settings(Kind::Settings, it)).collect();
    if !found.is_empty() {
        return found;
    }
    let instead = "See 'countersign config check'; 'countersign init' makes settings where there are none.";
    vec![Finding::new(Kind::Settings, Place::whole(&context.settings_file), with_causes(error), instead)]
}

fn of_settings(kind: Kind, finding: &assembly::config::Finding) -> Finding {
    let line = u32::try_from(finding.line).unwrap_or(u32::MAX);
    let key = if finding.key.is_empty() { String::new() } else { format!("{}: ", finding.key) };
    let found = format!("{key}{}", finding.message);
    let allowed = finding.allowed.as_ref().map(|allowed| format!("Allowed is: {allowed}."));
    let advice: Vec<String> = allowed.into_iter().chain(finding.help.clone()).collect();
    let instead = if advice.is_empty() { "See docs/configuration.md.".to_owned() } else { advice.join(" ") };
    Finding::new(kind, Place::new(&finding.file, line), found, instead)
}

/// What `store check` finds; what keeps it from looking is a finding too.
fn store(context: &Context, settings: &Settings) -> Vec<Finding> {
    let checked = match check::survey(context, settings) {
        Ok(checked) => checked,
        Err(failure) => {
            let instead = "See 'countersign store check'.";
            let place = Place::whole(&settings.state_directory);
            return vec![Finding::new(Kind::Store, place, context.advised(&failure), instead)];
        }
    };
    let waiting = checked.untaken.and_then(|since| servers::waiting(settings, since));
    let found = checked.findings.into_iter().map(|it| {
        let kind = if it.exposed { Kind::StoreExposed } else { Kind::Store };
        Finding::new(kind, Place::whole(&it.file), format!("{}: {}", it.kind, it.what), it.advice)
    });
    found.chain(waiting).collect()
}

/// What sshd itself says, where it can be asked: for everybody, and for whom the first blocks are meant.
fn second_opinion(diagnosis: &Diagnosis, known: &mut Known) -> Vec<Finding> {
    let Some(config) = &diagnosis.sshd_config else { return Vec::new() };
    let blocks = (0..config.blocks.len().min(BLOCKS_ASKED_MAX)).filter_map(|number| {
        second_opinion::connection(config, number).map(|connection| (Some(number), Some(connection)))
    });
    let mut found = Vec::new();
    // Without a connection it leaves all blocks out.
    for (block, connection) in std::iter::once((None, None)).chain(blocks) {
        let with = connection.iter().flat_map(|connection| ["-C", connection.as_str()]);
        let arguments: Vec<&str> = std::iter::once("-T").chain(with).collect();
        match asked(SSHD, &arguments) {
            Ok(said) => {
                known.asked_sshd = true;
                found.extend(second_opinion::differences(config, block, &said));
            }
            Err(why) => {
                known.unknown.push(format!("sshd itself was not asked what it would do: {why}."));
                break;
            }
        }
    }
    found
}
