// The screens, in the sidebar's order. A new screen is one line here and its file.

import Activity from "@lucide/svelte/icons/activity";
import Box from "@lucide/svelte/icons/box";
import Boxes from "@lucide/svelte/icons/boxes";
import ClockArrowLeft from "@lucide/svelte/icons/clock-arrow-left";
import Gauge from "@lucide/svelte/icons/gauge";
import Layers from "@lucide/svelte/icons/layers";
import type { Component } from "svelte";

import { session } from "../state/session.svelte";
import Benchmark from "./Benchmark.svelte";
import Compose from "./Compose.svelte";
import Containers from "./Containers.svelte";
import Diagnosis from "./Diagnosis.svelte";
import History from "./History.svelte";
import Images from "./Images.svelte";

export type ScreenId = "diagnosis" | "containers" | "images" | "compose" | "benchmark" | "history";

export interface Screen {
  id: ScreenId;
  title: string;
  icon: Component<{ size?: number; "aria-hidden"?: boolean | "true" }>;
  component: Component;
  /** The number in the sidebar; none while it is not known or says nothing. */
  count: () => number | null;
}

const findings = () => session.scan?.findings.filter((finding) => finding.supersededBy === undefined).length ?? null;
const listed = (part: "containers" | "images") => {
  const seen = session.scan?.coverage[part];
  return seen?.listed ? seen.total : null;
};

export const SCREENS: readonly Screen[] = [
  { id: "diagnosis", title: "Diagnosis", icon: Activity, component: Diagnosis, count: findings },
  { id: "containers", title: "Containers", icon: Box, component: Containers, count: () => listed("containers") },
  { id: "images", title: "Images", icon: Layers, component: Images, count: () => listed("images") },
  { id: "compose", title: "Compose", icon: Boxes, component: Compose, count: () => session.scan?.compose.length || null },
  { id: "benchmark", title: "Benchmark", icon: Gauge, component: Benchmark, count: () => null },
  { id: "history", title: "History", icon: ClockArrowLeft, component: History, count: () => session.history?.length || null },
];
