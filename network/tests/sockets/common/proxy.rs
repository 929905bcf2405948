//! A TCP relay that can fall silent without closing anything: what a cable pulled out looks like.

use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    generation: watch::Sender<u64>,
}

impl Proxy {
    /// Relays to `target`.
    pub(crate) async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind((target.ip(), 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let generation = watch::Sender::new(0);
        let watch = generation.clone();
        tokio::spawn(async move {
            while let Ok((inside, _)) = listener.accept().await {
                let Ok(outside) = TcpStream::connect(target).await else { continue };
                let ((a, b), (c, d)) = (inside.into_split(), outside.into_split());
                tokio::spawn(relay(a, d, watch.subscribe()));
                tokio::spawn(relay(c, b, watch.subscribe()));
            }
        });
        Self { address, generation }
    }

    /// From now on, nothing passes on the connections that exist, and none of them is closed.
    pub(crate) fn cut_the_cable(&self) {
        self.generation.send_modify(|generation| *generation += 1);
    }
}

async fn relay(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut cut: watch::Receiver<u64>) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        tokio::select! {
            read = from.read(&mut buffer) => match read {
                Ok(n) if n > 0 && to.write_all(&buffer[..n]).await.is_ok() => {}
                _ => return,
            },
            _ = cut.changed() => std::future::pending::<()>().await,
        }
    }
}
