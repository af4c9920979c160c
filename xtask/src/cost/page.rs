//! What is printed, and what docs/cost.md shows between its marks: the same tables.

use super::bill::{Bill, DOLLAR, Load, Work, bill, total};
use super::data::{Data, Design, Step};
use anyhow::{Context, Result};
use std::fmt::Write;

/// A purchase of ours may cost so many hundredths of one in the design that people use today.
const TARGET: u128 = 50;
/// That design's name.
const REFERENCE: &str = "node with powertools";
/// The same with a dispatcher and a record of each delivery, as `bench/reference` has it.
const BENCHED: &str = "the bench's node with powertools";
/// What ours would cost in another language, the design being the same.
const TWIN: &str = "the same ledger in node";

/// All tables.
pub(super) fn render(data: &Data) -> Result<String> {
    let mut page = String::new();
    writeln!(page, "{}\n", data.assumed)?;
    for design in &data.designs {
        let Design { name, what, lacks, memory_mb, .. } = design;
        writeln!(page, "- **{name}**: {what}; {memory_mb} MB. It lacks: {lacks}.")?;
    }
    page += &per_million(data)?;
    page += &verdict(data)?;
    page += &purchase(data)?;
    for (events, starts) in &data.volumes {
        page += &month(data, *events, *starts)?;
    }
    page += &units(data)?;
    page += &prices(data)?;
    Ok(page.trim_end().to_owned() + "\n")
}

/// A million of something, in a month with that many, without what runs anyway.
fn a_million(data: &Data, work: Work) -> Load {
    let events = 1_000_000;
    let starts = data.volumes.iter().find(|(volume, _)| *volume == events);
    let starts = starts.map_or(0, |(_, starts)| *starts);
    Load { work, events, starts, with_month: false, at_the_least: false }
}

/// A table's head: a column for each design.
fn head(data: &Data, title: &str) -> String {
    let names: Vec<&str> = data.designs.iter().map(|design| design.name.as_str()).collect();
    format!("| {title} | {} |\n|---|{}\n", names.join(" | "), "---:|".repeat(names.len()))
}

fn row(title: &str, cells: impl IntoIterator<Item = String>) -> String {
    format!("| {title} | {} |\n", cells.into_iter().collect::<Vec<_>>().join(" | "))
}

fn per_million(data: &Data) -> Result<String> {
    let mut table = format!("\n### A million\n\n{}", head(data, "dollars for a million"));
    for (work, name) in [
        (Work::Lead, "leads, told to three destinations"),
        (Work::Webhook, "webhooks, answered (ours has kept it, theirs have sent its messages too)"),
        (Work::Purchase, "purchases with four destinations"),
    ] {
        let load = a_million(data, work);
        table += &row(name, totals(data, load)?.into_iter().map(dollars));
    }
    let load = Load { with_month: true, ..a_million(data, Work::Purchase) };
    let share = "the same, with schedules, pollers and alarms of the month";
    table += &row(share, totals(data, load)?.into_iter().map(dollars));
    Ok(table)
}

fn totals(data: &Data, load: Load) -> Result<Vec<u128>> {
    data.designs.iter().map(|design| Ok(total(&bill(data, design, load)?))).collect()
}

/// Whether the target is met, and what stands between us and it.
fn verdict(data: &Data) -> Result<String> {
    let load = a_million(data, Work::Purchase);
    let least = Load { at_the_least: true, ..load };
    let ours = data.designs.first().context("cost/usage.json has no designs")?;
    let theirs = named(data, REFERENCE)?;
    let costs =
        |design: &Design, load: Load| Ok::<_, anyhow::Error>(total(&bill(data, design, load)?));
    let times = |load: Load, other: &Design| {
        Ok::<_, anyhow::Error>(hundredths(
            costs(ours, load)? * 100 / costs(other, a_million(data, Work::Purchase))?.max(1),
        ))
    };
    let counted = costs(ours, load)? * 100 / costs(theirs, load)?.max(1);
    let verdict = if counted <= TARGET { "met" } else { "not met" };
    Ok(format!(
        "\n**A purchase costs {} × the Node design with Powertools; the target, {} ×, is {verdict}.** \
         With the calls and units that the ledger's protocol needs at the least it would be {} ×. \
         Against the design that the bench runs it is {} ×, and against the same ledger in Node {} ×.\n\n{}",
        times(load, theirs)?,
        hundredths(TARGET),
        times(least, theirs)?,
        times(load, named(data, BENCHED)?)?,
        times(load, named(data, TWIN)?)?,
        shares(data, [ours, theirs, named(data, BENCHED)?])?
    ))
}

fn named<'a>(data: &'a Data, name: &str) -> Result<&'a Design> {
    let design = data.designs.iter().find(|design| design.name == name);
    design.with_context(|| format!("cost/usage.json has no design {name:?}"))
}

/// What a million purchases are spent on: what all pay alike, and what each pays for its own way.
fn shares(data: &Data, designs: [&Design; 3]) -> Result<String> {
    let mut text = String::new();
    for design in designs {
        let bill = bill(data, design, a_million(data, Work::Purchase))?;
        let of =
            |names: &[&str]| dollars(names.iter().filter_map(|name| bill.get(*name)).sum::<u128>());
        let [_, _, writes, ..] = together(design);
        writeln!(
            text,
            "- {}: of {} dollars for a million purchases, {} are {} write units a purchase, {} are \
             messages, {} is Lambda, {} are log lines, and {} are API Gateway and data out, which all \
             pay alike.",
            design.name,
            dollars(total(&bill)),
            of(&["writes"]),
            units_of(writes),
            of(&["sqs"]),
            of(&["lambda_time", "lambda_requests"]),
            of(&["logs"]),
            of(&["api_gateway", "data_out"])
        )?;
    }
    Ok(text)
}

