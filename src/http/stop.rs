//! When to stop: on Ctrl-C and on SIGTERM, both of which let answers that are under way be finished.
//!
//! What surprises: it begins to listen when it is called, not when it is first waited for. A signal that comes between the
//! printed address and the first request is not lost.

use std::future::{Future, poll_fn};
use std::io;
use std::task::Poll;

use actix_web::rt::signal;

/// Ready when the process is told to stop.
#[cfg(unix)]
pub(super) fn signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use signal::unix::{SignalKind, signal};
    let mut signals = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
    Ok(poll_fn(move |context| {
        let told = signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
        if told { Poll::Ready(()) } else { Poll::Pending }
    }))
}

/// Ready when the process is told to stop.
#[cfg(not(unix))]
pub(super) fn signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        // Where it cannot be listened for, the process is stopped from outside.
        if signal::ctrl_c().await.is_err() {
            poll_fn(|_| Poll::<()>::Pending).await;
        }
    })
}
