/** Makes `docs/pictures/ide.png` anew: a room on a busy afternoon. `node test/browser/pictures.mjs`, after a build. */
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { launch } from "./harness/browser.mjs";
import { SCREENS, settled } from "./harness/look.mjs";
import { Relay } from "./harness/relay.mjs";
import { staged, talked } from "./harness/staged.mjs";
import { until } from "./harness/until.mjs";
import { Writer } from "./harness/writer.mjs";

const PICTURES = fileURLToPath(new URL("../../../docs/pictures/", import.meta.url));
const ROOM = "amber-otter-tide-0123456789abcdef";

const relay = await Relay.start();
const browser = await launch();
try {
  const noor = await staged(browser, relay.origin, ROOM, { name: "Noor Haddad", colour: 0xc24a29 });
  const open = (name, colour, viewport) => Writer.open(browser, relay.origin, ROOM, { name, colour, viewport });
  const sam = await open("Sam", 0x6f63c4, SCREENS.laptop);
  const ada = await open("Ada Lovelace", 0x3f7a30, SCREENS.desktop);
  await talked({ ada, noor, sam });
  await sam.goTo("main.md");
  await sam.press("Control+End");
  await noor.goTo("src/crossing.py");
  await ada.goTo("src/crossing.py");
  await ada.page.keyboard.press("Control+Home");
  for (let line = 0; line < 13; line++) await ada.page.keyboard.press("ArrowDown");
  await ada.page.keyboard.press("End");
  await ada.page.keyboard.type("  # springs are higher");
  await noor.page.locator(".cm-line", { hasText: "def crossing" }).click();
  await noor.page.keyboard.press("Home");
  await noor.page.keyboard.press("Shift+End");
  await ada.page.locator(".causeway-selection").first().waitFor();
  await until("the others have the newest words", async () => (await ada.status()).seen > 0);
  await mkdir(PICTURES, { recursive: true });
  // The name at Noor's caret leaves after a while: the picture is taken before.
  await ada.page.screenshot({ path: `${PICTURES}ide.png` });
  await settled(ada.page);
} finally {
  await browser.close();
  await relay.end();
}
