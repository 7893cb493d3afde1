//! Long answers: bodies of pieces that are sent as they are, because copying them together would take as long as sending them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use http::{HeaderValue, header};
use http_body::{Frame, SizeHint};

/// Pieces of at least so many bytes are sent as they are; smaller ones are copied together.
const LARGE: usize = 16 << 10;

/// A body in the making.
#[derive(Debug, Default)]
pub struct Chunks {
    done: VecDeque<Bytes>,
    last: Vec<u8>,
    length: u64,
}

impl Chunks {
    /// Appends text.
    pub fn text(&mut self, text: &str) {
        self.last.extend_from_slice(text.as_bytes());
    }

    /// Appends a piece.
    pub fn piece(&mut self, piece: Bytes) {
        if piece.len() < LARGE {
            self.last.extend_from_slice(&piece);
        } else {
            self.flush();
            self.push(piece);
        }
    }

    fn flush(&mut self) {
        if !self.last.is_empty() {
            let last = std::mem::take(&mut self.last);
            self.push(last.into());
        }
    }

    fn push(&mut self, piece: Bytes) {
        self.length += piece.len() as u64;
        self.done.push_back(piece);
    }

    /// The answer, which is JSON.
    #[must_use]
    pub fn json(mut self) -> Response {
        self.flush();
        let mut response = Response::new(Body::new(Sent { pieces: self.done, left: self.length }));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }
}

/// A body on its way. Its length is known, so the client learns it.
struct Sent {
    pieces: VecDeque<Bytes>,
    left: u64,
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.pieces.pop_front();
        self.left -= piece.as_ref().map_or(0, Bytes::len) as u64;
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn pieces_are_sent_in_their_order_and_their_length_is_known() {
        let mut chunks = Chunks::default();
        let large = vec![b'x'; LARGE];
        chunks.text("[");
        chunks.piece(Bytes::from_static(b"1"));
        chunks.text(",");
        chunks.piece(large.clone().into());
        chunks.text("]");
        let expected = [b"[1,", &*large, b"]"].concat();
        let body = chunks.json().into_body();
        assert_eq!(body.size_hint().exact(), Some(expected.len() as u64));
        assert_eq!(body.collect().await.unwrap().to_bytes(), expected);
    }
}
