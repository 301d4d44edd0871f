//! Somebody who looks whether the store gets on.
//!
//! It is a plain thread that waits for nothing but the time, and acts before it says anything: the log may lie on the disk that
//! hangs, and whoever writes to it then never comes back.

use std::net::Shutdown;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use causeway_store::StoreGate;
use socket2::{SockRef, Socket};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tracing::{error, warn};

use crate::bounds::Bounds;
use crate::limits::{BACKSTOP_PATIENCE, STORE_LOOK, STORE_LOOK_LEAST, STORE_TOLD};

/// Looks at the store until it is dropped. As a future it is over when the store has stood still for longer than the relay
/// waits, and tells for how long.
pub(crate) struct Lookout {
    /// Nothing once it was told, or when nobody looks any more.
    ends: Option<oneshot::Receiver<Duration>>,
    port: Port,
    _until: Sender<()>,
}

/// The socket at which the relay listens, until the lookout is dropped. While a thread waits for its disk the system closes
/// nothing of a process that ends, so it is shut where nothing is waited for.
#[derive(Clone)]
struct Port(Arc<Mutex<Option<Socket>>>);

impl Port {
    /// That of the listener; where the system gives no second handle of it, none.
    fn of(listener: &TcpListener) -> Self {
        Self(Arc::new(Mutex::new(SockRef::from(listener).try_clone().ok())))
    }

    /// Nobody is let in any more, and whoever comes is refused by the system.
    fn shut(&self) {
        if let Some(socket) = self.socket().take() {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    fn socket(&self) -> MutexGuard<'_, Option<Socket>> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lookout {
    fn drop(&mut self) {
        // Whoever waited for the end of the relay may listen there at once.
        self.port.socket().take();
    }
}

impl Lookout {
    /// Once its patience is over it says so, shuts the listener's port, and calls the `backstop` a few seconds later.
    ///
    /// # Panics
    /// When the operating system starts no thread.
    pub(crate) fn begin(
        store: StoreGate,
        listener: &TcpListener,
        bounds: Bounds,
        backstop: Option<fn()>,
    ) -> Self {
        let ((end, ends), (until, dropped)) = (oneshot::channel(), channel());
        let port = Port::of(listener);
        let theirs = port.clone();
        let looks = move || {
            let Some(span) = look_on(&store, bounds, &dropped) else { return };
            // Whoever waited for it may have ended meanwhile.
            let _ = end.send(span);
            theirs.shut();
            if let Some(backstop) = backstop {
                thread::sleep(BACKSTOP_PATIENCE);
                backstop();
            }
        };
        thread::Builder::new().name("store-lookout".into()).spawn(looks).expect("the system starts a thread");
        Self { ends: Some(ends), port, _until: until }
    }
}

impl Future for Lookout {
    type Output = Duration;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Duration> {
        let Some(ends) = &mut self.ends else { return Poll::Pending };
        let told = Pin::new(ends).poll(context);
        if told.is_ready() {
            self.ends = None;
        }
        match told {
            Poll::Ready(Ok(span)) => Poll::Ready(span),
            // Nobody looks any more.
            Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
        }
    }
}

/// Looks until the store has stood still for too long; nothing where nobody wants to know any more.
fn look_on(store: &StoreGate, bounds: Bounds, dropped: &Receiver<()>) -> Option<Duration> {
    let every = STORE_LOOK.min(bounds.store_notice / 2).max(STORE_LOOK_LEAST);
    let mut teller = Teller::default();
    loop {
        let began = Instant::now();
        if dropped.recv_timeout(every) != Err(RecvTimeoutError::Timeout) {
            return None;
        }
        let span = store.look(passed(began.elapsed(), every));
        if bounds.store_patience.is_some_and(|patience| span >= patience) {
            return Some(span);
        }
        teller.tell(span, bounds.store_notice);
    }
}

/// What counts of the time between two looks: a process that was stopped meanwhile has not waited for its disk.
fn passed(elapsed: Duration, every: Duration) -> Duration {
    elapsed.min(2 * every)
}

/// Says in the log that the store stands still, and that it does no more.
#[derive(Default)]
struct Teller {
    /// What was said last.
    stands_still: bool,
    /// When it was last said that it does.
    told: Option<Instant>,
    /// Whoever says it.
    telling: Option<JoinHandle<()>>,
}

impl Teller {
    fn tell(&mut self, span: Duration, notice: Duration) {
        let stands_still = span >= notice;
        let is_told = stands_still == self.stands_still;
        let is_telling = self.telling.as_ref().is_some_and(|telling| !telling.is_finished());
        let is_early = stands_still && self.told.is_some_and(|told| told.elapsed() < STORE_TOLD);
        if is_told || is_telling || is_early {
            return;
        }
        let say = move || {
            if stands_still {
                error!(
                    seconds = span.as_secs(),
                    "the store stands still and saves nothing: look whether its disk answers; if it does, the database waits for itself \
                     and only a restart helps"
                );
            } else {
                warn!("the store has got on after it stood still; look at its disk");
            }
        };
        // Where the system gives no thread somebody tries again.
        let Ok(telling) = thread::Builder::new().name("store-teller".into()).spawn(say) else { return };
        self.telling = Some(telling);
        self.stands_still = stands_still;
        if stands_still {
            self.told = Some(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rl16_a_process_that_was_stopped_has_not_waited_for_its_disk() {
        let every = Duration::from_secs(1);
        assert_eq!(passed(Duration::from_millis(1_100), every), Duration::from_millis(1_100));
        assert_eq!(passed(Duration::from_secs(3_600), every), Duration::from_secs(2));
    }

    #[test]
    fn rl16_it_is_said_once_and_seldom() {
        let mut teller = Teller::default();
        let said = |teller: &mut Teller| teller.telling.take().map(JoinHandle::join).is_some();
        let (still, notice) = (Duration::from_secs(11), Duration::from_secs(10));
        let tells =
            [(Duration::ZERO, false), (still, true), (still, false), (Duration::ZERO, true), (still, false)];
        for (span, is_said) in tells {
            teller.tell(span, notice);
            assert_eq!(said(&mut teller), is_said);
        }
        teller.told = Instant::now().checked_sub(STORE_TOLD);
        teller.tell(still, notice);
        assert!(said(&mut teller));
    }
}
