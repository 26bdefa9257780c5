// Compose projects as a list: those that were seen, and those that somebody opened, put together.

import type { ProjectProspect } from "../host/generated";
import { known } from "../host/host";
import { fileName } from "./text";

export interface ProjectEntry {
  key: string;
  name: string;
  folder: string | null;
  files: readonly string[];
  /** How many; none where they could not be read. */
  services: number | null;
  emulated: number;
  /** Something of it is built, so where that will run matters. */
  builds: boolean;
  /** As it was opened here; none for one that is known by its containers alone. */
  opened: string[] | null;
}

/** Every project once, by name; what was opened and cannot be read now stays, so that it can be forgotten. */
export function projectRows(seen: readonly ProjectProspect[], opened: readonly string[][]): ProjectEntry[] {
  const left = new Set(opened);
  const rows: ProjectEntry[] = seen.map((project, index) => {
    const own = opened.find((paths) => paths.some((path) => path === project.folder || project.files.includes(path))) ?? null;
    if (own !== null) left.delete(own);
    const services = known(project.services);
    const emulated = services?.filter((one) => one.would.kind === "emulated").length ?? 0;
    return { key: `${index} ${project.name}`, name: project.name, folder: project.folder, files: project.files, services: services?.length ?? null, emulated, builds: services?.some((one) => one.build !== null) ?? false, opened: own };
  });
  for (const paths of left) {
    const [first = ""] = paths;
    rows.push({ key: `opened ${paths.join("\n")}`, name: fileName(first), folder: null, files: paths, services: null, emulated: 0, builds: false, opened: paths });
  }
  return rows.sort((a, b) => a.name.localeCompare(b.name, "en"));
}
