/** A person at a page: writes into the editor and reads what it shows. */
import { until, untilEqual } from "./until.mjs";

let rooms = 0;

const introduced = new WeakSet();

/** A room nobody has used. */
export function freshRoom(about) {
  rooms += 1;
  return `${about}-${process.pid}-${rooms}`;
}

/** Lets the pages of a browser profile know their person, unless they do already. */
export async function introduce(profile, name, colour) {
  if (introduced.has(profile)) return;
  introduced.add(profile);
  await profile.addInitScript(
    (person) => localStorage.getItem("causeway/person") ?? localStorage.setItem("causeway/person", person),
    JSON.stringify({ name, colour }),
  );
}

export class Writer {
  /** What the page's console called an error. */
  errors = [];

  constructor(page) {
    this.page = page;
    page.on("pageerror", (error) => this.errors.push(String(error)));
  }

  /** Opens a room in a browser profile of its own, or in `context`, as somebody who has been there before. */
  static async open(browser, origin, room, { context, name = "Calm Otter", colour = 0x0f7a84, viewport } = {}) {
    const profile = context ?? (await browser.newContext(viewport === undefined ? {} : { viewport }));
    await introduce(profile, name, colour);
    const writer = new Writer(await profile.newPage());
    writer.context = profile;
    await writer.page.goto(`${origin}/r/${room}`);
    await writer.editorIsThere();
    return writer;
  }

  async editorIsThere() {
    await this.page.locator(".cm-content[contenteditable=true]").waitFor();
  }

  /** The text as shown, without others' carets and the invitation to write. */
  text() {
    return this.page.evaluate(() => {
      const lines = [...document.querySelectorAll(".cm-content .cm-line")].map((line) => {
        const copy = line.cloneNode(true);
        for (const extra of copy.querySelectorAll(".causeway-caret, .cm-placeholder, .cm-widgetBuffer")) extra.remove();
        return copy.textContent;
      });
      return lines.join("\n");
    });
  }

  /** All of the text, also what is not drawn because it is scrolled away: what a person gets who copies it. */
  async wholeText() {
    await this.press("Control+a");
    return this.page.locator(".cm-content").evaluate((content) => {
      const clipboardData = new DataTransfer();
      content.dispatchEvent(new ClipboardEvent("copy", { clipboardData, bubbles: true, cancelable: true }));
      return clipboardData.getData("text/plain");
    });
  }

  async shows(text, deadline) {
    await untilEqual("the editor shows the text", () => this.text(), text, deadline);
  }

  async showsWords(...words) {
    await until(`the editor shows ${words.join(", ")}`, async () => {
      const text = await this.text();
      return words.every((word) => text.includes(word));
    });
  }

  /** Types at the end, key by key. */
  async write(text) {
    await this.page.locator(".cm-content").focus();
    await this.page.keyboard.press("Control+End");
    await this.page.keyboard.type(text);
  }

  /** Types at the beginning, key by key. */
  async writeFirst(text) {
    await this.page.locator(".cm-content").focus();
    await this.page.keyboard.press("Control+Home");
    await this.page.keyboard.type(text);
  }

  async press(keys) {
    await this.page.locator(".cm-content").focus();
    await this.page.keyboard.press(keys);
  }

  /** A new file by its path, opened. */
  async makeFile(path) {
    await this.page.getByRole("button", { name: "New file" }).click();
    await this.page.getByLabel("Name of the new file").fill(path);
    await this.page.keyboard.press("Enter");
    await this.page.getByRole("textbox", { name: `Text of ${path}` }).waitFor();
  }

  /** Opens a file by its path, as quick hands do it. */
  async goTo(path) {
    await this.page.keyboard.press("ControlOrMeta+p");
    await this.page.getByRole("combobox", { name: "Go to a file" }).fill(path);
    await this.page.keyboard.press("Enter");
    await this.page.getByRole("textbox", { name: `Text of ${path}` }).waitFor();
  }

  /** Brings the list of people to the front of the right column. */
  async lookAtPeople() {
    await this.page.locator(".right-head").getByRole("button", { name: /^People/ }).click();
  }

  /** Says something in the chat, which must be in sight. */
  async say(text) {
    await this.page.getByRole("textbox", { name: "Message" }).fill(text);
    await this.page.keyboard.press("Enter");
  }

  /** A post in the chat by its words. */
  post(text) {
    return this.page.locator(".post", { has: this.page.locator(".said", { hasText: text }) });
  }

  async reload() {
    await this.page.reload();
    await this.editorIsThere();
  }

  connection() {
    return this.page.locator("[data-testid=connection]").getAttribute("data-state");
  }

  async isOnline() {
    await untilEqual("the page is online", () => this.connection(), "online", 40_000);
  }

  /** Where the work is, as the status line tells: `{ device, relay, seen }`. */
  status() {
    return this.page.locator("[data-testid=save-status]").evaluate((line) => ({
      device: line.dataset.device,
      relay: line.dataset.relay,
      seen: Number(line.dataset.seen),
      words: line.innerText,
    }));
  }

  async isSaved() {
    await until("the relay has everything", async () => (await this.status()).relay === "saved", 40_000);
  }

  async isSavedHere() {
    await until("this device has everything", async () => (await this.status()).device === "saved");
  }

  /** Waits until the page can be loaded without a network, where a service worker keeps it. */
  async worksOffline() {
    await this.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  }

  async close() {
    await this.context.close();
  }
}
