//! The calls of a brand are paced, and a throttled brand gets no further calls.

use super::*;
use crate::Pacer;
use async_trait::async_trait;
use jiff::Timestamp;
use relay_model::ConnectionId;
use relay_model::pacing::NotYet;
use std::sync::atomic::{AtomicU32, Ordering};

/// Counts slots and refusals; grants at most `most` slots.
#[derive(Debug)]
struct Counting {
    connection: ConnectionId,
    turns: AtomicU32,
    slowed: AtomicU32,
    most: u32,
}

impl Counting {
    fn new(most: u32) -> Arc<Self> {
        let connection = ConnectionId::try_from("omnisend".to_owned()).unwrap();
        Arc::new(Self { connection, turns: AtomicU32::new(0), slowed: AtomicU32::new(0), most })
    }

    fn context(self: &Arc<Self>) -> CallContext {
        let pacer: Arc<Self> = Arc::clone(self);
        CallContext::paced(Instant::now() + Duration::from_mins(1), Some(pacer))
    }

    fn spent(&self) -> (u32, u32) {
        (self.turns.load(Ordering::Relaxed), self.slowed.load(Ordering::Relaxed))
    }
}

#[async_trait]
impl Pacer for Counting {
    async fn turn(&self, _: Duration) -> Result<(), NotYet> {
        if self.turns.load(Ordering::Relaxed) >= self.most {
            return Err(NotYet::Turn(Duration::from_secs(40)));
        }
        self.turns.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn slow_down(&self) {
        self.slowed.fetch_add(1, Ordering::Relaxed);
    }

    async fn pause(&self, _: &str) -> Timestamp {
        panic!("Omnisend has no quota of a day")
    }

    fn connection(&self) -> &ConnectionId {
        &self.connection
    }
}

#[tokio::test]
async fn a_brand_that_refuses_everything_for_a_minute_is_waited_for() {
    let fake = Fake::default();
    let server = fake.serve().await;
    let (connector, frame) = (v2026(&server), people(2));
    let full = ResponseTemplate::new(429).set_body_json(json!({"status": 429, "retryAfter": 60}));
    fake.fault("", vec![full; 3]);
    let pacer = Counting::new(u32::MAX);
    let context = pacer.context();
    for attempt in 1..=3 {
        let error = connector.push(&target(), Kind::Upsert, &frame, &context).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (ErrorKind::RateLimited, Retry::Wait(Duration::from_mins(1))));
        assert_eq!(pacer.spent(), (attempt, attempt), "one call each time, and everybody slows down");
    }
    assert_eq!(context.throttles(), 3);
    let (results, _) = carry_through(&connector, &frame).await;
    assert_eq!(told(&results), [APPLIED; 2]);
}

#[tokio::test]
async fn a_refusal_amid_looking_after_forgets_nothing() {
    let fake = Fake::default();
    let server = fake.serve().await;
    let (connector, frame) = (v2026(&server), people(150));
    let job = submit(&connector, &frame).await;
    let full = ResponseTemplate::new(429);
    fake.fault("POST /api/contacts/tags", [full]);
    let pacer = Counting::new(u32::MAX);
    let pushed = connector.poll(&target(), job, &frame, &pacer.context()).await;
    let (job, look_after) = accepted(pushed);
    assert_eq!(
        (look_after, pacer.spent()),
        (Duration::from_secs(15), (3, 1)),
        "two looks, one call about tags"
    );
    let context = context();
    assert_eq!(told(&done(connector.poll(&target(), job, &frame, &context).await)), vec![APPLIED; 150]);
    assert_eq!(context.calls(), 1, "the batches are not read again");
}

#[tokio::test]
async fn without_turns_the_rest_waits() {
    let fake = Fake::default();
    let server = fake.serve().await;
    let (connector, frame) = (v2026(&server), people(300));
    let pushed = connector.push(&target(), Kind::Upsert, &frame, &Counting::new(2).context()).await;
    let (job, look_after) = accepted(pushed);
    assert_eq!((look_after, job.submissions.len()), (Duration::from_secs(40), 2));
    let pushed = connector.push(&target(), Kind::Upsert, &frame, &Counting::new(0).context()).await;
    assert_eq!(pushed.unwrap_err().retry, Retry::Wait(Duration::from_secs(40)));
}

#[tokio::test]
async fn the_pace_is_the_documented_one_or_less() {
    let server = Fake::default().serve().await;
    let pace = |settings: &Value| {
        let pace = connector(&server, MemoryStore::new(SECRET), settings).pace().unwrap();
        (pace.calls, pace.window, pace.daily)
    };
    assert_eq!(pace(&json!({})), (400, Duration::from_mins(1), None));
    assert_eq!(
        pace(&json!({"rate": {"calls": 300, "window_ms": 60_000}})),
        (300, Duration::from_mins(1), None)
    );
    assert_eq!(connector(&server, MemoryStore::new(SECRET), &json!({"lanes": 8})).lanes(), 8);
}
