/** A room as it looks on a busy afternoon, for pictures and for stories that want one. */
import { Writer } from "./writer.mjs";

export const FILES = {
  "main.md": `# The crossing

Everything two islands need to meet at **low tide**.

1. Read the tide table in \`data/tides.json\`
2. Run \`src/crossing.py\`
3. Take the long rope

> The causeway is open when the water is lower than the stones.
`,
  "data/tides.json": `{
  "harbour": "Lindsend",
  "stones": 14,
  "low": ["05:42", "18:07"]
}
`,
  "src/crossing.py": `"""How far can we walk before the water is back?"""
from dataclasses import dataclass

STONES = 14  # counted twice


@dataclass
class Tide:
    low: float
    high: float

    def minutes(self, pace: float = 1.2) -> float:
        """Minutes until the stones are under water."""
        return (self.high - self.low) * 60 / pace


def crossing(tide: Tide) -> str:
    if tide.minutes() < STONES:
        return f"wait, only {tide.minutes():.0f} minutes"
    return "go"


print(crossing(Tide(low=0.4, high=3.1)))
`,
  "src/water/tides.py": "def low_water(day: int) -> float:\n    return 0.4 + day % 2 / 10\n",
  "web/index.html": "<!doctype html>\n<title>The crossing</title>\n<h1>Is it low enough?</h1>\n",
  "web/look.css": "h1 {\n  color: #0b6470;\n}\n",
  "web/app.ts": "export const isOpen = (level: number): boolean => level < 0.8;\n",
};

/** Somebody fills a room with files; the caller is given the person, who stays. */
export async function staged(browser, origin, room, { name, colour }) {
  const author = await Writer.open(browser, origin, room, { name, colour, viewport: { width: 1280, height: 800 } });
  for (const [path, text] of Object.entries(FILES)) {
    if (path !== "main.md") await author.makeFile(path);
    await author.page.locator(".cm-content").focus();
    await author.page.keyboard.insertText(text);
  }
  await author.isSaved();
  return author;
}

/** Three people talk about it. */
export async function talked({ ada, noor, sam }) {
  const all = [ada, noor, sam];
  const say = async (writer, text, shown = text) => {
    await writer.say(text);
    for (const other of all) await other.post(shown).first().waitFor();
  };
  await say(noor, "Morning! Low tide is at 05:42, so we have about an hour.");
  await say(noor, "I put the table into `data/tides.json`.", "I put the table into");
  await say(sam, "👋");
  await say(ada, "Is `minutes()` in hours or minutes? See https://en.wikipedia.org/wiki/Tide", "in hours or minutes?");
  await say(sam, "Minutes. I tried:\n```py\n>>> Tide(.4, 3.1).minutes()\n135.0\n```", "I tried:");
  await say(noor, "Good. Then the rope goes with whoever is last.");
  for (const writer of [ada, sam]) {
    await writer.post("Then the rope").hover();
    await writer.post("Then the rope").locator('.post-tools [title="👍"]').click();
  }
  await sam.post("Then the rope").locator('.post-tools [title="Reply"]').click();
  await say(sam, "That will be me again, won’t it?");
  await say(ada, "I will take it this time 🌊");
  await ada.page.mouse.move(700, 500);
}
