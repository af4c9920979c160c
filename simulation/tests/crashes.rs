//! Every effect of every function, and everything that may go wrong at it.

use simulation::{Lab, Options, Plan, Visitor};

#[test]
fn a_purchase_comes_to_rest_in_a_world_without_faults() {
    let mut lab = Lab::new();
    let ana = Visitor::new(1, "ana.silva@example.pt");
    let said = vec![ana.lead(0, 1, (true, true)), ana.pays(60_000, 1), ana.is_refunded(120_000, 1, 9700)];
    for _ in 0..20 {
    let began = std::time::Instant::now();
    let report = lab.run(&Options::default(), Plan::default(), &[(ana.clone(), 30_000)], said.clone());
    assert!(report.wrong.is_empty(), "{:#?}\n{:#?}", report.wrong, report.told);
    println!("{:?} {} effects", began.elapsed(), report.told.len());
    }
    let report = lab.run(&Options::default(), Plan::default(), &[(ana.clone(), 30_000)], said.clone());
    println!("{:#?} {:#?}", report.told, report.rest);
}
