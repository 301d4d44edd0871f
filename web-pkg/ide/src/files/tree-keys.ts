import { byName, folderOf, type TreeRow } from "./tree.ts";

/** What a key means in the tree. */
export type TreeCommand =
  | { readonly do: "focus"; readonly path: string }
  | { readonly do: "open" | "fold" | "unfold" | "rename" | "move" | "remove" | "menu"; readonly row: TreeRow };

/** The keys of the tree pattern of ARIA, and those that people know from file managers. `null`: not for the tree. */
export function treeCommand(key: Key, rows: readonly TreeRow[], focused: string | null): TreeCommand | null {
  const at = Math.max(
    0,
    rows.findIndex((row) => row.path === focused),
  );
  const row = rows[at];
  if (row === undefined) return null;
  const to = (other: TreeRow | undefined): TreeCommand | null =>
    other === undefined ? null : { do: "focus", path: other.path };
  if (key.shift && key.name === "F10") return { do: "menu", row };
  if (key.hasModifier) return null;
  switch (key.name) {
    case "ArrowDown":
      return to(rows[at + 1]);
    case "ArrowUp":
      return to(rows[at - 1]);
    case "Home":
      return to(rows[0]);
    case "End":
      return to(rows.at(-1));
    case "ArrowRight":
      if (row.kind === "file") return null;
      return row.isOpen ? to(rows[at + 1]?.depth === row.depth + 1 ? rows[at + 1] : undefined) : { do: "unfold", row };
    case "ArrowLeft":
      if (row.kind === "folder" && row.isOpen) return { do: "fold", row };
      return to(rows.find((other) => other.kind === "folder" && other.path === folderOf(row.path)));
    case "Enter":
    case " ":
      if (row.kind === "file") return { do: "open", row };
      return { do: row.isOpen ? "fold" : "unfold", row };
    case "F2":
      return { do: "rename", row };
    case "F6":
      return { do: "move", row };
    case "Delete":
      return { do: "remove", row };
    case "ContextMenu":
      return { do: "menu", row };
    default:
      return key.name.length === 1 ? to(nextNamed(rows, at, key.name)) : null;
  }
}

export interface Key {
  readonly name: string;
  readonly shift: boolean;
  /** Control, Alt or Command is held. */
  readonly hasModifier: boolean;
}

/** The next line whose name begins with a letter. */
function nextNamed(rows: readonly TreeRow[], at: number, letter: string): TreeRow | undefined {
  const round = [...rows.slice(at + 1), ...rows.slice(0, at + 1)];
  return round.find((row) => byName(row.name.slice(0, 1).toLowerCase(), letter.toLowerCase()) === 0);
}
