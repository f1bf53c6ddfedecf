//! Listening on the loopback interface with connections that can be cut: each by its own handle, which is how
//! a fault loses an answer, and all of them when the server stops.

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A server that runs until it is stopped or dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
    // Every connection ends when this end of the channel goes away.
    closing: Option<watch::Sender<()>>,
}

impl Server {
    /// Binds 127.0.0.1 (port 0: any free port) and serves in a task of the current runtime.
    pub(crate) async fn start(port: u16, router: Router) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let (closing, closed) = watch::channel(());
        let service = router.into_make_service_with_connect_info::<Cutter>();
        let listener = CuttableListener { listener, closed };
        let task = tokio::spawn(async move {
            // The answer is no news: axum's accept loop only ends with its task.
            axum::serve(listener, service).await.ok();
        });
        Ok(Self { address, task, closing: Some(closing) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening and cuts every connection; returns when the port is free again.
    pub(crate) async fn stop(mut self) {
        drop(self.closing.take());
        self.task.abort();
        (&mut self.task).await.ok();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Cuts one connection.
#[derive(Clone, Debug)]
pub struct Cutter(Arc<AtomicBool>);

impl Cutter {
    /// From now on not a byte is written: the next attempt closes the connection.
    pub(crate) fn cut(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Cutter {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.io().cutter.clone()
    }
}

pub(crate) struct CuttableListener {
    listener: TcpListener,
    closed: watch::Receiver<()>,
}

impl Listener for CuttableListener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Without this the answers to small calls wait for acknowledgements; failing is harmless.
        stream.set_nodelay(true).ok();
        let mut closed = self.closed.clone();
        let connection = Connection {
            stream,
            cutter: Cutter(Arc::new(AtomicBool::new(false))),
            closed: Box::pin(async move {
                // Nothing is ever sent; the wait ends when the sender is dropped.
                closed.changed().await.ok();
            }),
        };
        (connection, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

pub(crate) struct Connection {
    stream: TcpStream,
    cutter: Cutter,
    closed: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // The future is kept for as long as the connection reads, so that a stop wakes idle connections too.
        if !self.cutter.0.load(Ordering::Acquire) && self.closed.as_mut().poll(context).is_ready() {
            self.cutter.cut();
        }
        if self.cutter.0.load(Ordering::Acquire) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.cutter.0.load(Ordering::Acquire) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
