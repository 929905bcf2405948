//! A committee member that speaks libp2p by hand, to do what our own network never would.

use super::{Committee, DEADLINE};
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::{
    Multiaddr, PeerId, Stream, StreamProtocol, SwarmBuilder,
    core::upgrade::Version,
    identity::Keypair,
    multiaddr::Protocol,
    noise, ping,
    swarm::{NetworkBehaviour, SwarmEvent, dial_opts::DialOpts},
    tcp, yamux,
};
use libp2p_stream::Control;
use quorate_network::Class;
use quorate_types::encode;
use std::{net::SocketAddr, time::Duration};
use tokio::{sync::mpsc, time::timeout};

#[derive(NetworkBehaviour)]
struct Behaviour {
    ping: ping::Behaviour,
    streams: libp2p_stream::Behaviour,
}

/// Connected to one honest replica as long as it lives.
pub(crate) struct Rogue {
    control: Control,
    victim: PeerId,
    hello: Vec<u8>,
    /// How a connection ended: `connected`, or why not.
    pub(crate) events: mpsc::UnboundedReceiver<String>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Rogue {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Rogue {
    /// Dials `victim` with the key and hello of `replica`. Nobody can dial it, so this is its one connection.
    pub(crate) async fn start(committee: &Committee, replica: usize, victim: usize) -> Self {
        let keypair = |of: usize| Keypair::ed25519_from_bytes(&mut committee.secrets[of].seed()[..]).unwrap();
        let victim_id = keypair(victim).public().to_peer_id();
        let mut swarm = SwarmBuilder::with_existing_identity(keypair(replica))
            .with_tokio()
            .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
            .unwrap()
            .with_behaviour(|_| Behaviour {
                ping: ping::Behaviour::default(),
                streams: libp2p_stream::Behaviour::new(),
            })
            .unwrap()
            .with_swarm_config(|config| {
                config
                    .with_idle_connection_timeout(Duration::from_secs(3600))
                    .with_substream_upgrade_protocol_override(Version::V1Lazy)
            })
            .build();
        let address = |of: usize| multiaddr(committee.peers[of].address.parse().unwrap());
        swarm.dial(DialOpts::peer_id(victim_id).addresses(vec![address(victim)]).build()).unwrap();
        let control = swarm.behaviour().streams.new_control();
        let (sender, events) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            loop {
                let event = match swarm.select_next_some().await {
                    SwarmEvent::ConnectionEstablished { .. } => "connected".to_owned(),
                    SwarmEvent::ConnectionClosed { cause, .. } => format!("closed: {cause:?}"),
                    SwarmEvent::OutgoingConnectionError { error, .. } => format!("refused: {error}"),
                    _ => continue,
                };
                let _ = sender.send(event);
            }
        });
        let hello = encode(&committee.hello(replica));
        Self { control, victim: victim_id, hello, events, task }
    }

    pub(crate) async fn event(&mut self) -> String {
        timeout(DEADLINE, self.events.recv()).await.expect("an event in time").expect("the rogue runs")
    }

    /// Opens a stream of `class` and gets past the hello.
    pub(crate) async fn open(&mut self, class: Class) -> Stream {
        let protocol = StreamProtocol::try_from_owned(format!("/quorate/{}/1", class.name())).unwrap();
        timeout(DEADLINE, async {
            loop {
                let Ok(mut stream) = self.control.open_stream(self.victim, protocol.clone()).await else {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                };
                // The victim may have dropped the stream in a crowd: then it breaks here, and we open another.
                if send(&mut stream, &self.hello).await.is_ok() && receive(&mut stream).await.is_ok() {
                    return stream;
                }
            }
        })
        .await
        .expect("a stream opens in time")
    }

    /// Whether the victim knows no such protocol: then the stream ends before it has answered the hello.
    pub(crate) async fn is_refused(&mut self, protocol: &'static str) -> bool {
        assert_eq!(self.event().await, "connected");
        let opened = self.control.open_stream(self.victim, StreamProtocol::new(protocol)).await;
        let Ok(mut stream) = opened else { return true };
        let answer = async { send(&mut stream, &self.hello).await.and(receive(&mut stream).await) };
        timeout(DEADLINE, answer).await.expect("an end in time").is_err()
    }

    /// Accepts the streams that the victim opens, answers the hello, and gives them out unread.
    pub(crate) fn accept(&mut self, class: Class) -> mpsc::UnboundedReceiver<Stream> {
        let protocol = StreamProtocol::try_from_owned(format!("/quorate/{}/1", class.name())).unwrap();
        let mut incoming = self.control.accept(protocol).unwrap();
        let (sender, streams) = mpsc::unbounded_channel();
        let hello = self.hello.clone();
        tokio::spawn(async move {
            while let Some((_, mut stream)) = incoming.next().await {
                if receive(&mut stream).await.is_ok() && send(&mut stream, &hello).await.is_ok() {
                    let _ = sender.send(stream);
                }
            }
        });
        streams
    }
}

/// Writes a length-prefixed message.
pub(crate) async fn send(stream: &mut Stream, body: &[u8]) -> std::io::Result<()> {
    stream.write_all(&u32::try_from(body.len()).unwrap().to_be_bytes()).await?;
    stream.write_all(body).await?;
    stream.flush().await
}

/// Reads a length-prefixed message.
pub(crate) async fn receive(stream: &mut Stream) -> std::io::Result<Vec<u8>> {
    let mut header = [0; 4];
    stream.read_exact(&mut header).await?;
    let mut body = vec![0; u32::from_be_bytes(header) as usize];
    stream.read_exact(&mut body).await?;
    Ok(body)
}

fn multiaddr(address: SocketAddr) -> Multiaddr {
    Multiaddr::from(address.ip()).with(Protocol::Tcp(address.port()))
}
