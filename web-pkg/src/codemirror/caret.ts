import { WidgetType } from "@codemirror/view";

/**
 * Another person's caret with their name, which leaves after a while: it lies over the text. It is for the eye: the text
 * around it reads as if it were not there.
 */
export class Caret extends WidgetType {
  constructor(
    private readonly name: string,
    private readonly colour: string,
    /** Another number shows the name anew. */
    private readonly shown: number,
  ) {
    super();
  }

  override eq(other: Caret): boolean {
    return other.name === this.name && other.colour === this.colour && other.shown === this.shown;
  }

  override toDOM(): HTMLElement {
    const caret = document.createElement("span");
    caret.className = "causeway-caret";
    caret.setAttribute("aria-hidden", "true");
    caret.style.setProperty("--causeway-colour", this.colour);
    const name = document.createElement("span");
    name.className = "causeway-caret-name";
    name.textContent = this.name;
    caret.append(name);
    return caret;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}
