//! Where the few questions are answered that cost much, so that the many that cost little do not wait behind them.
//!
//! What surprises: nothing is estimated. Every question is begun where it was read, with a small budget of work; one that has
//! used it up is begun anew here, with a large one. Guessing the cost of a question well would cost more than trying.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::ThreadPool;
use tokio::sync::oneshot;

use super::error::{Code, Refusal};
use super::gate::Gate;

/// Threads for what costs much, and a bound on how much of it may wait.
#[derive(Debug)]
pub(super) struct Pool {
    threads: ThreadPool,
    waiting: Gate,
}

impl Pool {
    pub(super) fn new(threads: usize, most: usize) -> Pool {
        let named = |number| format!("nigh-heavy-{number}");
        let builder = rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(named);
        let threads = builder.build().expect("threads can be started for questions that cost much");
        Pool { threads, waiting: Gate::new(most, "requests that cost much") }
    }

    /// Has work done, unless too much waits already.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let room = self.waiting.enter(1)?;
        let (tell, told) = oneshot::channel();
        self.threads.spawn(move || {
            let _room = room;
            // Whoever asked may have gone: then nobody needs the answer.
            if !tell.is_closed() {
                let _ = tell.send(guarded(work));
            }
        });
        told.await.unwrap_or_else(|_| Err(mistake()))
    }

    /// How many wait or are worked on, and how many may.
    pub(super) fn gate(&self) -> &Gate {
        &self.waiting
    }
}

/// Runs what answers. A mistake of ours ends the request it happened in, and nothing else.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(mistake()))
}

fn mistake() -> Refusal {
    Refusal::new(Code::InternalError, "the service made a mistake while answering; its log says more")
        .hint("please report what was asked; asking again is safe")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_while_answering_is_told_and_kept_to_its_request() {
        let refusal = guarded::<()>(|| panic!("a mistake, on purpose")).unwrap_err();
        assert_eq!((refusal.code, refusal.code.problem().status), (Code::InternalError, 500));
        assert_eq!(guarded(|| Ok(1)), Ok(1));
    }

    #[test]
    fn more_work_than_may_wait_is_refused_at_once() {
        actix_web::rt::System::new().block_on(async {
            let pool = std::rc::Rc::new(Pool::new(1, 2));
            let (go, gone) = std::sync::mpsc::channel::<()>();
            let slow = {
                let pool = pool.clone();
                actix_web::rt::spawn(async move { pool.run(move || Ok(gone.recv().is_ok())).await })
            };
            let waits = {
                let pool = pool.clone();
                actix_web::rt::spawn(async move { pool.run(|| Ok(())).await })
            };
            while pool.gate().taken() < 2 {
                actix_web::rt::task::yield_now().await;
            }
            assert_eq!(pool.run(|| Ok(())).await.unwrap_err().code, Code::Overloaded);
            go.send(()).unwrap();
            assert_eq!((slow.await.unwrap(), waits.await.unwrap()), (Ok(true), Ok(())));
            assert_eq!(pool.run(|| Ok(7)).await, Ok(7));
        });
    }
}
