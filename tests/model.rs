//! The world in memory, held against the local AWS: the same calls come to the same answers.

use crate::stack::Stack;
use simulation::Lab;
use simulation::assumption::Trial;
use uuid::Uuid;

#[tokio::test]
async fn the_table_in_memory_answers_as_the_local_aws_does() {
    let stack = Stack::running().await;
    let partition = format!("TRIAL#{}", Uuid::new_v4());
    let client = stack.dynamodb();
    let trial = Trial { client: &client, table: stack.table(), partition: &partition };
    let real = trial.play().await;
    // A world in memory has a thread and a runtime of its own.
    let modelled = std::thread::spawn(|| Lab::new().assume()).join().unwrap();
    for (modelled, real) in modelled.iter().zip(&real) {
        assert_eq!(modelled, real);
    }
    assert_eq!(modelled.len(), real.len());
    println!("proof: {} cases come to the same in memory and at the local AWS", real.len());
}
