// What can be built again, and by which name it is asked for.

import type { Scan, ScanContainer, ServiceProspect } from "../host/generated";
import { known } from "../host/host";

/** What to ask for to build a service again; null where there is nothing to build it from and no reason to. */
export function rebuildOfService(project: string, service: ServiceProspect): string | null {
  if (service.build !== null) return `${project}/${service.name}`;
  // Somebody may have the source of what does not run natively: it is asked for.
  return service.would.kind === "native" ? null : service.image;
}

/** The same for a container: its service, if that is built here, else its image, if it does not run natively. */
export function rebuildOfContainer(scan: Scan | null, container: ScanContainer): string | null {
  const project = scan?.compose.find((one) => one.name === container.compose?.project);
  const service = project && (known(project.services) ?? []).find((one) => one.name === container.compose?.service);
  if (service && service.build !== null) return container.name;
  return container.execution === "native" ? null : container.name;
}
