// Writes docs/images/: each screen in both themes, from the sample, so that the pictures show a Mac's containers.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { By, Window, eventually } from "./window.mjs";

const FOLDER = fileURLToPath(new URL("../../docs/images/", import.meta.url));
const THEMES = { light: "Adwaita", dark: "Adwaita:dark" };

// Without hinting the letters keep the places the font gives them, as on a Mac.
const FONTS = `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><match target="font">
<edit name="hinting" mode="assign"><bool>false</bool></edit><edit name="hintstyle" mode="assign"><const>hintnone</const></edit>
<edit name="rgba" mode="assign"><const>none</const></edit></match></fontconfig>`;

function prepare(home) {
  mkdirSync(join(home, ".config/fontconfig"), { recursive: true });
  writeFileSync(join(home, ".config/fontconfig/fonts.conf"), FONTS);
  mkdirSync(join(home, ".config/gtk-3.0"), { recursive: true });
  writeFileSync(join(home, ".config/gtk-3.0/settings.ini"), "[Settings]\ngtk-xft-hinting=0\ngtk-xft-hintstyle=hintnone\ngtk-xft-antialias=1\ngtk-xft-rgba=none\n");
}

async function still(window) {
  await eventually("fonts and motion have come to rest", () =>
    window.script("return document.fonts.status === 'loaded' && document.getAnimations().every((one) => one.playState === 'finished' || one.effect.getComputedTiming().iterations === Infinity)"),
  );
}

for (const [theme, gtk] of Object.entries(THEMES)) {
  const window = await Window.open({ environment: { GTK_THEME: gtk }, args: ["--sample"], rect: { width: 1280, height: 800 }, prepare });
  const shoot = async (name) => {
    await window.script("document.activeElement.blur()");
    await still(window);
    writeFileSync(join(FOLDER, `${name}-${theme}.png`), Buffer.from(await window.browser.takeScreenshot(), "base64"));
  };
  try {
    mkdirSync(FOLDER, { recursive: true });
    await window.says(".coverage", /Looked at/);
    const dark = await window.script("return matchMedia('(prefers-color-scheme: dark)').matches");
    if (dark !== (theme === "dark")) throw new Error(`the ${theme} theme did not take`);
    await shoot("diagnosis");
    await window.press("Why?", "[data-check=needless-emulation]");
    await window.find("[role=dialog]");
    await shoot("why");
    await window.press("Close", "[role=dialog]");
    await window.press("Pin ", "[data-check=pin-missing]");
    await window.find("[role=dialog] figure");
    await shoot("fix");
    await window.press("Apply 1 step", "[role=dialog]");
    await window.find("[role=dialog] [data-applied=true]");
    await window.press("Done", "[role=dialog]");
    await window.go("containers");
    await (await window.find("[data-key]")).click();
    await window.find(".inspector");
    await shoot("containers");
    await window.go("images");
    await window.find("[data-key]");
    await shoot("images");
    await window.go("history");
    await window.find("[data-receipt]");
    await shoot("history");
    await window.go("diagnosis");
    await window.press("Export report", "header");
    await window.browser.findElement(By.css("[role=dialog] input[name=format]"));
    await shoot("export");
  } finally {
    await window.close();
  }
}
