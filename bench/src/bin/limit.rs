//! `rollbook-limit FILE ADDRESS`: a bare hyper server that answers everything with the answer in FILE.
//!
//! It is the limit: whatever a server on this stack does, it has at least this to do. It looks at nothing, logs nothing, has no
//! deadlines, and shares with the program only what is not its work: hyper, tokio and the allocator.

use std::convert::Infallible;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Response};
use hyper_util::rt::TokioIo;
use rollbook_bench::answer::Answer;
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<()> {
    let usage = "usage: rollbook-limit FILE ADDRESS";
    let mut arguments = std::env::args().skip(1);
    let (file, address) = arguments.next().zip(arguments.next()).context(usage)?;
    let answer = Answer::read(file.as_ref())?;
    let serving = serve(address.parse()?, answer.headers()?, answer.body());
    tokio::runtime::Runtime::new()?.block_on(serving)
}

async fn serve(address: SocketAddr, headers: HeaderMap, body: Bytes) -> Result<()> {
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (headers, body) = (headers.clone(), body.clone());
        let answer = service_fn(move |_| {
            let mut response = Response::new(Full::new(body.clone()));
            response.headers_mut().clone_from(&headers);
            async { Ok::<_, Infallible>(response) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}
