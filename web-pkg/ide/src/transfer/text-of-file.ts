/** The words of a file, or why it has none that a room can keep, as a sentence. */
export type TextOfFile = { readonly text: string } | { readonly refusal: string };

/** Reads a file of somebody's disk. */
export async function textOfFile(file: File): Promise<TextOfFile> {
  if (file.size > FILE_BYTES) return { refusal: `It is too large: ${megabytes(file.size)}. A file here has at most ${megabytes(FILE_BYTES)}.` };
  try {
    return textOf(new Uint8Array(await file.arrayBuffer()));
  } catch {
    return { refusal: "This browser could not read it. Was it moved or removed meanwhile?" };
  }
}

/** Line breaks become those that all texts here have. */
export function textOf(bytes: Uint8Array): TextOfFile {
  try {
    const text = new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes);
    if (!text.includes("\0")) return { text: text.replace(/\r\n?/g, "\n") };
  } catch {
    // Neither is a picture a text in any of these.
  }
  return { refusal: "It is no plain text in UTF-8. Pictures, programs, PDFs and the like cannot be kept in a room yet; text in another encoding can once it is saved as UTF-8." };
}

/** Two bytes at the beginning tell the texts of some editors on Windows. */
function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toLocaleString(undefined, { maximumFractionDigits: bytes < 10_000_000 ? 1 : 0 })} MB`;
}

/** A long book. More makes each key slow on a phone. */
export const FILE_BYTES = 2_000_000;
