/** Which key it is, as shortcuts are written: where a layout has no Latin letters, the one that stands there on others. */
export function keyOf({ key, code }: Pick<KeyboardEvent, "key" | "code">): string {
  const latin = /^Key([A-Z])$/.exec(code)?.[1];
  return (latin !== undefined && /^[^\x00-\x7f]$/.test(key) ? latin : key).toLowerCase();
}
