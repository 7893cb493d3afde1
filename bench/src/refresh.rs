//! The load of somebody who looks at everything there is, as Terraform does before it plans: for each project the project itself,
//! its page of members and each of the members.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::Result;
use fastrand::Rng;
use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::load::{Client, connect, together};
use crate::processes::Server;
use crate::tally::{Meter, Tally, histogram};
use crate::traffic::{Traffic, member, page, project_path};

/// The sizes of the three kinds of answers.
#[derive(Clone, Copy)]
struct Sizes {
    project: usize,
    page: usize,
    member: usize,
}

/// Looks at everything once, on so many connections.
pub async fn round(server: &Server, traffic: &Arc<Traffic>, connections: u64) -> Result<Tally> {
    let sizes = sizes(traffic).await?;
    let clients = connect(traffic, connections).await?;
    let (next, mut asking) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
    let (meter, begun) = (Meter::start(server)?, Instant::now());
    for (seed, client) in clients {
        let (traffic, next) = (Arc::clone(traffic), Arc::clone(&next));
        asking.spawn(ask(client, traffic, Rng::with_seed(seed), sizes, next));
    }
    let times = together(asking).await?;
    let seconds = begun.elapsed().as_secs_f64();
    Ok(Tally::timed(times, seconds, Some(meter.stop()?)))
}

async fn sizes(traffic: &Traffic) -> Result<Sizes> {
    let (mut client, mut random) = (Client::connect(traffic).await?, Rng::with_seed(0));
    let mut sizes = [0; 3];
    let members = traffic.filled.shape.members;
    for (path, size) in [project_path(0), page(0, members), member(0, 0)].iter().zip(&mut sizes) {
        *size = client.capture(traffic.get(&mut random, path)?).await?.body().len();
    }
    let [project, page, member] = sizes;
    Ok(Sizes { project, page, member })
}

/// One connection: takes the next project until there is none.
async fn ask(
    mut client: Client,
    traffic: Arc<Traffic>,
    mut random: Rng,
    sizes: Sizes,
    next: Arc<AtomicUsize>,
) -> Result<Histogram<u64>> {
    let (mut times, shape) = (histogram()?, traffic.filled.shape);
    loop {
        let project = next.fetch_add(1, Ordering::Relaxed);
        if project >= shape.projects {
            return Ok(times);
        }
        let members = project * shape.members..(project + 1) * shape.members;
        let paths =
            [(project_path(project), sizes.project), (page(project, shape.members), sizes.page)];
        let members = members.map(|user| (member(project, user), sizes.member));
        for (path, bytes) in paths.into_iter().chain(members) {
            let request = traffic.get(&mut random, &path)?;
            let asked = Instant::now();
            client.exchange(request, bytes).await?;
            times.saturating_record(u64::try_from(asked.elapsed().as_nanos())?);
        }
    }
}
