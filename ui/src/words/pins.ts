// Which services of a Compose file can be pinned in one change.

import type { ProjectProspect } from "../host/generated";
import { known } from "../host/host";

/** Services of `file` beside `service` that the same pin would change, by name, each with what it declares now. A pin that comes
    from elsewhere (`extends`, another file) is not changed here; taking pins out is about those that stand in the file. */
export function pinnedTogether(projects: readonly ProjectProspect[], file: string, service: string, platform: string | null): { name: string; platform: string | null }[] {
  const found = new Map<string, string | null>();
  for (const project of projects) {
    for (const one of known(project.services) ?? []) {
      const home = one.platform?.own === true ? one.platform.path : one.path;
      const foreign = one.platform !== null && !one.platform.own;
      const same = (one.platform?.value ?? null) === platform;
      if (one.name === service || home !== file || foreign || same) continue;
      found.set(one.name, one.platform?.value ?? null);
    }
  }
  return [...found].map(([name, declared]) => ({ name, platform: declared })).sort((a, b) => a.name.localeCompare(b.name, "en"));
}
