//! The links of one room: what it says goes into their outboxes first, and then to their sockets.

use std::cmp::Reverse;
use std::sync::Arc;

use bytes::Bytes;
use causeway_core::home::Lane;
use causeway_core::ids::ConnId;
use causeway_core::wire::ErrorCode;
use tracing::debug;

use crate::link::{Framed, Offered, Outbox, Pushed};

/// The links of one room.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// Ascending.
    outboxes: Vec<(ConnId, Arc<Outbox>)>,
    /// Those with frames that no socket was offered yet.
    touched: Vec<Arc<Outbox>>,
    /// A frame for many with which nothing else goes along so far.
    for_many: Option<ForMany>,
    /// Handed over since that was last asked.
    lane_bytes: [u64; Lane::ALL.len()],
    /// Links that let too much pile up, since that was last asked.
    cut: u64,
}

#[derive(Debug)]
struct ForMany {
    to: Vec<ConnId>,
    lane: Lane,
    frame: Bytes,
}

impl Links {
    pub(super) fn count(&self) -> usize {
        self.outboxes.len()
    }

    pub(super) fn insert(&mut self, conn: ConnId, outbox: Arc<Outbox>) {
        let at = self.outboxes.partition_point(|(other, _)| *other < conn);
        self.outboxes.insert(at, (conn, outbox));
    }

    pub(super) fn remove(&mut self, conn: ConnId) {
        if let Ok(at) = self.place(conn) {
            self.outboxes.remove(at);
        }
    }

    pub(super) fn get(&self, conn: ConnId) -> Option<&Arc<Outbox>> {
        Some(&self.outboxes[self.place(conn).ok()?].1)
    }

    /// Takes a frame for links, which ascend. One that goes to many and with nothing else is held until it is written:
    /// sockets for which nothing waits then take it without a queue.
    pub(super) fn send(&mut self, to: Vec<ConnId>, lane: Lane, frame: Bytes) {
        debug_assert!(to.is_sorted(), "whoever is out of order would be passed over");
        self.lane_bytes[lane as usize] += (to.len() * frame.len()) as u64;
        let (many, this) = (to.len() > 1, ForMany { to, lane, frame });
        if let Some(held) = self.for_many.take_if(|held| many || held.lane == lane) {
            self.queue(&held);
            self.queue(&this);
        } else if many {
            self.for_many = Some(this);
        } else {
            self.queue(&this);
        }
    }

    /// Ends a link with this code, after what it was sent.
    pub(super) fn close(&mut self, conn: ConnId, code: ErrorCode) {
        if let Some(held) = self.for_many.take() {
            self.queue(&held);
        }
        if let Some(outbox) = self.get(conn) {
            debug!(conn = conn.0, code = code as u16, "closing a link");
            outbox.close(code);
        }
    }

    /// What was taken is answered; nothing more will be.
    pub(super) fn close_all(&self) {
        self.outboxes.iter().for_each(|(_, outbox)| outbox.close(ErrorCode::GoingAway));
    }

    /// Tells everybody what went wrong here, and ends their links.
    pub(super) fn fail_all(&self, code: ErrorCode, sentence: &str) {
        self.outboxes.iter().for_each(|(_, outbox)| outbox.fail(code, sentence));
    }

    /// Whether something was handed over that no socket was offered yet.
    pub(super) fn have_news(&self) -> bool {
        self.for_many.is_some() || !self.touched.is_empty()
    }

    /// Offers it to the sockets. Tells lanes that have been written out, each once and of a link the bulk lane first: what
    /// the room then puts into that must not be taken for written when it hears of the others.
    pub(super) fn write(&mut self) -> Vec<(ConnId, Lane)> {
        let mut drained = Vec::new();
        if let Some(ForMany { to, lane, frame }) = self.for_many.take() {
            let framed = Framed::new(&frame);
            drained.reserve(to.len());
            for outbox in among(&self.outboxes, &to) {
                match outbox.offer(lane, &framed) {
                    Offered::Written => drained.push((outbox.conn(), lane)),
                    Offered::Queued(pushed) => note(pushed, outbox, &mut self.touched, &mut self.cut),
                }
            }
        }
        for outbox in self.touched.drain(..) {
            drained.extend(outbox.flush_from_room().map(|lane| (outbox.conn(), lane)));
        }
        // A link's own task may have written what was queued for it, and its frame for many then went past the queue.
        drained.sort_unstable_by_key(|(conn, lane)| (*conn, Reverse(*lane)));
        drained.dedup();
        drained
    }

    /// Bytes handed over since that was last asked, by lane.
    pub(super) fn take_bytes(&mut self) -> [u64; Lane::ALL.len()] {
        std::mem::take(&mut self.lane_bytes)
    }

    /// Links that were cut since that was last asked, as they let too much pile up.
    pub(super) fn take_cut(&mut self) -> u64 {
        std::mem::take(&mut self.cut)
    }

    fn place(&self, conn: ConnId) -> Result<usize, usize> {
        self.outboxes.binary_search_by_key(&conn, |(other, _)| *other)
    }

    fn queue(&mut self, ForMany { to, lane, frame }: &ForMany) {
        for outbox in among(&self.outboxes, to) {
            note(outbox.push(*lane, frame.clone()), outbox, &mut self.touched, &mut self.cut);
        }
    }
}

