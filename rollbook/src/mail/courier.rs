//! The task of a server that brings fired alerts to people. At least once: an alert counts as delivered when the mail server has taken its
//! messages and that is written down, so a process that ends in between sends again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use admin::domain::clock::Clock;
use admin::usage::alerts;
use anyhow::Result;
use lettre::AsyncTransport;
use lettre::message::Mailbox;
use lettre::transport::smtp;
use sql::Store;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::message::{Alert, undelivered};
use super::server::Transport;

/// How often is looked for alerts.
const EVERY: Duration = Duration::from_secs(2);
/// The first pause after a failure, which doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause after a failure: a server that is back is found again in this time.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// How long one message may take in all.
const MESSAGE: Duration = Duration::from_mins(1);
/// How long a message may go on when the process ends.
const LAST: Duration = Duration::from_secs(2);
/// How often a recipient is tried whom the mail server refuses.
const TRIES: u32 = 3;

/// What sends messages, and from whom they are.
pub struct Post {
    /// What sends.
    pub transport: Transport,
    /// The sender.
    pub from: Mailbox,
}

/// Brings alerts to people until it is stopped. Without a mail server they go into the log.
pub async fn deliver(
    store: Store,
    post: Option<Post>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    let late = async {
        stop.cancelled().await;
        let never = std::future::pending::<()>();
        let _ = timeout(LAST, never).await;
    };
    let mut courier = Courier {
        store,
        post,
        clock,
        stop: stop.clone(),
        under_way: HashMap::new(),
        pause: FIRST_PAUSE,
    };
    tokio::select! {
        () = courier.run() => {}
        () = late => tracing::warn!("an alert was on its way when the server stopped; the next start sends it"),
    }
}

/// An organization, an alert, its month and its threshold.
type Key = (String, String, i64, i64);

struct Courier {
    store: Store,
    post: Option<Post>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    /// What is known of alerts that are not delivered yet.
    under_way: HashMap<Key, Progress>,
    /// How long to wait after the next failure.
    pause: Duration,
}

/// How far an alert is.
#[derive(Default)]
struct Progress {
    told: BTreeSet<String>,
    /// How often each recipient was refused, and when they are tried again.
    refused: BTreeMap<String, (u32, Option<Instant>)>,
    is_given_up: bool,
}

/// Why a message did not arrive.
enum Trouble {
    /// This recipient, or this message, is not wanted.
    Refused(String),
    /// Nothing can be sent now.
    Server(String),
}

impl Courier {
    async fn run(&mut self) {
        let mut pause = EVERY;
        while timeout(pause, self.stop.cancelled()).await.is_err() {
            pause = match self.pass().await {
                Ok(()) => {
                    self.pause = FIRST_PAUSE;
                    EVERY
                }
                Err(error) => self.after(&format!("{error:#}")),
            };
        }
    }

    /// Tells of a failure, and how long to wait before the next try.
    fn after(&mut self, error: &str) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        tracing::warn!(
            "alerts wait to be delivered, the next try is in {} s: {error}",
            pause.as_secs()
        );
        pause
    }

    async fn pass(&mut self) -> Result<()> {
        let alerts = undelivered(&self.store).await?;
        let waiting: BTreeSet<_> = alerts.iter().map(key).collect();
        self.under_way.retain(|key, _| waiting.contains(key));
        for alert in &alerts {
            if self.stop.is_cancelled() {
                break;
            }
            self.bring(alert).await?;
        }
        Ok(())
    }

    async fn bring(&mut self, alert: &Alert) -> Result<()> {
        let mut progress = self.under_way.remove(&key(alert)).unwrap_or_default();
        let brought = match &self.post {
            None => {
                let Alert { organization, fired, .. } = alert;
                tracing::warn!(
                    organization,
                    alert = fired.alert_id,
                    "{}; nobody is told, because smtp-url names no mail server",
                    alert.headline()
                );
                Ok(true)
            }
            Some(post) => progress.bring(alert, post, self.clock.now()).await,
        };
        let is_done = match brought {
            Ok(is_done) => is_done,
            Err(error) => {
                self.under_way.insert(key(alert), progress);
                return Err(error);
            }
        };
        if !is_done {
            self.under_way.insert(key(alert), progress);
            return Ok(());
        }
        let (fired, now) = (alert.fired.clone(), self.clock.now());
        let marked = self.store.write(move |tx| alerts::delivered(tx, &fired, now)).await;
        if let Err(error) = marked {
            // Whoever was told is not told again by this process.
            self.under_way.insert(key(alert), progress);
            return Err(error.into());
        }
        if self.post.is_some() {
            let Alert { organization, fired, .. } = alert;
            let (told, all) = (progress.told.len(), fired.recipients.len());
            tracing::info!(
                organization,
                alert = fired.alert_id,
                "told {told} of {all} recipients of an alert"
            );
        }
        Ok(())
    }
}

