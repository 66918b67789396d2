//! What the process is told by signals: to stop, on Ctrl-C and SIGTERM, and to read its files anew, on SIGHUP.
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
        supervisor("STOPPING=1");
        sleep(service.options().drain).await;
        service.end_streams();
    })
}

/// Reads keys and certificate anew whenever the process is told to.
#[cfg(unix)]
pub(super) fn reloads(service: Arc<Service>) -> io::Result<impl Future<Output = ()>> {
    let mut told = signal::unix::signal(signal::unix::SignalKind::hangup())?;
    Ok(async move {
        while told.recv().await.is_some() {
            service.reload();
        }
    })
}

#[cfg(not(unix))]
pub(super) fn reloads(_service: Arc<Service>) -> io::Result<impl Future<Output = ()>> {
    Ok(async {})
}

/// Tells systemd how far along the service is, where systemd asked to be told.
#[cfg(target_os = "linux")]
pub(super) fn supervisor(state: &str) {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let told = match path.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&path),
    };
    let sent = told.and_then(|to| UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &to));
    if let Err(error) = sent {
        tracing::warn!(%error, state, "systemd cannot be told");
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn supervisor(_state: &str) {}

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
