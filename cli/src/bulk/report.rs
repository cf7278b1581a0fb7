//! What became of many accounts: totals, and each that failed.

use common::acts::Issued;
use serde::Serialize;

use super::plan::{Failed, Kind, Plan};
use crate::command::user::forgotten;
use crate::number::{counted, grouped};
use crate::report::Report;

/// What was done, or would be.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Done<'p> {
    act: &'static str,
    /// Only what would change was asked for.
    dry_run: bool,
    /// What was going to change.
    changes: &'p [Kind],
    /// Accounts that were changed.
    pub(super) changed: usize,
    /// Accounts that were so already.
    pub(super) as_asked: usize,
    /// Devices that were remembered of them, where they were to be forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    devices_forgotten: Option<usize>,
    /// Named users who do not match the filters.
    left_out: usize,
    /// Accounts that it did not come to.
    not_reached: usize,
    /// Why it stopped before its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<String>,
    /// Each that failed; those of the plan first.
    failed: Vec<Failed>,
    #[serde(skip)]
    plan: &'p Plan<'p>,
}

impl<'p> Done<'p> {
    /// Of what is about to be done.
    pub(super) fn begun(plan: &'p Plan<'p>) -> Self {
        Self {
            act: plan.act,
            dry_run: false,
            changes: &plan.kinds,
            changed: 0,
            as_asked: plan.as_asked,
            devices_forgotten: None,
            left_out: plan.left_out,
            not_reached: 0,
            stopped: None,
            failed: plan.failures.clone(),
            plan,
        }
    }

    /// Of a rehearsal, or of a plan with nothing to do.
    pub(super) fn planned(plan: &'p Plan<'p>, dry_run: bool) -> Self {
        Self { dry_run, not_reached: plan.orders.len(), ..Self::begun(plan) }
    }

    /// It stopped after so many.
    pub(super) fn stop(&mut self, reached: usize, why: String) {
        self.not_reached = self.plan.orders.len().saturating_sub(reached);
        self.stopped = Some(why);
    }

    /// Counts what one act came to.
    pub(super) fn forgotten(&mut self, issued: &Issued) {
        if let Some(devices) = issued.devices_forgotten() {
            let before = self.devices_forgotten.unwrap_or(0);
            self.devices_forgotten = Some(before.saturating_add(devices));
        }
    }

    pub(super) fn fail(&mut self, failed: Failed) {
        self.failed.push(failed);
    }

    /// Whether nothing failed that the plan had not said already.
    pub(super) fn is_whole(&self) -> bool {
        self.stopped.is_none() && self.failed.len() == self.plan.failures.len()
    }

    fn totals(&self) -> String {
        let so_already = format!("{} so already", grouped(self.as_asked));
        let failed = (!self.failed.is_empty()).then(|| format!("{} failed", grouped(self.failed.len())));
        let left_out = (self.left_out > 0).then(|| format!("{} left out", grouped(self.left_out)));
        let parts = [
            Some(format!("{} changed", counted(self.changed, "account"))),
            self.devices_forgotten.map(forgotten),
            Some(so_already),
            left_out,
            failed,
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl Report for Done<'_> {
    fn text(&self) -> String {
        if self.dry_run {
            return format!("{}: this would change:\n{}Nothing was changed.\n", self.act, self.plan.text());
        }
        if self.plan.orders.is_empty() {
            return format!("{}Nothing is to be done.\n", self.plan.text());
        }
        let failures: String = self.failed.iter().map(Failed::line).collect();
        let heading = if failures.is_empty() { "" } else { "These failed:\n" };
        let stopped = self.stopped.as_ref().map(|why| {
            let left = counted(self.not_reached, "account");
            format!("Stopped with {left} left as they were: {why}. The same command goes on from there.\n")
        });
        format!("{heading}{failures}{}{}.\n", stopped.unwrap_or_default(), self.totals())
    }
}
