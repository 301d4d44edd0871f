/**
 * Keeps `--viewport` at the height that is left beside an on-screen keyboard, and tells style sheets that there is one.
 * Browsers that resize the page themselves (`interactive-widget` in index.html) agree with it; Safari on iOS does not
 * and would lay the keyboard over the composer.
 */
export function followKeyboard(): void {
  const viewport = window.visualViewport;
  if (viewport === null) return;
  let tallest = 0;
  const root = document.documentElement;
  const look = () => {
    // Zooming with two fingers shrinks the visual viewport as well, and is no keyboard.
    if (viewport.scale > 1.01) return;
    tallest = Math.max(tallest, viewport.height);
    const isTouch = matchMedia("(pointer: coarse)").matches;
    root.style.setProperty("--viewport", `${viewport.height}px`);
    root.toggleAttribute("data-keyboard", isTouch && viewport.height < tallest * KEYBOARD_SHARE);
    // Safari scrolls the page under the keyboard to show the field; the page has made room already.
    if (isTouch && viewport.offsetTop > 0) scrollTo(0, 0);
  };
  const turned = () => {
    tallest = 0;
    look();
  };
  viewport.addEventListener("resize", look);
  viewport.addEventListener("scroll", look);
  screen.orientation?.addEventListener("change", turned);
  look();
}

/** A keyboard takes a third of the screen or more; a browser's own bars take a tenth. */
const KEYBOARD_SHARE = 0.75;