fn note(pushed: Pushed, outbox: &Arc<Outbox>, touched: &mut Vec<Arc<Outbox>>, cut: &mut u64) {
    match pushed {
        Pushed::Flush => touched.push(Arc::clone(outbox)),
        Pushed::Waits => {}
        Pushed::Cut => {
            *cut += 1;
            debug!(conn = outbox.conn().0, "a link let too much pile up and was cut");
        }
    }
}

/// The outboxes of these links, as far as they are here. Both ascend.
fn among<'a>(
    outboxes: &'a [(ConnId, Arc<Outbox>)],
    to: &'a [ConnId],
) -> impl Iterator<Item = &'a Arc<Outbox>> + use<'a> {
    let mut rest = outboxes;
    to.iter().filter_map(move |conn| {
        if rest.first().is_some_and(|(first, _)| first < conn) {
            rest = &rest[rest.partition_point(|(other, _)| other < conn)..];
        }
        let ((found, outbox), behind) = rest.split_first()?;
        (found == conn).then(|| {
            rest = behind;
            outbox
        })
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::timeout;

    use super::*;

    /// So many links, from 1 on, and their other ends.
    async fn links(count: u64) -> (Links, Vec<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (mut links, mut clients) = (Links::default(), Vec::new());
        for conn in 1..=count {
            clients.push(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
            let (socket, _) = listener.accept().await.unwrap();
            links.insert(ConnId(conn), Arc::new(Outbox::new(ConnId(conn), socket, Arc::default())));
        }
        (links, clients)
    }

    fn conns<const N: usize>(numbers: [u64; N]) -> Vec<ConnId> {
        numbers.map(ConnId).to_vec()
    }

    async fn read(client: &mut TcpStream, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        timeout(Duration::from_secs(20), client.read_exact(&mut bytes)).await.unwrap().unwrap();
        bytes
    }

    #[tokio::test]
    async fn rl8_a_frame_for_many_reaches_all_of_them_who_are_here() {
        let (mut links, mut clients) = links(4).await;
        links.remove(ConnId(2));
        links.send(conns([1, 2, 4, 7]), Lane::Entries, Bytes::from_static(b"entry"));
        links.send(conns([3]), Lane::Control, Bytes::from_static(b"saved"));
        links.send(conns([4]), Lane::Control, Bytes::from_static(b"saved"));
        assert!(links.have_news());
        assert_eq!(links.get(ConnId(1)).unwrap().queued(), 0, "it goes past the queue");
        let entries = [1, 4].map(|conn| (ConnId(conn), Lane::Entries));
        let control = [3, 4].map(|conn| (ConnId(conn), Lane::Control));
        assert_eq!(links.write(), [entries[0], control[0], entries[1], control[1]]);
        assert!(!links.have_news());
        assert_eq!(links.take_bytes(), [10, 20, 0, 0], "whoever is on the way out is counted");
        for (client, expected) in
            [(0, &b"\x82\x05entry"[..]), (2, &b"\x82\x05saved"[..]), (3, &b"\x82\x0asavedentry"[..])]
        {
            assert_eq!(read(&mut clients[client], expected.len()).await, expected, "in one message");
        }
    }

    #[tokio::test]
    async fn rl8_of_a_link_whose_own_task_was_faster_the_bulk_lane_is_told_first() {
        let (mut links, _clients) = links(2).await;
        links.send(conns([1]), Lane::Bulk, Bytes::from_static(b"page"));
        links.send(conns([1, 2]), Lane::Entries, Bytes::from_static(b"entry"));
        links.get(ConnId(1)).unwrap().flush_as_task();
        let told = [(1, Lane::Bulk), (1, Lane::Entries), (2, Lane::Entries)];
        assert_eq!(links.write(), told.map(|(conn, lane)| (ConnId(conn), lane)));
        links.get(ConnId(1)).unwrap().push(Lane::Bulk, Bytes::from_static(b"page"));
        links.get(ConnId(1)).unwrap().flush_as_task();
        links.send(conns([1, 2]), Lane::Bulk, Bytes::from_static(b"synced"));
        links.touched.push(Arc::clone(links.get(ConnId(1)).unwrap()));
        assert_eq!(links.write(), [1, 2].map(|conn| (ConnId(conn), Lane::Bulk)), "and each lane once");
    }

    #[tokio::test]
    async fn rl8_frames_of_one_lane_keep_their_order_and_go_together() {
        let (mut links, mut clients) = links(2).await;
        links.send(conns([1, 2]), Lane::Bulk, Bytes::from_static(b"a"));
        links.send(conns([2]), Lane::Bulk, Bytes::from_static(b"b"));
        links.send(conns([1, 2]), Lane::Bulk, Bytes::from_static(b"c"));
        assert_eq!(links.write(), [1, 2].map(|conn| (ConnId(conn), Lane::Bulk)));
        assert_eq!(read(&mut clients[0], 4).await, b"\x82\x02ac");
        assert_eq!(read(&mut clients[1], 5).await, b"\x82\x03abc");
    }

    #[tokio::test]
    async fn what_a_link_was_sent_before_it_is_closed_reaches_it() {
        let (mut links, mut clients) = links(2).await;
        links.send(conns([1, 2]), Lane::Entries, Bytes::from_static(b"a"));
        links.close(ConnId(1), ErrorCode::Full);
        links.write();
        assert_eq!(read(&mut clients[0], 11).await, b"\x82\x01a\x88\x06\x11\xa1full");
        assert_eq!(read(&mut clients[1], 3).await, b"\x82\x01a");
    }
}
