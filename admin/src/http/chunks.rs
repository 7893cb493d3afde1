//! Long answers: bodies of pieces that are sent as they are, because copying them together would take as long as sending them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::FromRequestParts;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use http_body::{Frame, SizeHint};

use crate::aside::Aside;
use crate::error::Result;
use crate::piece::{LARGE, Piece, gzip};

/// Whether the client takes answers that are compressed with gzip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakesGzip(pub bool);

impl<S: Sync> FromRequestParts<S> for TakesGzip {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(takes_gzip(&parts.headers)))
    }
}

/// Whether gzip is named and not with the weight 0 (RFC 9110, sections 8.4.1.3 and 12.5.3). Who takes everything is sent what all can read.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).iter();
    lists.filter_map(|list| list.to_str().ok()).flat_map(|list| list.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().strip_prefix(['q', 'Q']).and_then(|rest| rest.strip_prefix('='));
        let weight = weight.and_then(|weight| weight.trim().parse::<f32>().ok());
        let is_gzip = ["gzip", "x-gzip"].iter().any(|gzip| name.trim().eq_ignore_ascii_case(gzip));
        is_gzip && weight.is_some_and(|weight| weight > 0.0 && weight <= 1.0)
    })
}

/// A body in the making.
#[derive(Debug)]
pub struct Chunks {
    takes_gzip: bool,
    done: Vec<Piece>,
    last: Vec<u8>,
}

impl Chunks {
    /// For such a client.
    #[must_use]
    pub fn new(TakesGzip(takes_gzip): TakesGzip) -> Self {
        Self { takes_gzip, done: Vec::new(), last: Vec::new() }
    }

    /// Appends text.
    pub fn text(&mut self, text: &str) {
        self.last.extend_from_slice(text.as_bytes());
    }

    /// Appends a piece.
    pub fn piece(&mut self, piece: Piece) {
        match piece {
            Piece::Plain(bytes) if bytes.len() < LARGE => self.last.extend_from_slice(&bytes),
            piece => {
                self.flush();
                self.done.push(piece);
            }
        }
    }

    fn flush(&mut self) {
        if !self.last.is_empty() {
            self.done.push(Piece::Plain(std::mem::take(&mut self.last).into()));
        }
    }

    /// The answer, which is JSON. A long one is compressed if the client takes it so.
    pub async fn json(mut self, aside: &Aside) -> Result<Response> {
        self.flush();
        let is_long = self.done.iter().map(Piece::len).sum::<u64>() >= LARGE as u64;
        let plain = if self.takes_gzip && is_long { None } else { self.plain() };
        let is_packed = plain.is_none();
        let pieces = match plain {
            Some(pieces) => pieces,
            None if self.to_pack() > LARGE => aside.run(move || self.packed()).await??,
            None => self.packed()?,
        };
        let left = pieces.iter().map(|piece| piece.len() as u64).sum();
        let mut response = Response::new(Body::new(Sent { pieces, left }));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if is_packed {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok(response)
    }

    /// The pieces as they read, if all are given so.
    fn plain(&self) -> Option<VecDeque<Bytes>> {
        self.done.iter().map(|piece| piece.plain().cloned()).collect()
    }

    /// How many bytes are not compressed yet.
    fn to_pack(&self) -> usize {
        self.done.iter().filter_map(Piece::plain).map(Bytes::len).sum()
    }

    fn packed(self) -> Result<VecDeque<Bytes>> {
        let packed: Vec<_> = self.done.into_iter().map(Piece::packed).collect::<Result<_>>()?;
        Ok(gzip(packed).into())
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
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use http_body_util::BodyExt;

    use super::*;
    use crate::piece::Packed;

    fn takes(lists: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for list in lists {
            headers.append(header::ACCEPT_ENCODING, list.parse().unwrap());
        }
        takes_gzip(&headers)
    }

    #[test]
    fn gzip_is_taken_where_it_is_named_and_not_weighed_nothing() {
        let yes = [
            &["gzip"][..],
            &["gzip, deflate"],
            &["deflate, gzip;q=1.0, *;q=0.5"],
            &["br", "GZIP ; q=0.001"],
            &["x-gzip"],
        ];
        for lists in yes {
            assert!(takes(lists), "{lists:?}");
        }
        let no = [
            &[][..],
            &[""],
            &["identity"],
            &["gzip;q=0"],
            &["gzip; q=0.000, br"],
            &["gzip;q"],
            &["gzip;q=many"],
            &["gzip;q=inf"],
            &["*"],
            &["xgzip"],
        ];
        for lists in no {
            assert!(!takes(lists), "{lists:?}");
        }
    }

    /// The body of an answer, which has the length that it said, and how it is coded.
    async fn sent(chunks: Chunks) -> (Vec<u8>, Option<HeaderValue>) {
        let response = chunks.json(&Aside::default()).await.unwrap();
        let coding = response.headers().get(header::CONTENT_ENCODING).cloned();
        assert_eq!(response.headers()[header::VARY], "accept-encoding");
        let body = response.into_body();
        let length = body.size_hint().exact();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        assert_eq!(length, Some(body.len() as u64));
        (body, coding)
    }

    fn unpacked(body: &[u8]) -> Vec<u8> {
        let mut read = Vec::new();
        GzDecoder::new(body).read_to_end(&mut read).unwrap();
        read
    }

    fn answer(takes_gzip: bool, large: &[u8], is_packed: bool) -> Chunks {
        let mut chunks = Chunks::new(TakesGzip(takes_gzip));
        chunks.text("[");
        chunks.piece(Piece::Plain(Bytes::from_static(b"1")));
        chunks.text(",");
        chunks.piece(if is_packed {
            Piece::Packed(Packed::of(large).unwrap())
        } else {
            Piece::Plain(large.to_vec().into())
        });
        chunks.text("]");
        chunks
    }

    #[tokio::test]
    async fn pieces_are_sent_in_their_order_and_their_length_is_known() {
        let large = vec![b'x'; LARGE];
        let expected = [b"[1,", &*large, b"]"].concat();
        assert_eq!(sent(answer(false, &large, false)).await, (expected.clone(), None));
        for is_packed in [false, true] {
            let (body, coding) = sent(answer(true, &large, is_packed)).await;
            assert_eq!(coding.unwrap(), "gzip");
            assert!(body.len() < 1000, "{} bytes", body.len());
            assert_eq!(unpacked(&body), expected, "{is_packed}");
        }
        let short = answer(true, b"2", false);
        assert_eq!(sent(short).await, (b"[1,2]".to_vec(), None), "it is not worth it");
    }
}
