//! A long channel on a device that has nothing of it, and on one that starts again.

use std::error::Error;
use std::time::Duration;

use causeway_core::chat::page::check_posts;
use causeway_core::limits::SNAPSHOT_ENTRIES;
use causeway_core::stored::{self, Prefix};
use causeway_core::time::Millis;

use crate::lone_room::Pair;
use crate::stopwatch::Stopwatch;
use crate::table::Table;

/// DESIGN §9.
const POSTS: usize = 100_000;
const BAR: Duration = Duration::from_millis(50);
/// Between two posts.
const BETWEEN: Millis = Millis(700);
const FLOOR_ROUNDS: u32 = 100;

pub(crate) fn run() -> Result<Table, Box<dyn Error>> {
    let mut author = Pair::talking();
    for number in 0..POSTS {
        author.skip(BETWEEN);
        author.say(words(number));
        if (number as u64).is_multiple_of(SNAPSHOT_ENTRIES) {
            author.compact();
        }
    }
    let opened = apart(author)?;
    let held = if opened.joined <= BAR && opened.restart <= BAR { "held" } else { "NOT held" };
    let millis = |span: Duration| format!("{:.1} ms", span.as_secs_f64() * 1e3);
    Ok(Table {
        title: "A channel of 100,000 posts, opened at its end",
        how: format!(
            "{POSTS} posts of some 90 bytes by one author, a snapshot after every {SNAPSHOT_ENTRIES}; stores in memory, \
             one thread, no sockets. Each figure is processor time of the one named, without the other's. The floor is \
             reading the newest page and nothing else."
        ),
        heads: &["what", "figure"],
        rows: vec![
            vec!["floor: decoding the newest page".into(), millis(opened.floor)],
            vec!["newcomer: until its end is shown and all unread are counted".into(), millis(opened.joined)],
            vec!["home: everything it does for the newcomer".into(), millis(opened.in_home)],
            vec!["the same device again, from its own disk, no link".into(), millis(opened.restart)],
            vec!["bytes sent to the newcomer".into(), format!("{:.2} MB", opened.bytes as f64 / 1e6)],
            vec!["posts the newcomer holds in memory".into(), opened.posts.to_string()],
            vec![
                "its contents: what it holds of all others".into(),
                format!("{} kB", opened.contents / 1000),
            ],
        ],
        verdict: format!("Bar: open at the end within {BAR:?} — {held}."),
    })
}

struct Opened {
    floor: Duration,
    joined: Duration,
    in_home: Duration,
    restart: Duration,
    bytes: usize,
    posts: usize,
    contents: usize,
}

/// In a thread of its own, whose memory is as fresh as that of a device that starts.
fn apart(author: Pair) -> Result<Opened, Box<dyn Error>> {
    std::thread::scope(|scope| {
        let opening = scope.spawn(|| open(author).map_err(|why| why.to_string()));
        Ok(opening.join().map_err(|_| "the thread has ended")??)
    })
}

fn open(author: Pair) -> Result<Opened, Box<dyn Error>> {
    let watch = Stopwatch::start();
    let (newcomer, _author) = author.newcomer();
    compare(&newcomer)?;
    let (took, in_home) = (watch.read(), newcomer.in_home);
    let (bytes, posts) = (newcomer.answered, newcomer.posts().len());
    let pages = newcomer.rows(Prefix::Page);
    let read = |page: &Vec<u8>| stored::decode_piece(page).ok().and_then(check_posts);
    let newest = pages.iter().max_by_key(|page| read(page).and_then(|posts| Some(posts.last()?.place)));
    let newest = newest.ok_or("the newest page is on the disk")?;
    let contents = pages.iter().find(|page| read(page).is_none());
    let contents = contents.map_or(0, Vec::len);
    let floor = floor(newest)?;
    let watch = Stopwatch::start();
    let (restarted, _newcomer) = newcomer.restarted();
    compare(&restarted)?;
    let restart = watch.read();
    Ok(Opened { floor, joined: took.saturating_sub(in_home), in_home, restart, bytes, posts, contents })
}

fn floor(page: &[u8]) -> Result<Duration, Box<dyn Error>> {
    let watch = Stopwatch::start();
    for _ in 0..FLOOR_ROUNDS {
        check_posts(stored::decode_piece(page)?).ok_or("a page of posts")?;
    }
    Ok(watch.read() / FLOOR_ROUNDS)
}

fn words(number: usize) -> String {
    format!("post {number}: what people say to each other in a channel is about as long as this line here")
}

/// The end is there, and what is left to read.
fn compare(pair: &Pair) -> Result<(), Box<dyn Error>> {
    let posts = pair.posts();
    let end = posts.last().is_some_and(|post| post.text == words(POSTS - 1));
    if end && pair.unread() == POSTS { Ok(()) } else { Err("this is not the end of the channel".into()) }
}
