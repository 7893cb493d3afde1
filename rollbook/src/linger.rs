//! Closing a connection without destroying the answer on it.
//!
//! A refusal is sent before the body it refuses has arrived. If the socket is closed then, what arrives later makes the kernel
//! reset the connection, and the client may see the reset instead of the answer. So the sending half is closed first, and the
//! receiving half is emptied for a moment.

use std::io::Result;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long the receiving half stays open.
const LONGEST: Duration = Duration::from_secs(2);

/// Says whether a connection should linger if it is closed now.
#[derive(Debug, Clone, Default)]
pub struct Switch(Arc<AtomicBool>);

impl Switch {
    /// Sets it according to the latest request.
    pub fn set(&self, on: bool) {
        self.0.store(on, Ordering::Relaxed);
    }

    fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A stream that lingers when it is shut down with the switch on.
pub struct Lingering<T> {
    stream: T,
    switch: Switch,
    end: Option<Pin<Box<Sleep>>>,
}

impl<T> Lingering<T> {
    /// Puts the stream under this switch.
    pub fn new(stream: T, switch: Switch) -> Self {
        Self { stream, switch, end: None }
    }
}

impl<T: AsyncRead + Unpin> Lingering<T> {
    /// Drops what arrives until the other side is done.
    fn poll_empty(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut buffer = [0; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut buffer);
            match ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Lingering<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    #[expect(clippy::disallowed_methods, reason = "what is waited for may never come")]
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        if self.end.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
            if !self.switch.is_on() {
                return Poll::Ready(Ok(()));
            }
            self.end = Some(Box::pin(sleep(LONGEST)));
        }
        let is_over = self.end.as_mut().is_none_or(|end| end.as_mut().poll(context).is_ready());
        if !is_over {
            ready!(self.poll_empty(context));
        }
        Poll::Ready(Ok(()))
    }
}
