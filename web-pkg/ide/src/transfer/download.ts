/** Hands a text to the browser as a file. */
export function download(path: string, text: string): void {
  downloadBlob(path, new Blob([text], { type: "text/plain;charset=utf-8" }));
}

/** The same of anything else. */
export function downloadBlob(path: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = path.slice(path.lastIndexOf("/") + 1);
  link.click();
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}

const KEPT_MS = 60_000;
