//! The events of an import, which another thread makes ready while the next portion is applied: their ids and hashes take a tenth of the
//! time that the store needs for the rows.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Scope;

use sql::Tx;

use crate::audit::Author;
use crate::audit::ready::Ready;
use crate::error::{Error, Result};
use crate::sealing;

/// The events of portions on their way: out to the thread that makes them ready, and back.
pub(super) struct Events {
    /// Whose events are to be made ready.
    out: SyncSender<Author>,
    /// Those that are, in the same order.
    back: Receiver<Result<Ready>>,
    /// Whether those of a portion are under way.
    is_under_way: bool,
}

impl Events {
    /// Starts the thread, which ends when its work does.
    pub(super) fn start<'s>(scope: &'s Scope<'s, '_>) -> Self {
        let ((out, authors), (ready, back)) = (sync_channel(1), sync_channel(1));
        scope.spawn(move || {
            for by in authors {
                if ready.send(Ready::of(by)).is_err() {
                    return;
                }
            }
        });
        Self { out, back, is_under_way: false }
    }

    /// Takes those of a portion, and writes those of the one before.
    pub(super) fn pass(&mut self, tx: &mut Tx<'_>, by: Author) -> Result<()> {
        self.out.send(by).map_err(|_| stopped())?;
        self.write(tx)?;
        self.is_under_way = true;
        Ok(())
    }

    /// Writes those that are under way.
    pub(super) fn end(mut self, tx: &mut Tx<'_>) -> Result<()> {
        self.write(tx)
    }

    fn write(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        if !std::mem::take(&mut self.is_under_way) {
            return Ok(());
        }
        let ready = self.back.recv().map_err(|_| stopped())??;
        let written = ready.write(tx)?;
        sealing::seal_written(tx, written)
    }
}

/// It panicked, which is told when it is joined.
fn stopped() -> Error {
    Error::internal("the thread that makes events ready has ended")
}
