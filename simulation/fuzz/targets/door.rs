//! One door under libFuzzer: the bytes it makes are handed over as a stranger's, and half of what it
//! makes is changed as a document is rather than as bytes are.

use libfuzzer_sys::Corpus;
use peak_alloc::PeakAlloc;
use simulation::Lab;
use simulation::hostile::{Door, Input, changed};
use std::cell::RefCell;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

thread_local! {
    static LAB: RefCell<Lab> = RefCell::default();
}

pub fn hand(door: Door, bytes: &[u8]) -> Corpus {
    let Some(input) = Input::of(door, bytes) else { return Corpus::Reject };
    fastrand::seed(bytes.len() as u64);
    LAB.with_borrow_mut(|lab| input.hand(lab, &MEMORY));
    Corpus::Keep
}

pub fn change(data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    fastrand::seed(seed.into());
    match changed(&data[..size]).filter(|bytes| bytes.len() <= most) {
        Some(bytes) => {
            data[..bytes.len()].copy_from_slice(&bytes);
            bytes.len()
        }
        None => libfuzzer_sys::fuzzer_mutate(data, size, most),
    }
}

macro_rules! open {
    ($door:ident) => {
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| -> libfuzzer_sys::Corpus {
            $crate::door::hand(simulation::hostile::Door::$door, bytes)
        });
        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            $crate::door::change(data, size, max_size, seed)
        });
    };
}
pub(crate) use open;
