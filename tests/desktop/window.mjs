// Opens the real window through tauri-driver, and ends it. One driver for each window: the window inherits its environment.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const require = createRequire(new URL("../../ui/package.json", import.meta.url));
const selenium = require("selenium-webdriver");
export const { By, Key, until } = selenium;

/** How long a condition may take to come true. Machines of tests are slow and shared. */
export const PATIENCE = 30_000;

function needed(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: start this through tests/desktop/run.sh`);
  return value;
}

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** Asks until the answer is true; says what was waited for when it never is. */
export async function eventually(what, ask, patience = PATIENCE) {
  const end = Date.now() + patience;
  let last;
  for (;;) {
    try {
      const answer = await ask();
      if (answer) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`never came true: ${what} (last: ${last})`);
    await sleep(50);
  }
}

export class Window {
  /** Opens a window with an empty home folder, which `prepare` may fill. Of this environment only `environment` reaches it. */
  static async open({ environment = {}, args = [], rect = { width: 1180, height: 760 }, prepare = () => {} } = {}) {
    const folder = mkdtempSync(join(tmpdir(), "silidock-window-"));
    // The sample names its folder after the user, whom this names.
    const home = join(folder, "sam");
    mkdirSync(home);
    prepare(home);
    const [port, nativePort] = [await freePort(), await freePort()];
    const { PATH, DISPLAY, LANG, NO_AT_BRIDGE } = process.env;
    const driver = spawn(needed("SILIDOCK_TAURI_DRIVER"), ["--port", String(port), "--native-port", String(nativePort)], {
      detached: true,
      stdio: "ignore",
      env: {
        PATH,
        DISPLAY,
        LANG,
        NO_AT_BRIDGE,
        HOME: home,
        TMPDIR: folder,
        SILIDOCK_DATA_DIR: join(home, "data"),
        SILIDOCK_EXPORT_DIR: home,
        ...environment,
      },
    });
    const server = `http://127.0.0.1:${port}`;
    try {
      // An open port is not enough: the native driver behind it starts later.
      await eventually("tauri-driver is ready", async () => (await (await fetch(`${server}/status`)).json()).value.ready);
      const capabilities = new selenium.Capabilities();
      capabilities.set("tauri:options", { application: needed("SILIDOCK_WINDOW"), args });
      capabilities.setBrowserName("wry");
      const browser = await new selenium.Builder().withCapabilities(capabilities).usingServer(`${server}/`).build();
      await browser.manage().setTimeouts({ script: PATIENCE });
      await browser.manage().window().setRect({ x: 0, y: 0, ...rect });
      return new Window(browser, driver, folder, home);
    } catch (error) {
      end(driver, folder);
      throw error;
    }
  }

  constructor(browser, driver, folder, home) {
    this.browser = browser;
    this.driver = driver;
    this.folder = folder;
    this.home = home;
  }

  async close() {
    try {
      await this.browser.quit();
    } finally {
      end(this.driver, this.folder);
    }
  }

  /** The one element of a selector, once it is there and shown. */
  async find(selector) {
    return eventually(selector, async () => {
      const [element] = await this.browser.findElements(By.css(selector));
      return element && (await element.isDisplayed()) ? element : null;
    });
  }

  /** The text of an element as it is laid out. WebDriver's own getText leaves out what may be cut short. */
  async text(selector) {
    return wordsOf(await this.find(selector));
  }

  /** Waits until the text of an element satisfies a pattern, and gives the match. */
  async says(selector, pattern) {
    return eventually(`${selector} says ${pattern}`, async () => pattern.exec(await this.text(selector)));
  }

  async click(selector) {
    await eventually(`${selector} can be clicked`, async () => this.#hit(await this.find(selector)));
  }

  /** Clicks an element once it stays where it is from one frame to the next: what moves is missed. */
  async #hit(element) {
    const stays = await this.browser.executeAsyncScript(
      `
      const [element, done] = arguments;
      const place = () => JSON.stringify(element.getBoundingClientRect());
      requestAnimationFrame(() => {
        const before = place();
        requestAnimationFrame(() => done(place() === before));
      });
    `,
      element,
    );
    if (stays) await element.click();
    return stays;
  }

  /** Clicks the button whose words begin like this, in the part of the page that `within` names. */
  async press(words, within = "body") {
    await eventually(`button "${words}"`, async () => {
      for (const button of await this.browser.findElements(By.css(`${within} button`))) {
        if (!(await wordsOf(button)).startsWith(words)) continue;
        if ((await button.isDisplayed()) && (await button.isEnabled())) return this.#hit(button);
      }
      return false;
    });
  }

  async go(screen) {
    await this.click(`[data-screen=${screen}]`);
    await this.find(`[data-screen=${screen}][aria-current=page]`);
  }

  /** The rows of the table, of any length, as texts of their cells: it is scrolled through, because only rows in sight exist. */
  async rows() {
    return this.browser.executeAsyncScript(`
      const done = arguments[0];
      const table = document.querySelector("[role=grid]");
      const frame = () => new Promise((next) => requestAnimationFrame(() => setTimeout(next, 30)));
      (async () => {
        const found = new Map();
        const total = Number(table.getAttribute("aria-rowcount")) - 1;
        table.scrollTop = 0;
        for (let idle = 0; found.size < total && idle < 40; ) {
          await frame();
          const before = found.size;
          for (const row of table.querySelectorAll("[data-key]")) {
            found.set(row.getAttribute("aria-rowindex"), [...row.querySelectorAll("[role=gridcell]")].map((cell) => cell.textContent.trim().replace(/\\s+/g, " ")));
          }
          idle = found.size === before ? idle + 1 : 0;
          table.scrollTop += table.clientHeight / 2;
        }
        table.scrollTop = 0;
        return [...found].sort(([a], [b]) => a - b).map(([, cells]) => cells);
      })().then(done, (error) => done(String(error)));
    `);
  }

  async script(text, ...values) {
    return this.browser.executeScript(text, ...values);
  }

  async keys(...keys) {
    const actions = this.browser.actions();
    await actions.sendKeys(...keys).perform();
  }

  /** A key with the command key of this machine. */
  async command(key) {
    await this.browser.actions().keyDown(Key.CONTROL).sendKeys(key).keyUp(Key.CONTROL).perform();
  }
}

async function wordsOf(element) {
  return (await element.getProperty("innerText")).replaceAll("\u00a0", " ").trim();
}

function end(driver, folder) {
  try {
    process.kill(-driver.pid, "SIGTERM");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
