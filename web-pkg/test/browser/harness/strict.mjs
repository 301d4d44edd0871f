/**
 * A home that is stricter than the device: a line between page and relay that, while it is strict, answers entries of
 * texts (or channels) with `refused` instead of carrying them on (docs/protocol.md, types 5 and 10). All else goes through.
 */
import { createServer, connect } from "node:net";

export class StrictLine {
  /** Whether entries are refused. */
  isStrict = false;
  /** Of which kind of stream. */
  refuses = YDOC;
  refusals = 0;
  #server;
  #sockets = new Set();

  static async to(port) {
    const line = new StrictLine();
    line.#server = createServer((near) => line.#carry(near, port));
    await new Promise((resolve) => line.#server.listen(0, "127.0.0.1", resolve));
    line.port = line.#server.address().port;
    return line;
  }

  async end() {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #carry(near, port) {
    const far = connect(port, "127.0.0.1");
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    // A link is told by its first head; what follows it are messages in both directions.
    const ofLink = { isLink: undefined };
    const up = reader(ofLink, (bytes, message) => this.#up(bytes, message, near, far));
    const down = reader(ofLink, (bytes) => near.write(bytes));
    near.on("data", (bytes) => {
      ofLink.isLink ??= /^upgrade: websocket/im.test(bytes.toString("latin1"));
      up(bytes);
    });
    far.on("data", down);
  }

  #up(bytes, message, near, far) {
    const refused = this.isStrict && message !== undefined ? refusalOf(message, this.refuses) : null;
    if (refused === null) return far.write(bytes);
    this.refusals += 1;
    near.write(unmasked(refused));
  }
}

/** Cuts a direction of a link into messages, after its head; whatever is no link goes through as it comes. */
function reader(ofLink, take) {
  let waiting = Buffer.alloc(0);
  let isHeadRead = false;
  return (bytes) => {
    if (ofLink.isLink !== true) return take(bytes);
    waiting = Buffer.concat([waiting, bytes]);
    if (!isHeadRead) {
      const end = waiting.indexOf("\r\n\r\n");
      if (end < 0) return;
      isHeadRead = true;
      take(waiting.subarray(0, end + 4));
      waiting = waiting.subarray(end + 4);
    }
    for (let frame = frameAt(waiting); frame !== null; frame = frameAt(waiting)) {
      take(waiting.subarray(0, frame.end), frame.payload);
      waiting = waiting.subarray(frame.end);
    }
  };
}

/** The first WebSocket frame, unmasked, if all of it is there. */
function frameAt(bytes) {
  if (bytes.length < 2) return null;
  const short = bytes[1] & 0x7f;
  const wide = short === 126 ? 2 : short === 127 ? 8 : 0;
  if (bytes.length < 2 + wide) return null;
  const length = wide === 0 ? short : wide === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  const isMasked = (bytes[1] & 0x80) !== 0;
  const at = 2 + wide + (isMasked ? 4 : 0);
  if (bytes.length < at + length) return null;
  const mask = isMasked ? bytes.subarray(at - 4, at) : null;
  const payload = Buffer.from(bytes.subarray(at, at + length));
  if (mask !== null) payload.forEach((byte, n) => (payload[n] = byte ^ mask[n % 4]));
  return { end: at + length, payload };
}

/** The answer to a message whose first entry is of this kind; `null`: it is not. */
function refusalOf(message, kind) {
  const [type, afterType] = varintAt(message, 0);
  if (type !== ENTRIES) return null;
  const [, body] = varintAt(message, afterType);
  const [, entry] = varintAt(message, body);
  const [, header] = varintAt(message, entry);
  if (message[header] !== kind) return null;
  const [seq] = varintAt(message, header + NAME);
  const code = Buffer.from("room.closed");
  const sentence = Buffer.from(SENTENCE);
  const told = Buffer.concat([
    message.subarray(header, header + NAME),
    varint(seq),
    varint(code.length),
    code,
    varint(sentence.length),
    sentence,
  ]);
  return Buffer.concat([varint(REFUSED), varint(told.length), told]);
}

function varintAt(bytes, at) {
  let number = 0;
  for (let shift = 0; ; shift += 7, at += 1) {
    number += (bytes[at] & 0x7f) * 2 ** shift;
    if (bytes[at] < 0x80) return [number, at + 1];
  }
}

function varint(number) {
  const bytes = [];
  for (let rest = number; ; rest = Math.floor(rest / 128)) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}

function unmasked(payload) {
  const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 0xff];
  return Buffer.concat([Buffer.from([0x82, ...length]), payload]);
}

export const SENTENCE = "the room was closed for the evening";
const ENTRIES = 5;
const REFUSED = 10;
/** Kinds of streams, and the bytes of a stream's and a replica's name. */
const YDOC = 1;
export const CHAT = 3;
const NAME = 17 + 32;
