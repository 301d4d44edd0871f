/** Puts a text on the clipboard; `false`: the browser does not let the page. */
export async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // It is missing on plain http; the older way still works there.
    return copiedTheOldWay(text);
  }
}

/** The same for whoever has nothing else to offer: throws a sentence. */
export async function copy(text: string): Promise<void> {
  if (!(await copied(text))) throw new Error("this browser does not let the page copy. Select the words and copy them by hand.");
}

function copiedTheOldWay(text: string): boolean {
  const before = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "unseen";
  document.body.append(field);
  field.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    field.remove();
    if (before instanceof HTMLElement) before.focus();
  }
}
