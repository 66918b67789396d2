//! When to stop: on Ctrl-C and on SIGTERM, both of which let answers that are under way be finished.
//!
//! What surprises: it begins to listen when it is called, not when it is first waited for. A signal that comes between the
//! printed address and the first request is not lost. And stopping has an order: first the service says that it is not ready, then
//! it waits as long as it was set to, then streams end, and only then is nothing accepted any more.

use std::future::{Future, poll_fn};
use std::io;
use std::sync::Arc;
use std::task::Poll;

use actix_web::rt::{signal, time::sleep};

use super::service::Service;

/// Ready when the process was told to stop and nobody needs to be sent here any more.
pub(super) fn signal(service: Arc<Service>) -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let told = told()?;
    Ok(async move {
        told.await;
        service.drain();
        sleep(service.options().drain).await;
        service.end_streams();
    })
}

#[cfg(unix)]
fn told() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use signal::unix::{SignalKind, signal};
    let mut signals = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
    Ok(poll_fn(move |context| {
        let told = signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
        if told { Poll::Ready(()) } else { Poll::Pending }
    }))
}

#[cfg(not(unix))]
fn told() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        // Where it cannot be listened for, the process is stopped from outside.
        if signal::ctrl_c().await.is_err() {
            poll_fn(|_| Poll::<()>::Pending).await;
        }
    })
}
