// Keeps the page itself, never anybody's work: a reload without a network brings the page back, and the engine then reads
// the room from this device's disk. The build fills in the two constants.
const CACHE = "causeway-shell-" + "@version";
const FILES = ["@files"];

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(FILES.map((path) => new Request(path, { cache: "no-cache" }))))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter(isOld).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    if (url.pathname === "/" || url.pathname.startsWith("/r/")) event.respondWith(page(request));
  } else if (url.pathname.startsWith("/assets/")) {
    // Their names carry a hash of their content: what is cached is what is asked for.
    event.respondWith(cached(request));
  } else if (FILES.includes(url.pathname)) {
    event.respondWith(fetch(request).catch(() => cached(request)));
  }
});

/** From the network if it answers well and in time, otherwise as it was kept. */
async function page(request) {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), NAVIGATION_MS);
  try {
    const answer = await fetch(request, { signal: limit.signal });
    if (answer.status < 500) return answer;
  } catch {
    // The relay is out of reach.
  } finally {
    clearTimeout(timer);
  }
  return (await caches.match("/", { cacheName: CACHE })) ?? Response.error();
}

async function cached(request) {
  return (await caches.match(request, { cacheName: CACHE, ignoreSearch: true })) ?? fetch(request);
}

/** An older build of the page; caches of others on this origin are left alone. */
function isOld(name) {
  return name.startsWith("causeway-shell-") && name !== CACHE;
}

/** A line that swallows everything must not keep a person from their own text for longer. */
const NAVIGATION_MS = 3000;
