//! Freeing what the last reader of a retired snapshot left, when no further write comes to do it.
//!
//! Writers free retired snapshots as they publish new ones. In a collection that falls quiet nobody would, and a large old
//! segment might stay for ever because one query was under way at the last write. So a thread looks after them for a second;
//! a reader that takes longer frees what it holds itself.

use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use super::writer::Writer;

const PAUSE: Duration = Duration::from_millis(20);
const ROUNDS: usize = 50;

/// Starts a thread that looks after retired snapshots, if there are any and none does.
pub(super) fn start_if_due(shared: &Arc<Shared>, writer: &mut Writer) {
    if writer.sweeping || writer.retired.is_empty() {
        return;
    }
    let shared = shared.clone();
    let thread = std::thread::Builder::new().name("nigh-sweep".to_owned()).spawn(move || sweep(&shared));
    writer.sweeping = thread.is_ok(); // without a thread the next write frees them
}

fn sweep(shared: &Shared) {
    for round in 1..=ROUNDS {
        std::thread::sleep(PAUSE);
        let Ok(mut writer) = shared.writer.lock() else { return };
        writer.free_retired();
        if round == ROUNDS {
            writer.retired.clear();
        }
        if writer.retired.is_empty() {
            writer.sweeping = false;
            return;
        }
    }
}
