import { TakenNames, folded, freePath } from "../files/taken-names.ts";
import { folderOf } from "../files/tree.ts";

/**
 * What files are called in an archive, in their order. A room takes two files of one name, a file beside a folder of its
 * name, and names that lead out of the folder where a system reads `\` or `:`; whoever unpacks gets each file, in place.
 */
export function archivePaths(paths: readonly string[]): readonly string[] {
  const sound = paths.map(soundPath);
  const taken = new TakenNames(sound.map(folderOf), folded);
  return sound.map((path) => {
    const free = freePath(path, taken);
    taken.add(free);
    return free;
  });
}

function soundPath(path: string): string {
  const parts = path.split("/").filter((part) => part !== "");
  return parts.map(soundName).join("/") || "_";
}

function soundName(name: string): string {
  const sound = name.replace(FORBIDDEN, "_").replace(/[. ]$/, "_");
  return DEVICES.test(sound) ? `_${sound}` : sound;
}

/** What Windows takes in no name. */
const FORBIDDEN = /[\\:*?"<>|\p{Cc}]/gu;
/** Names that Windows keeps for devices, whatever ends them. */
const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
