//! Changes that depend on what is there, made in turn.
//!
//! What surprises: somebody else decides on the thread that writes. Looking first and writing on the condition that nothing changed
//! meanwhile holds up nobody, but where many change one item at once, all but one of them look in vain each time.

use std::sync::Arc;

use super::commit::Task;
use super::hosted::unless_damaged;
use super::{CollectionName, Engine, EngineError, Submission, Submitted};
use crate::collection::Snapshot;

impl Engine {
    /// Makes the changes that `decide` makes of the collection as it is when their turn comes; nothing comes between the look
    /// and the write. Like [`Engine::submit_then`] it does not wait. Each is a group of its own, with a sync of its own, and
    /// everybody else waits while `decide` does: it is for those who tried without.
    pub fn submit_in_turn<E: From<EngineError>>(
        &self,
        name: &CollectionName,
        decide: impl Fn(&Arc<Snapshot>) -> Result<Submission, E> + Send + 'static,
        then: impl FnOnce(Result<Submitted, E>) + Send + 'static,
    ) -> Result<(), EngineError> {
        let name = name.clone();
        self.do_in_turn(Task::Do(Box::new(move |committer| {
            let hosted = committer.shared.hosted.load().get(&name).cloned();
            let decided = match hosted {
                None => Err(EngineError::NoCollection { name: name.clone(), known: Vec::new() }.into()),
                Some(hosted) => match unless_damaged(|| decide(&hosted.snapshot())) {
                    Ok(decided) => decided,
                    Err(damaged) => match committer.heal(&damaged.file) {
                        Ok(()) => unless_damaged(|| decide(&hosted.snapshot())).unwrap_or_else(|damaged| {
                            Err(EngineError::ReadOnly { reason: damaged.to_string() }.into())
                        }),
                        Err(error) => Err(error.into()),
                    },
                },
            };
            match decided {
                Ok(submission) => {
                    let then = Box::new(move |made: Result<Submitted, EngineError>| then(made.map_err(E::from)));
                    committer.commit(vec![(name, submission, then)]);
                }
                Err(error) => then(Err(error)),
            }
        })))
    }
}
