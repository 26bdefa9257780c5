// The words of what lies inside an image.

import type { StartRole, Via } from "../host/generated";

export const ROLE: Record<StartRole, string> = {
  entrypoint: "Entry point",
  command: "Command",
  script: "Script",
  interpreter: "Interpreter",
  envProgram: "Found by env",
  loader: "Loader",
  library: "Library",
};

export const VIA: Record<Via, string> = {
  engine: "Looked at from within, in a throw-away container that is gone.",
  stream: "Read as a stream from the engine; nothing was started or stored.",
};
