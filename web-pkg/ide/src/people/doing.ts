import type { Activity } from "@causeway/web";

/** What somebody is doing, in a few words. `place` is the path of the file they are in. */
export function doing(status: Activity, place: string | null, isTyping: boolean): string {
  switch (status) {
    case "away":
      return "away";
    case "running":
      return place === null ? "running" : `running ${place}`;
    case "editing":
    case "idle":
      if (isTyping) return place === null ? "writing" : `writing in ${place}`;
      return place === null ? "here" : `in ${place}`;
  }
}