impl Progress {
    /// Sends what is to be sent now. Whether nothing remains to be done.
    async fn bring(&mut self, alert: &Alert, post: &Post, now: i64) -> Result<bool> {
        if self.is_given_up {
            return Ok(false);
        }
        for recipient in &alert.fired.recipients {
            let (tries, again) = self.refused.get(recipient).copied().unwrap_or_default();
            let is_due = tries < TRIES && again.is_none_or(|again| again <= Instant::now());
            if !is_due || self.told.contains(recipient) {
                continue;
            }
            match send(alert, post, recipient, now).await {
                Ok(()) => {
                    self.told.insert(recipient.clone());
                }
                Err(Trouble::Refused(why)) => {
                    let alert = &alert.fired.alert_id;
                    tracing::warn!(alert, "the mail server refuses {recipient}: {why}");
                    let again = Instant::now() + FIRST_PAUSE * 4_u32.pow(tries + 1);
                    self.refused.insert(recipient.clone(), (tries + 1, Some(again)));
                }
                Err(Trouble::Server(why)) => anyhow::bail!(why),
            }
        }
        Ok(self.is_over(alert))
    }

    fn is_over(&mut self, alert: &Alert) -> bool {
        let tries = |recipient| self.refused.get(recipient).map_or(0, |(tries, _)| *tries);
        let recipients = &alert.fired.recipients;
        let is_over = recipients.iter().all(|one| self.told.contains(one) || tries(one) >= TRIES);
        let count = recipients.len();
        let Alert { organization, fired, .. } = alert;
        if is_over && self.told.is_empty() {
            self.is_given_up = true;
            tracing::error!(
                organization,
                alert = fired.alert_id,
                "{}; none of {count} recipients could be told, the next start tries again",
                alert.headline()
            );
            return false;
        }
        is_over
    }
}

async fn send(alert: &Alert, post: &Post, to: &str, now: i64) -> Result<(), Trouble> {
    let message = alert.message(&post.from, to, now);
    let message = message.map_err(|error| Trouble::Refused(format!("{error:#}")))?;
    match timeout(MESSAGE, post.transport.send(message)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) if is_about_recipient(&error) => Err(Trouble::Refused(told(&error))),
        Ok(Err(error)) => Err(Trouble::Server(told(&error))),
        Err(_) => Err(Trouble::Server("the mail server is too slow".to_owned())),
    }
}

/// Whether the next message may fare better: who may not log in, for one, is refused for good as well.
fn is_about_recipient(error: &smtp::Error) -> bool {
    let code = error.status().map(u16::from);
    error.is_permanent() && code.is_some_and(|code| (550..=554).contains(&code))
}

/// An error with all that is behind it.
fn told(error: &smtp::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(behind) = source {
        if !text.contains(&behind.to_string()) {
            text = format!("{text}: {behind}");
        }
        source = behind.source();
    }
    text
}

fn key(alert: &Alert) -> Key {
    let fired = &alert.fired;
    (fired.organization_id.clone(), fired.alert_id.clone(), fired.month, fired.threshold_amount)
}
