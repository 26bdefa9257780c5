// Builds the window. `--mode browser` puts the sample host in Tauri's place, to work on the window in any browser.
import { fileURLToPath } from "node:url";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

export default defineConfig(({ mode }) => {
  const host = mode === "browser" || mode === "test" ? "sample" : "tauri";
  return {
    plugins: [svelte()],
    resolve: { alias: { "#host": fileURLToPath(new URL(`./src/host/${host}.ts`, import.meta.url)) } },
    clearScreen: false,
    server: { port: 1420, strictPort: true },
    build: {
      target: "safari16",
      // Inlined assets would be data: addresses, which the content security policy does not allow for scripts and fonts.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
  };
});
