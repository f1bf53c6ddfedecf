//! A running sandbox.

use super::faults::Fault;
use super::serve::Server;
use super::service::{self, Service, Shared, lock};
use std::io;
use std::sync::{Arc, MutexGuard};

/// A running destination, with methods to prepare it, to inspect it and to inject faults.
///
/// It stops when it is dropped; [`Sandbox::stop`] also waits until its port is free.
#[derive(Debug)]
pub struct Sandbox<S: Service> {
    server: Server,
    shared: Arc<Shared<S>>,
}

impl<S: Service> Sandbox<S> {
    /// Listens on 127.0.0.1 and serves in a task of the current tokio runtime.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start(options: S::Options) -> io::Result<Self> {
        let port = S::port(&options);
        let shared = Arc::new(Shared::new(options));
        let server = Server::start(port, service::router(Arc::clone(&shared))).await?;
        Ok(Self { server, shared })
    }

    /// Returns the base URL, such as `http://127.0.0.1:4321`, without a trailing slash.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Stops listening and cuts all connections.
    pub async fn stop(self) {
        self.server.stop().await;
    }

    /// Adds a fault behind the pending ones.
    pub fn add_fault(&self, fault: Fault<S::Endpoint>) {
        lock(&self.shared.faults).add(fault);
    }

    /// Removes all pending faults.
    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
        self.shared.world().clear_faults();
    }

    /// Returns the pending faults, each with the number of calls that it will still hit.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault<S::Endpoint>> {
        lock(&self.shared.faults).remaining()
    }

    pub(crate) fn shared(&self) -> &Shared<S> {
        &self.shared
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, S> {
        self.shared.world()
    }
}
