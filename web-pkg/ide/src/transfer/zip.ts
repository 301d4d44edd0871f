/** A file for an archive. */
export interface ZipFile {
  /** Names of folders and the file, parted by `/`. Each is there once. */
  readonly path: string;
  readonly text: string;
}

/**
 * An archive in the format of PKWARE's APPNOTE 6.3, without compression and with names in UTF-8: texts are small, and every
 * system unpacks it. At most 65,535 files and 4 GiB, which a room has not.
 */
export function zip(files: readonly ZipFile[], at: Date): Blob {
  const parts: BlobPart[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  for (const file of files) {
    const name = UTF8.encode(file.path);
    const bytes = UTF8.encode(file.text);
    const about = [VERSION, NAMES_ARE_UTF8, STORED, ...dosTime(at)] as const;
    const sizes = { sum: crc32(bytes), size: bytes.length };
    const local = record(LOCAL, about, sizes, [name.length, 0]);
    const central = record(CENTRAL, [VERSION, ...about], sizes, [name.length, 0, 0, 0, 0, 0, 0]);
    directory.push(joined(central, u32(offset), name));
    parts.push(local, name, bytes);
    offset += local.length + name.length + bytes.length;
  }
  const size = directory.reduce((sum, line) => sum + line.length, 0);
  const end = joined(u32(END), u16(0), u16(0), u16(files.length), u16(files.length), u32(size), u32(offset), u16(0));
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

interface Sizes {
  readonly sum: number;
  readonly size: number;
}

/** What both records of a file begin with: nothing is compressed, so it has one size. */
function record(signature: number, about: readonly number[], { sum, size }: Sizes, rest: readonly number[]): Uint8Array<ArrayBuffer> {
  return joined(u32(signature), ...about.map(u16), u32(sum), u32(size), u32(size), ...rest.map(u16));
}

/** The local time of whoever packs, to two seconds. */
function dosTime(at: Date): readonly [time: number, date: number] {
  const time = (at.getHours() << 11) | (at.getMinutes() << 5) | (at.getSeconds() >> 1);
  return [time, ((at.getFullYear() - 1980) << 9) | ((at.getMonth() + 1) << 5) | at.getDate()];
}

export function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = (sum >>> 8) ^ (TABLE[(sum ^ byte) & 0xff] ?? 0);
  return (sum ^ 0xffffffff) >>> 0;
}

function u16(number: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(number & 0xff, (number >> 8) & 0xff);
}

function u32(number: number): Uint8Array<ArrayBuffer> {
  return joined(u16(number & 0xffff), u16(number >>> 16));
}

function joined(...pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  return sum;
});

const UTF8 = new TextEncoder();
const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const VERSION = 20;
const NAMES_ARE_UTF8 = 0x0800;
const STORED = 0;
