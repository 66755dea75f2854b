//! The least that a server can do: a program that writes the same bytes to all its sockets, one write for each.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

use super::wire::server_frame;

/// A running broadcaster; dropping it kills it.
#[derive(Debug)]
pub struct Bare {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Bare {
    /// Starts one whose frames have that many bytes. Blocks.
    pub fn start(program: &Path, frame_bytes: usize) -> Result<Self> {
        let mut child = Command::new(program)
            .args(["bench", "--broadcaster", &frame_bytes.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let output = child.stdout.take().context("the broadcaster has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().parse().context("the broadcaster does not say where it listens")?;
        Ok(Self { child, address })
    }

    /// Id of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs the broadcaster: `GET` becomes a socket, `POST` writes a frame to all of them and answers.
pub async fn serve(frame_bytes: usize) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let (sockets, mut new_sockets) = mpsc::unbounded_channel();
    let (sends, mut asked) = mpsc::unbounded_channel::<oneshot::Sender<()>>();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(greet(stream, sockets.clone(), sends.clone()));
        }
    });
    let mut content = br#"{"type":"message.new","text":""#.to_vec();
    content.resize(frame_bytes.saturating_sub(4).max(content.len()), b'x');
    let frame = server_frame(&content);
    let mut open: Vec<TcpStream> = Vec::new();
    while let Some(done) = asked.recv().await {
        while let Ok(socket) = new_sockets.try_recv() {
            open.push(socket);
        }
        for socket in &open {
            write(socket, &frame).await;
        }
        // Who asked may have gone.
        let _ = done.send(());
    }
    Ok(())
}

/// A socket that has gone is passed over.
async fn write(socket: &TcpStream, mut frame: &[u8]) {
    while !frame.is_empty() {
        match socket.try_write(frame) {
            Ok(written) => frame = &frame[written..],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                if socket.writable().await.is_err() {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}

async fn greet(
    mut stream: TcpStream,
    sockets: mpsc::UnboundedSender<TcpStream>,
    sends: mpsc::UnboundedSender<oneshot::Sender<()>>,
) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut head = Vec::with_capacity(1024);
    loop {
        head.clear();
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut head).await.ok()? == 0 {
                return None;
            }
        }
        if head.starts_with(b"GET") {
            let mut answer = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n".to_vec();
            answer.extend(server_frame(br#"{"type":"health.check","connection_id":"bare"}"#));
            stream.write_all(&answer).await.ok()?;
            return sockets.send(stream).ok();
        }
        let (done, is_done) = oneshot::channel();
        sends.send(done).ok()?;
        is_done.await.ok()?;
        stream.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n").await.ok()?;
    }
}
