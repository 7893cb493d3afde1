//! One connection, from its first byte to its last: TLS, the protocol, the deadlines, and its orderly end.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use admin::Recall;
use admin::http::origin::Peer;
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use hyper::Request;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::activity::{Activity, UnderWay};
use crate::linger::{Lingering, Switch};
use crate::tls;

/// The largest header of a request, in bytes. Real ones stay below a tenth of it.
const HEADER_CAP: u32 = 64 * 1024;
/// Requests that one HTTP/2 connection may have under way.
const STREAMS: u32 = 100;
/// How long a client may take to agree to the end of a connection that was idle.
const FAREWELL: Duration = Duration::from_secs(1);

/// What answers requests.
#[derive(Clone)]
pub struct Service {
    /// Answers everything.
    pub router: Router,
    /// Answers before it what needs no router, if there is such.
    pub recall: Option<Recall>,
}

impl From<Router> for Service {
    fn from(router: Router) -> Self {
        Self { router, recall: None }
    }
}

/// What all connections of a listener have in common.
#[derive(Clone)]
pub struct Terms {
    /// What answers.
    pub service: Service,
    /// TLS, if it is spoken.
    pub tls: Option<TlsAcceptor>,
    /// How long the handshake and a request's header may take, and how long nothing may happen.
    pub header_deadline: Duration,
    /// Cancelled when the server stops.
    pub stop: CancellationToken,
}

impl Terms {
    /// Serves one connection until either side ends it. Whatever goes wrong on it is the client's business and not ours to log:
    /// anybody can cause it as often as they like.
    pub async fn serve(self, stream: TcpStream, peer: SocketAddr) {
        // Answers are small and complete; holding them back to fill a packet only adds delay.
        let _ = stream.set_nodelay(true);
        let Some(tls) = self.tls.clone() else {
            // Without TLS only HTTP/1.1: guessing the protocol from the first bytes would need a read without a deadline.
            return Conversation::new(&self, peer).http1(stream).await;
        };
        let handshake = timeout(self.header_deadline, tls.accept(stream));
        let stream = tokio::select! {
            () = self.stop.cancelled() => return,
            accepted = handshake => match accepted {
                Ok(Ok(stream)) => stream,
                _ => return,
            },
        };
        match stream.get_ref().1.alpn_protocol() {
            Some(tls::H2) => Conversation::new(&self, peer).http2(stream).await,
            _ => Conversation::new(&self, peer).http1(stream).await,
        }
    }
}

/// One connection whose protocol is settled.
struct Conversation {
    answering: Answering,
    deadline: Duration,
    stop: CancellationToken,
}

impl Conversation {
    fn new(terms: &Terms, peer: SocketAddr) -> Self {
        let answering = Answering {
            service: terms.service.clone(),
            peer,
            linger: Switch::default(),
            activity: Arc::new(Activity::new()),
        };
        Self { answering, deadline: terms.header_deadline, stop: terms.stop.clone() }
    }

    async fn http1<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: T) {
        let io = TokioIo::new(Lingering::new(stream, self.answering.linger.clone()));
        let answering = self.answering.clone();
        // No deadline of hyper's for the header: it sets a timer for each request, and the one below covers it.
        let connection = http1::Builder::new()
            .max_buf_size(HEADER_CAP as usize)
            .serve_connection(io, service_fn(move |request| answering.clone().answer(request)));
        self.accompany(connection).await;
    }

    async fn http2<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: T) {
        let io = TokioIo::new(stream);
        let answering = self.answering.clone();
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(self.deadline)
            .keep_alive_timeout(self.deadline)
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(HEADER_CAP)
            .serve_connection(io, service_fn(move |request| answering.clone().answer(request)));
        self.accompany(connection).await;
    }

    /// Runs the connection until it ends, is idle for too long, or the server stops.
    async fn accompany<C: GracefulConnection>(self, connection: C) {
        let mut connection = pin!(connection);
        let patience = tokio::select! {
            _ = connection.as_mut() => return,
            () = self.idled() => Some(FAREWELL),
            () = self.stop.cancelled() => None,
        };
        // There is nothing to finish on a connection that never carried a request; hyper would wait for the first one.
        if !self.answering.activity.has_begun() {
            return;
        }
        connection.as_mut().graceful_shutdown();
        match patience {
            Some(patience) => drop(timeout(patience, connection).await),
            // The listener bounds this wait for all connections together.
            None => drop(connection.await),
        }
    }

    /// Ends when no request was under way for the deadline: also if one does not get beyond its header, or if a client does not
    /// take its answers. It looks when the deadline would be over had nothing happened since, so requests set no timers.
    #[expect(clippy::disallowed_methods, reason = "nothing tells that nothing happens")]
    async fn idled(&self) {
        let mut left = self.deadline;
        while !left.is_zero() {
            sleep(left).await;
            left = self.answering.activity.left(self.deadline);
        }
    }
}

/// How the requests of one connection are answered. Copied for each of them.
#[derive(Clone)]
struct Answering {
    service: Service,
    peer: SocketAddr,
    linger: Switch,
    activity: Arc<Activity>,
}

impl Answering {
    async fn answer(self, request: Request<Incoming>) -> hyper::Result<Response> {
        let _under_way = UnderWay::begin(&self.activity);
        let has_body = !request.body().is_end_stream();
        let mut request = match self.recalled(request).await {
            Ok(response) => {
                self.linger.set(has_body && !response.status().is_success());
                return Ok(response);
            }
            Err(request) => request,
        };
        request.extensions_mut().insert(Peer(self.peer));
        let router = self.service.router;
        let response = router.oneshot(request).await.unwrap_or_else(|never| match never {});
        // A refusal may be on its way before the body was read.
        self.linger.set(has_body && !response.status().is_success());
        Ok(response)
    }
    /// The answer to what needs no router; anything else comes back.
    async fn recalled(&self, request: Request<Incoming>) -> Result<Response, Request<Body>> {
        let Some(recall) = &self.service.recall else { return Err(request.map(Body::new)) };
        if let Some(response) = recall.answer(&request) {
            return Ok(response);
        }
        if recall.is_check(&request) {
            return recall.check(request).await;
        }
        Err(request.map(Body::new))
    }
}
