//! `doctor`: a check-up of the stage.

use crate::table::Table;
use crate::{Desk, Failed, Output, here, say};
use operator::{Check, Verdict};
use serde::Serialize;
use std::process::ExitCode;

#[derive(Serialize)]
struct Answer<'a> {
    stage: &'a str,
    ok: bool,
    checks: &'a [Check],
}

/// Makes every check; fails where one of them does.
pub(crate) async fn run(desk: &Desk) -> Result<ExitCode, Failed> {
    let checks = desk.operator.check_up(here::now).await;
    let ok = checks.iter().all(|check| check.verdict != Verdict::Fail);
    match desk.output {
        Output::Json => {
            say::json(&Answer { stage: &desk.operator.stage.name, ok, checks: &checks });
        }
        Output::Table => {
            let mut table = Table::new(&["CHECK", "IS", "SAYS"]);
            for check in &checks {
                let verdict = check.verdict.name().to_owned();
                table.row([check.check.clone(), verdict, check.says.clone()]);
            }
            say::answer(&table.text());
        }
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