fn purchase(data: &Data) -> Result<String> {
    let load = a_million(data, Work::Purchase);
    let title = "\n### A million purchases, by service\n\n";
    Ok(format!("{title}{}", by_service(data, load)?))
}

fn month(data: &Data, events: u128, starts: u128) -> Result<String> {
    let load = Load { work: Work::Purchase, events, starts, with_month: true, at_the_least: false };
    let title = format!(
        "\n### A month with {} purchases\n\nCold starts: {starts} in a thousand invocations.\n\n",
        grouped(events)
    );
    Ok(format!("{title}{}", by_service(data, load)?))
}

fn by_service(data: &Data, load: Load) -> Result<String> {
    let bills: Vec<Bill> =
        data.designs.iter().map(|design| bill(data, design, load)).collect::<Result<_>>()?;
    let mut table = head(data, "dollars");
    for (name, price) in &data.prices {
        let cells: Vec<u128> =
            bills.iter().map(|bill| bill.get(name).copied().unwrap_or(0)).collect();
        if cells.iter().any(|cell| *cell > 0) {
            table += &row(&price.service, cells.into_iter().map(dollars));
        }
    }
    let bold = |bill: &Bill| format!("**{}**", dollars(total(bill)));
    table += &row("**together**", bills.iter().map(bold));
    Ok(table)
}

/// Where the units of one purchase of ours go.
fn units(data: &Data) -> Result<String> {
    let ours = data.designs.first().context("cost/usage.json has no designs")?;
    let mut table = String::from(
        "\n### What one purchase of ours asks of the table and the queues\n\n\
         Counted, and what the protocol needs at the least; `cost/calls.snap` says why for each.\n\n\
         | step | calls | needed | write units | needed | read units | needed |\n\
         |---|---:|---:|---:|---:|---:|---:|\n",
    );
    let steps = ours.steps.iter().filter(|step| step.purchase > 0 && step.calls.calls > 0);
    for step in steps {
        table += &row(&step.step, cells(step).map(units_of));
    }
    table += &row("**together**", together(ours).map(|sum| format!("**{}**", units_of(sum))));
    Ok(table)
}

fn cells(step: &Step) -> [u128; 6] {
    let (counted, needed) = (&step.calls, &step.needed);
    [counted.calls, needed.calls, counted.writes, needed.writes, counted.reads, needed.reads]
}

fn together(design: &Design) -> [u128; 6] {
    let mut sums = [0; 6];
    for step in &design.steps {
        for (sum, cell) in sums.iter_mut().zip(cells(step)) {
            *sum += cell * step.purchase;
        }
    }
    sums
}

fn prices(data: &Data) -> Result<String> {
    let mut table = String::from(
        "\n### The prices\n\n| what | for | dollars | read | from |\n|---|---|---:|---|---|\n",
    );
    for price in data.prices.values() {
        let each: Vec<String> =
            price.tiers.iter().map(|(_, each)| exactly(each * price.per)).collect();
        let read = price.read.as_deref().unwrap_or("not checked ◇");
        writeln!(
            table,
            "| {} | {} | {} | {read} | [price list]({}) |",
            price.service,
            price.of,
            each.join(", then "),
            price.source
        )?;
    }
    Ok(table)
}

/// Dollars and cents, rounded half up; what is less than a cent, to the hundredth of one.
fn dollars(picodollars: u128) -> String {
    let (digits, unit) =
        if picodollars < DOLLAR / 100 { (4, DOLLAR / 10_000) } else { (2, DOLLAR / 100) };
    let rounded = (picodollars + unit / 2) / unit;
    let (whole, part) = (rounded / (DOLLAR / unit), rounded % (DOLLAR / unit));
    if rounded == 0 { "0".to_owned() } else { format!("{}.{part:0digits$}", grouped(whole)) }
}

/// A price as its list has it: cents, and the digits behind them that are not zero.
fn exactly(picodollars: u128) -> String {
    let part = format!("{:06}", picodollars % DOLLAR / 1_000_000);
    let (cents, rest) = part.split_at(2);
    format!("{}.{cents}{}", picodollars / DOLLAR, rest.trim_end_matches('0'))
}

/// `1 000 000`.
fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

fn hundredths(number: u128) -> String {
    format!("{}.{:02}", number / 100, number % 100)
}

/// Thousandths of a unit, without idle zeros.
fn units_of(thousandths: u128) -> String {
    let text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{DOLLAR, dollars, exactly, units_of};

    #[test]
    fn dollars_are_rounded_once_and_grouped() {
        assert_eq!(dollars(3_500_000 * 1_000_000), "3.50");
        assert_eq!(dollars(1_234_567 * DOLLAR + DOLLAR / 200), "1 234 567.01");
        assert_eq!(dollars(DOLLAR / 1000), "0.0010");
        assert_eq!(dollars(0), "0");
        assert_eq!(exactly(705_000 * 1_000_000), "0.705");
        assert_eq!(exactly(13_333_400 * 1_000_000), "13.3334");
        assert_eq!(exactly(DOLLAR / 10), "0.10");
        assert_eq!(units_of(3_000), "3");
        assert_eq!(units_of(2_500), "2.5");
    }
}
