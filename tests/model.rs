//! The world in memory, held against the local AWS: the same calls come to the same answers.

use crate::stack::Stack;
use simulation::Lab;
use simulation::assumption::{QueueTrial, Trial};
use uuid::Uuid;

#[tokio::test]
async fn the_world_in_memory_answers_as_the_local_aws_does() {
    let stack = Stack::running().await;
    let partition = format!("TRIAL#{}", Uuid::new_v4());
    let client = stack.dynamodb();
    let trial = Trial { client: &client, table: stack.table(), partition: &partition };
    let mut real = trial.play().await;
    real.extend(queue_of_its_own(&stack).await);
    // A world in memory has a thread and a runtime of its own.
    let modelled = std::thread::spawn(|| Lab::new().assume()).join().unwrap();
    for (modelled, real) in modelled.iter().zip(&real) {
        assert_eq!(modelled, real);
    }
    assert_eq!(modelled.len(), real.len());
    println!("proof: {} cases come to the same in memory and at the local AWS", real.len());
}

/// The queue's cases, at a queue that nobody else reads.
async fn queue_of_its_own(stack: &Stack) -> Vec<String> {
    let client = stack.sqs();
    let name = format!("trial-{}", Uuid::new_v4());
    let made = client.create_queue().queue_name(name).send().await.unwrap();
    let url = made.queue_url.unwrap();
    let lines = QueueTrial { client: &client, url: &url }.play().await;
    client.delete_queue().queue_url(url).send().await.unwrap();
    lines
}
