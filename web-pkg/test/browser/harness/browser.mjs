/** Debian's Chromium, driven from outside. */
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A name that is no secure origin: Web Locks, service workers, crypto.subtle and randomUUID are missing there. */
export const INSECURE_HOST = "classroom.test";

/** A browser of its own: contexts of one browser share no storage, pages of one context do. */
export function launch(...flags) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: [...FLAGS, ...flags, `--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1`],
  });
}
