import { useRef, useState, type MouseEvent, type ReactElement } from "react";
import { Icon } from "../parts/icon.tsx";
import { Menu, type MenuPlace } from "../parts/menu.tsx";
import { offerOfList } from "./offered.ts";
import type { Transfers } from "./transfers.ts";

/** The button to bring files into the room, or a folder where the browser gives one. */
export function Upload({ transfers }: { readonly transfers: Transfers }): ReactElement {
  const picker = useRef<HTMLInputElement>(null);
  const folderPicker = useRef<HTMLInputElement>(null);
  const [menu, openMenu] = useState<MenuPlace | null>(null);
  const onPress = ({ currentTarget }: MouseEvent) => {
    if (!GIVES_FOLDERS) return picker.current?.click();
    const { left, bottom } = currentTarget.getBoundingClientRect();
    openMenu({ x: left, y: bottom + 2 });
  };
  const onPicked = ({ currentTarget }: { readonly currentTarget: HTMLInputElement }) => {
    const offer = offerOfList(currentTarget.files ?? []);
    // The same file again is news.
    currentTarget.value = "";
    if (offer.files.length > 0 || offer.leftOut.length > 0) void transfers.bring(offer, "");
  };
  const hidden = { type: "file", multiple: true, hidden: true, tabIndex: -1, onChange: onPicked } as const;
  return (
    <>
      <button
        type="button"
        className="icon-button small"
        aria-label="Upload files"
        {...(GIVES_FOLDERS ? { "aria-haspopup": "menu", "aria-expanded": menu !== null } : {})}
        title="Upload files, or drop them anywhere on the page"
        onClick={onPress}
      >
        <Icon name="upload" size={17} />
      </button>
      <input ref={picker} {...hidden} data-testid="pick-files" />
      <input ref={folderPicker} {...hidden} data-testid="pick-folder" {...{ webkitdirectory: "" }} />
      {menu !== null && (
        <Menu
          label="Upload"
          at={menu}
          items={[
            { label: "Files…", icon: "file", run: () => picker.current?.click() },
            { label: "A folder…", icon: "folder", run: () => folderPicker.current?.click() },
          ]}
          onClose={() => openMenu(null)}
        />
      )}
    </>
  );
}

/** Some browsers of phones have no folders to give. */
const GIVES_FOLDERS = "webkitdirectory" in HTMLInputElement.prototype;
