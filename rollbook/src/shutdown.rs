//! The end of the process, as signals ask for it.

use std::io::Result;
use std::process::exit;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that is cancelled by the first SIGTERM or SIGINT. A second one ends the process at once: whoever sends it
/// does not want to wait for what is still under way.
pub fn on_signal() -> Result<CancellationToken> {
    let mut signals = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        let name = next(&mut signals).await;
        tracing::info!("{name}: finishing what is under way; a second signal ends at once");
        token.cancel();
        let name = next(&mut signals).await;
        tracing::warn!("{name}: ending at once");
        exit(1);
    });
    Ok(stop)
}

async fn next((terminate, interrupt): &mut (Signal, Signal)) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
