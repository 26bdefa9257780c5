// What changes of the sample would do: diffs of its files, builds of its images, scripts of its fixes. Which command asks for which
// stands in sample.ts. Not part of the built app.

import { shellLine } from "../words/text";
import type { BuildersDocument, Diff, Failure, Fix, FixPreview, PlannedContainer, RebuildPreview, RebuildRequest, Scan, Step } from "./generated";
import { known } from "./host";
import recorded from "./sample.json";

export const recording = recorded as unknown as Scan;

export const DIFF = (path: string) => ({
  path,
  added: 1,
  removed: 0,
  hunks: [
    {
      oldStart: 11,
      newStart: 11,
      lines: [
        { kind: "context" as const, old: 11, new: 11, text: "" },
        { kind: "context" as const, old: 12, new: 12, text: "  db:" },
        { kind: "context" as const, old: 13, new: 13, text: "    image: mysql:8.0   # keep in step with production" },
        { kind: "added" as const, new: 14, text: "    platform: linux/amd64" },
        { kind: "context" as const, old: 14, new: 15, text: "    volumes:" },
        { kind: "context" as const, old: 15, new: 16, text: "      - dbdata:/var/lib/mysql" },
      ],
    },
  ],
});

export const listed = (names: readonly string[]) => (names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`);

/** What pins of the sample's services change in their file. */
export const pinDiff = (path: string, names: readonly string[], platform: string | null): Diff => {
  const all = recording.compose.flatMap((project) => known(project.services) ?? []);
  const found = all.filter((one) => one.path === path && names.includes(one.name)).sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  let [added, removed] = [0, 0];
  const hunks = found.map((service) => {
    const old = service.line ?? 1;
    const shift = added - removed;
    const lines: Diff["hunks"][number]["lines"] = [
      { kind: "context", old, new: old + shift, text: `  ${service.name}:` },
      { kind: "context", old: old + 1, new: old + 1 + shift, text: `    image: ${service.image}` },
    ];
    if (service.platform !== null) lines.push({ kind: "removed", old: old + 2, text: `    platform: ${service.platform.value}` });
    if (platform !== null) lines.push({ kind: "added", new: old + 2 + shift, text: `    platform: ${platform}` });
    removed += service.platform === null ? 0 : 1;
    added += platform === null ? 0 : 1;
    return { oldStart: old, newStart: old + shift, lines };
  });
  return { path, added, removed, hunks };
};

export const targetsDiff = (folder: string, before: readonly string[], wanted: readonly string[]): Diff => {
  const line = (list: readonly string[]) => `targets = [${list.map((one) => `"${one}"`).join(", ")}]`;
  const head = before.length > 0 ? { kind: "context" as const, old: 1, new: 1, text: "[deploy]" } : { kind: "added" as const, new: 1, text: "[deploy]" };
  const removed = before.length > 0 ? [{ kind: "removed" as const, old: 2, text: line(before) }] : [];
  const added = wanted.length > 0 ? [{ kind: "added" as const, new: 2, text: line(wanted) }] : [];
  const lines = [head, ...removed, ...added];
  const count = (kind: string) => lines.filter((one) => one.kind === kind).length;
  return { path: `${folder}/.silidock.toml`, added: count("added"), removed: count("removed"), hunks: [{ oldStart: 1, newStart: 1, lines }] };
};

export const stepWords = (step: Step): string => {
  if (step.kind === "tell" || step.kind === "runtimeCommand") return step.text;
  if ("path" in step) return `Change ${step.path}`;
  if (step.kind === "pullPlatform") return `Pull ${step.platform} of ${step.reference}`;
  if (step.kind === "buildImage") return `Build ${step.image}`;
  return `Make ${step.of.name} anew`;
};

export const runtimePreview = (fix: Fix): FixPreview["preview"] => ({
  diffs: [],
  commands: fix.steps.flatMap((step) => (step.kind === "runtimeCommand" ? [step.argv] : [])),
  restarts: recording.containers.filter((one) => one.execution !== "notRunning").map((one) => one.name),
  told: ["Containers with a restart policy come back by themselves; start the others again. What a program held in memory only is lost."],
  files: [],
});

export const BUILDERS: BuildersDocument = {
  schema: "silidock/1",
  endpoint: recording.engine.endpoint,
  builders: [
    {
      name: "desktop-linux",
      driver: "docker",
      current: true,
      own: true,
      several: true,
      nodes: [{ name: "desktop-linux", endpoint: "desktop-linux", status: "running", version: "v0.25.1", platforms: [{ platform: "linux/arm64", native: true, assigned: false }, { platform: "linux/amd64", native: false, assigned: false }], error: null }],
      error: null,
    },
  ],
  platforms: [],
  lacking: [],
};

/** What building an image, a service or a container of the sample again would look like. */
export function plannedBuild({ subjects, output, context: named, file, recreate }: Pick<RebuildRequest, "subjects" | "output" | "context" | "file" | "recreate">): RebuildPreview {
  const subject = subjects[0] ?? "";
  const container = recording.containers.find((one) => one.name === subject);
  const built = recording.compose.flatMap((project) => (known(project.services) ?? []).filter((service) => service.build !== null).map((service) => ({ project, service })));
  const source = built.find(({ project, service }) => `${project.name}/${service.name}` === subject || service.image === (container?.image ?? subject));
  const context = named ?? source?.service.build?.context?.value;
  const reference = source?.service.image ?? container?.image ?? subject;
  if (context === undefined) {
    const services = built.map(({ project, service }) => `${project.name}/${service.name}`).join(", ");
    throw { code: "notFound", message: `Nothing here says what ${subject} is built from.`, hint: null, detail: [`Services that are built here: ${services}.`] } satisfies Failure;
  }
  const image = recording.images.find((one) => one.tags.includes(reference));
  const command = ["docker", "buildx", "build", "--progress", "rawjson", "--builder", "desktop-linux", "--platform", "linux/arm64", ...(file === null ? [] : ["--file", file]), "--tag", reference, output === "push" ? "--push" : "--load", "--", context];
  const before = image === undefined ? null : { id: image.id, platforms: ["linux/amd64"] };
  const platforms = [{ platform: "linux/arm64", builder: "desktop-linux", node: "desktop-linux", native: true, words: "natively, on builder desktop-linux" }];
  const service = source === undefined || named !== null ? null : `${source.project.name}/${source.service.name}`;
  return {
    schema: "silidock/1",
    preview: { diffs: [], commands: [command], restarts: [], told: [`What ${reference} means now is kept as a tag of silidock-kept, and undo brings it back.`], files: [] },
    builds: [{ subject, service, knownBy: service === null ? "named now" : `build: of ${source?.service.name} in ${source?.project.files.join(" and ")}`, context, dockerfile: file, target: null, arguments: [], references: [reference], platforms, output, before, command }],
    containers: recreate ? runningOn(reference) : [],
    token: `${output} ${recreate ? "anew" : "only"} ${reference}`,
  };
}

/** Containers of the sample that a rebuild of an image would make anew. */
export function runningOn(reference: string): PlannedContainer[] {
  const running = recording.containers.filter((one) => one.image === reference && one.execution !== "notRunning");
  return running.map((one) => ({ name: one.name, service: one.compose && `${one.compose.project}/${one.compose.service}`, image: reference, before: known(one.platform), platform: "linux/arm64" }));
}

/** What a script of these fixes says; the app writes it with what each file held before. */
export function scriptOf(fixes: readonly FixPreview[]): string {
  const lines = ["#!/bin/sh", "# Written by Silidock, which has not run it. Read it first; it stops at the first thing that fails.", "set -eu"];
  for (const [place, { fix, steps, preview }] of fixes.entries()) {
    lines.push("", `# ${place + 1}. ${fix.title}`, `#    ${fix.summary}`);
    if (preview.refused) {
      lines.push(`#    Left out: ${preview.refused.why}`, ...preview.refused.linesToType.map((line) => `#      ${line}`));
      continue;
    }
    for (const step of steps) lines.push("", `# ${step}`);
    for (const { path, hunks } of preview.diffs) {
      const spare = `${path}.before-silidock`;
      const added = hunks.flatMap((hunk) => hunk.lines.filter((line) => line.kind === "added").map((line) => `${line.new}i\\\n${line.text}`));
      lines.push(`cp -p ${path} ${spare}`, `sed '${added.join("\n")}' ${spare} > ${path}`, "", "# The way back:", `#   mv ${spare} ${path}`);
    }
    lines.push(...preview.commands.map(shellLine));
  }
  return `${lines.join("\n")}\n`;
}
