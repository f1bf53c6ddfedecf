//! The end of a sandbox.

use crate::client::{Fixture, basic, row, send};
use sandbox::campaign_monitor::{Endpoint, Fault};
use sandbox::faults::FaultKind;
use tokio::io::AsyncReadExt;

#[tokio::test]
async fn a_stopped_sandbox_closes_every_connection() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.import(vec![row("p@example.com")], false).await.status, 201);
    let url = fixture.sandbox.base_url();
    let mut idle = tokio::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).await.unwrap();
    // A delayed answer does not keep the server alive.
    fixture.sandbox.add_fault(Fault::once(Endpoint::Any, FaultKind::DelayAfter(3_600_000)));
    let held = tokio::spawn({
        let (url, path, key) = (url.clone(), fixture.path("/clients.json"), basic(&fixture.account.api_key));
        async move { send(&url, "GET", &path, Some(&key), "").await }
    });
    while fixture.sandbox.report().faults == 0 {
        tokio::task::yield_now().await;
    }
    fixture.sandbox.stop().await;
    assert!(held.await.unwrap().is_err());
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap_or(0), 0, "the connection is closed");
    assert!(send(&url, "GET", "/_sandbox/report", None, "").await.is_err());
}
