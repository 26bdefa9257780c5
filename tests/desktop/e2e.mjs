// The real window on a real engine: what it shows is compared with what the engine and the files themselves say.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Front, labEngine } from "./engine.mjs";
import { By, Key, PATIENCE, Window, eventually } from "./window.mjs";

const HOSTILE = '<img src=x onerror="window.harmed=1">';
/** Columns of the table of containers. */
const CELL = { name: 0, runs: 3, compose: 5 };

describe("on the lab's engine", () => {
  const engine = labEngine("v28");
  const undo = [];
  let front;
  let window;

  before(async () => {
    front = new Front(engine);
    await front.up();
    window = await Window.open({ environment: { SILIDOCK_ENGINE: front.endpoint } });
    await window.says(".coverage", /Looked at \d+ of \d+ containers and \d+ of \d+ images/);
  });
  after(async () => {
    await window?.close();
    await front?.end();
    for (const step of undo.toReversed()) await step();
  });

  /** Containers of the engine that run, apart by whether their own image is the engine's platform. */
  async function running() {
    const all = (await engine.containers()).filter((one) => one.State === "running");
    const of = (one) => `${one.ImageManifestDescriptor.platform.os}/${one.ImageManifestDescriptor.platform.architecture}`;
    return { all, foreign: all.filter((one) => of(one) !== engine.platform) };
  }

  test("the verdict counts what the engine runs", async () => {
    const { all, foreign } = await running();
    const [, emulated, total] = await window.says("h1", /^(\d+) of (\d+) containers run emulated$/);
    assert.equal(Number(total), all.length);
    assert.ok(Number(emulated) >= foreign.length, `${emulated} emulated, ${foreign.length} foreign images`);
    assert.match(await window.text("aside"), /Really runs\s+Not proven yet/, "looking proves nothing, and says so");
    assert.equal(await window.script("return document.querySelectorAll('.banner').length"), 0, "a real engine has no banner");
  });

  test("every claim shows its evidence", async () => {
    await window.press("Why?", "[data-check=emulated-container]");
    const words = await window.text("[role=dialog]");
    assert.match(words, /process \d+/);
    assert.match(words, /qemu|binfmt/);
    assert.match(words, /How sure\s+Certain\./);
    await window.keys(Key.ESCAPE);
    await eventually("the panel is closed", async () => (await window.browser.findElements(By.css("[role=dialog]"))).length === 0);
  });

  test("which emulator runs is proven on request, with its evidence, and nothing stays", async () => {
    await window.go("diagnosis");
    const before = (await engine.containers()).length;
    const foreign = engine.platform === "linux/amd64" ? "linux/arm64" : "linux/amd64";
    await window.press("Check now", "aside");
    const card = `[data-platform="${foreign}"]`;
    await window.says(card, /QEMU \d+\.\d+/);
    // What is shown moves until the proof is over, and a press may miss what moves.
    await eventually("the proof is over", async () => !(await window.text("aside")).includes("Checking…"));
    await eventually("the evidence is open", async () => {
      if ((await window.browser.findElements(By.css(`${card} button[aria-expanded=true]`))).length > 0) return true;
      await window.press("Evidence", card);
      return false;
    });
    await window.says(card, /the processor says QEMU/);
    assert.equal(await window.script(`return document.querySelector('${card}').dataset.agrees`), "true");
    assert.equal((await window.browser.findElements(By.css("[data-disagreement]"))).length, 0);
    await eventually("no throw-away container stays", async () => (await engine.containers()).length === before);
  });

  test("the way out list names what runs emulated, and is saved", async () => {
    await window.press("Way out", "header");
    await window.says("[role=dialog] h2", /need ARM translation|need Intel translation/);
    const { foreign } = await running();
    const words = await window.text("[role=dialog]");
    for (const one of foreign) assert.ok(words.includes(one.Names[0].slice(1)), one.Names[0]);
    await window.press("Export list", "[role=dialog]");
    await window.find("input[name=format][value=csv]");
    await window.browser.findElement(By.css("input[name=format][value=csv]")).click();
    await window.press("Save", "[role=dialog]");
    const path = await (await window.find("[data-saved]")).getAttribute("data-saved");
    assert.match(readFileSync(path, "utf8"), /^kind,name,/);
    await window.keys(Key.ESCAPE);
    await eventually("the dialog is closed", async () => (await window.browser.findElements(By.css("[role=dialog]"))).length === 0);
  });

  test("the tables hold what the engine lists", async () => {
    await window.go("containers");
    const listed = await engine.containers();
    const rows = await window.rows();
    assert.deepEqual(rows.map((row) => row[CELL.name]).sort(), listed.map((one) => one.Names[0].slice(1)).sort());
    const { foreign } = await running();
    for (const one of foreign) {
      const row = rows.find((cells) => cells[CELL.name] === one.Names[0].slice(1));
      assert.equal(row[CELL.runs], "QEMU", row.join(" | "));
    }
    await window.go("images");
    const images = await engine.images();
    assert.equal((await window.rows()).length, images.length);
  });

  test("filter and order", async () => {
    await window.go("containers");
    const count = (await window.rows()).length;
    await window.command("f");
    await window.keys("labshop arm64");
    const narrowed = await window.rows();
    assert.ok(narrowed.length > 0 && narrowed.length < count, `${narrowed.length} of ${count}`);
    assert.ok(narrowed.every((row) => /labshop/.test(row.join(" ")) && /arm64/.test(row.join(" "))), narrowed.join("\n"));
    await window.keys(Key.ESCAPE);
    assert.equal((await window.rows()).length, count, "Escape clears the filter");

    await window.browser.findElement(By.xpath("//label[contains(., 'Only emulated')]")).click();
    const emulated = await window.rows();
    assert.ok(emulated.length > 0 && emulated.every((row) => row[CELL.runs].includes("QEMU")), emulated.join("\n"));
    await window.browser.findElement(By.xpath("//label[starts-with(normalize-space(.), 'All')]")).click();

    for (const direction of ["ascending", "descending"]) {
      await window.press("Name", "[role=columnheader]");
      await window.find(`[role=columnheader][aria-sort=${direction}]`);
      const names = (await window.rows()).map((row) => row[CELL.name]);
      const expected = names.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true, sensitivity: "base" }));
      assert.deepEqual(names, direction === "ascending" ? expected : expected.toReversed());
    }
  });

  test("a fix is shown, applied, checked, and undone byte for byte", async () => {
    const original = readFileSync(engine.project);
    undo.push(() => assert.deepEqual(readFileSync(engine.project), original, "the tests leave the project as it was"));
    await window.go("diagnosis");
    const before = (await window.browser.findElements(By.css("[data-check=pin-missing]"))).length;
    assert.ok(before > 0, "the lab's project has a service without platform:");
    await window.press("Pin ", "[data-check=pin-missing]");

    await window.find("[role=dialog] figure");
    const focused = await window.script("return document.activeElement.tagName");
    assert.notEqual(focused, "BUTTON", "Enter must not apply by accident");
    await window.keys(Key.ENTER);
    assert.deepEqual(readFileSync(engine.project), original, "looking changes nothing");
    const added = await window.text("[role=dialog] tr.added .text");
    assert.match(added, /^\s*platform: linux\/arm64$/);
    assert.match(await window.text("[role=dialog] footer"), /Review/);

    await window.press("Apply 1 step", "[role=dialog]");
    await window.find("[role=dialog] [data-verified=verified][data-applied=true]");
    const changed = readFileSync(engine.project, "utf8").split("\n");
    assert.deepEqual(changed.filter((line) => !original.toString().split("\n").includes(line)).map((line) => line.trim()), [added.trim()]);
    await window.press("Done", "[role=dialog]");
    await eventually("the finding is gone", async () => (await window.browser.findElements(By.css("[data-check=pin-missing]"))).length === before - 1);

    await window.go("history");
    assert.match(await window.text("[data-receipt]"), /Pin .* to linux\/arm64[^]*Applied[^]*Checked/);
    await window.press("Undo", "[data-receipt]");
    await window.find("[role=dialog] tr.removed");
    await window.press("Undo", "[role=dialog] footer");
    await window.find("[role=dialog] [data-verified=verified]");
    assert.deepEqual(readFileSync(engine.project), original);
    await window.press("Done", "[role=dialog]");
    await window.says("[data-receipt]", /Undone/);
    await window.go("diagnosis");
    await eventually("the finding is back", async () => (await window.browser.findElements(By.css("[data-check=pin-missing]"))).length === before);
  });

  test("a fix is saved as the script that was shown, and a shell reads it", async () => {
    const original = readFileSync(engine.project);
    await window.go("diagnosis");
    await window.press("Pin ", "[data-check=pin-missing]");
    await window.press("As a script", "[role=dialog]");
    const shown = await window.script("return [...document.querySelectorAll('[data-script] span')].map((line) => line.textContent).join('\\n')", await window.find("[data-script]"));
    await window.press("Save", "[role=dialog]");
    const path = await (await window.find("[data-saved]")).getAttribute("data-saved");
    assert.ok(path.startsWith(window.home) && path.endsWith(".sh"), path);
    const script = readFileSync(path, "utf8");
    assert.equal(script.trimEnd(), shown.trimEnd());
    assert.match(script, /platform: linux\/arm64/);
    execFileSync("sh", ["-n", path]);
    const code = await window.browser.executeAsyncScript("const done = arguments[1]; window.__TAURI_INTERNALS__.invoke('open_report', { path: arguments[0] }).then(() => done('opened'), (failure) => done(failure.code))", path);
    assert.equal(code, "refused", "a script is never opened: that may run it");
    assert.deepEqual(readFileSync(engine.project), original, "writing it changes nothing");
    await window.keys(Key.ESCAPE);
    await eventually("the dialog is closed", async () => (await window.browser.findElements(By.css("[role=dialog]"))).length === 0);
  });

  test("a report is saved in every form, and says what the window says", async () => {
    await window.go("diagnosis");
    const headline = await window.text("h1");
    for (const [format, extension] of [["html", "html"], ["markdown", "md"], ["json", "json"]]) {
      await window.press("Export report", "header");
      await window.browser.findElement(By.css(`input[name=format][value=${format}]`)).click();
      await window.press("Save", "[role=dialog]");
      const path = await (await window.find("[data-saved]")).getAttribute("data-saved");
      assert.ok(path.startsWith(window.home) && path.endsWith(`.${extension}`), path);
      const content = readFileSync(path, "utf8");
      if (format === "json") assert.equal(JSON.parse(content).verdict.headline, headline);
      else assert.ok(content.includes(headline), `${path} has the verdict`);
      if (format === "html") {
        assert.ok(content.startsWith("<!doctype html>") || content.startsWith("<!DOCTYPE html>"), content.slice(0, 60));
        assert.doesNotMatch(content, /<script|src="http|href="http[^"]*\.css/);
      }
      await window.keys(Key.ESCAPE);
      await eventually("the dialog is closed", async () => (await window.browser.findElements(By.css("[role=dialog]"))).length === 0);
    }
    await assert.rejects(
      window.browser.executeAsyncScript("const done = arguments[0]; window.__TAURI_INTERNALS__.invoke('open_report', { path: '/etc/passwd' }).then(() => done(), (failure) => done(failure.code))").then((code) => {
        assert.equal(code, "refused");
        throw new Error("refused");
      }),
      /refused/,
    );
  });

  test("what starts and ends shows by itself, and names stay text", async () => {
    await window.go("containers");
    const before = (await window.rows()).length;
    const repository = "silidock-lab/e2e-" + "long-name-".repeat(12) + "end";
    undo.push(await engine.tag("silidock-lab/bb:arm64", repository, "1"));
    const started = await engine.start("silidock-e2e-hostile", `${repository}:1`, {
      "com.docker.compose.project": `${HOSTILE}\u202egnp.x`,
      "com.docker.compose.service": "line\nbreak\u001b[31m<script>window.harmed=2</script>",
      // What Compose gives to containers alone; without it the two above may come from the image.
      "com.docker.compose.container-number": "1",
    });
    let removed = null;
    const remove = () => (removed ??= started());
    undo.push(remove);

    const there = (cells) => cells[CELL.name] === "silidock-e2e-hostile" && cells[CELL.runs] === "QEMU";
    const row = await eventually("the new container is there, and seen to run under QEMU", async () => (await window.rows()).find(there));
    const place = row[CELL.compose];
    assert.ok(place.includes(HOSTILE), place);
    assert.ok(place.includes("⟨U+202E⟩") && place.includes("line␊break␛[31m<script>"), place);
    await window.click("[data-key]:has([title^='silidock-e2e-hostile'])");
    await window.says(".inspector", /silidock-e2e-hostile/);
    assert.equal(await window.script("return window.harmed ?? 0"), 0, "nothing in a name ran");
    assert.equal(await window.script("return document.querySelectorAll('img, main script').length"), 0);
    const wide = await window.script("return document.documentElement.scrollWidth > innerWidth");
    assert.equal(wide, false, "a long name does not widen the window");

    await remove();
    await eventually("it is gone again", async () => (await window.rows()).length === before);
  });

  test("looking inside an image shows what it runs first, and leaves nothing behind", async () => {
    await window.go("images");
    await window.click("[data-key]:has([title*='silidock-lab/bb:amd64'])");
    await window.press("Look inside", ".inspector");
    await window.says("[role=dialog] h2", /fits its platform/);
    const words = await window.text("[role=dialog]");
    assert.match(words, /What it runs first/);
    assert.match(words, /busybox/);
    assert.match(words, /linux\/amd64/);
    const ours = async () => (await engine.containers()).filter((one) => "dev.silidock.owner" in one.Labels);
    await eventually("the throw-away container is gone", async () => (await ours()).length === 0);
    await window.keys(Key.ESCAPE);
    await eventually("it is closed", async () => (await window.browser.findElements(By.css("[role=dialog]"))).length === 0);
  });

  test("a container that stopped is explained, and so is a log", async () => {
    const { Id } = await engine.ask("POST", "/containers/create?name=silidock-e2e-stopped", {
      Image: "silidock-lab/bb:amd64",
      Entrypoint: ["/bin/busybox"],
      Cmd: ["sh", "-c", "echo something else is wrong; exit 3"],
      HostConfig: { NetworkMode: "none" },
    });
    undo.push(() => engine.ask("DELETE", `/containers/${Id}?force=1`));
    await engine.ask("POST", `/containers/${Id}/start`);
    await engine.ask("POST", `/containers/${Id}/wait`);
    await window.go("containers");
    await window.click("[data-key]:has([title^='silidock-e2e-stopped'])");
    await window.press("Why did it stop?", ".inspector");
    await window.says("[role=dialog]", /It is not the architecture/);
    assert.match(await window.text("[role=dialog]"), /exit code 3/);
    await window.keys(Key.ESCAPE);
    await eventually("it is closed", async () => (await window.browser.findElements(By.css("[role=dialog]"))).length === 0);

    await window.command("k");
    await window.find(".palette");
    await window.keys("explain a log", Key.ENTER);
    await window.find("[role=dialog] textarea");
    await window.click("[role=dialog] textarea");
    await window.keys("standard_init_linux.go:228: exec user process caused: exec format error");
    await window.press("Explain", "[role=dialog]");
    await window.says("[role=dialog] section", /./);
    assert.match(await window.text("[role=dialog]"), /log line 1/);
    await window.keys(Key.ESCAPE);
    await eventually("it is closed", async () => (await window.browser.findElements(By.css("[role=dialog]"))).length === 0);
  });

  test("an idle window asks the engine nothing", async () => {
    const heard = await engine.listen();
    try {
      // Others may use the engine; what they do is looked at, and rightly. Only a quiet time proves something.
      const asked = await eventually("nothing happens on the engine for a while", async () => {
        const events = heard.count;
        await sleep(3000);
        const settled = front.asked;
        await sleep(12_000);
        return heard.count === events ? { settled, after: front.asked } : null;
      }, 8 * PATIENCE);
      assert.equal(asked.after, asked.settled);
    } finally {
      heard.end();
    }
  });

  test("everything is reached by keyboard alone", async () => {
    for (const [digit, screen] of [["2", "containers"], ["3", "images"], ["4", "compose"], ["5", "benchmark"], ["6", "history"], ["1", "diagnosis"]]) {
      await window.command(digit);
      await window.find(`[data-screen=${screen}][aria-current=page]`);
    }
    await window.command("k");
    await window.find(".palette");
    await window.keys("contain", Key.ENTER);
    await window.find("[data-screen=containers][aria-current=page]");

    await window.script("document.querySelector('[role=grid]').focus()");
    await window.keys(Key.ARROW_DOWN, Key.ARROW_DOWN);
    const second = (await window.rows())[1][0];
    await window.says(".inspector h2", new RegExp(`^${second}$`));
    await window.keys(Key.END);
    await eventually("the last row is chosen", () => window.script("const t = document.querySelector('[role=grid]'); return document.getElementById(t.getAttribute('aria-activedescendant'))?.getAttribute('aria-rowindex') === t.getAttribute('aria-rowcount')"));
    await window.keys(Key.ESCAPE);
    await eventually("the details are closed", async () => (await window.browser.findElements(By.css(".inspector"))).length === 0);

    await window.command("1");
    await window.command("e");
    await window.find("[role=dialog]");
    for (let presses = 0; presses < 12; presses += 1) {
      await window.keys(Key.TAB);
      assert.equal(await window.script("return document.activeElement.closest('[role=dialog]') !== null"), true, "the dialog keeps the keyboard");
    }
    await window.keys(Key.ESCAPE);
    await eventually("the dialog is closed", async () => (await window.browser.findElements(By.css("[role=dialog]"))).length === 0);

    const asked = front.asked;
    await window.command("r");
    await eventually("a rescan asks the engine", () => front.asked > asked);
    await eventually("the rescan is over", () => window.script("return [...document.querySelectorAll('header button')].some((one) => one.innerText.trim() === 'Rescan' && !one.disabled)"));
  });

  test("when the engine goes away, what was seen stays, with its age, until it is back", async () => {
    const headline = await window.text("h1");
    await front.down();
    await window.says(".banner", /What you see is from/);
    assert.equal(await window.text("h1"), headline);
    await window.press("Retry", ".banner");
    await window.says(".banner", /What you see is from/);
    await front.up();
    await eventually("Retry brings it back", async () => {
      await window.press("Retry", ".banner");
      await sleep(1000);
      return (await window.browser.findElements(By.css(".banner"))).length === 0;
    });
    assert.equal(await window.text("h1"), headline);
  });
});

describe("projects that are opened in the window", () => {
  const engine = labEngine("v28");
  const foreign = engine.platform === "linux/amd64" ? "linux/arm64" : "linux/amd64";
  const folder = mkdtempSync(join(tmpdir(), "silidock-opened-"));
  const project = join(folder, "opened");
  const file = join(project, "compose.yaml");
  const text = `services:\n  one:\n    image: silidock-lab/bb:${foreign.split("/")[1]} # kept\n  two:\n    build: .\n    image: silidock-lab/bb:${foreign.split("/")[1]}\n`;
  const open = () => Window.open({ environment: { SILIDOCK_ENGINE: engine.endpoint, SILIDOCK_CHOOSE: project, SILIDOCK_DATA_DIR: join(folder, "data") } });
  const services = async (window) => (await window.rows()).map((row) => row[0]).filter((name) => name.startsWith("opened /"));

  before(() => {
    mkdirSync(project);
    writeFileSync(file, text);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test("a folder that is added is judged, several services are pinned at once, and it says where it runs", async () => {
    const window = await open();
    try {
      await window.says(".coverage", /Looked at/);
      await window.go("compose");
      await window.press("Add folder", "header");
      await eventually("its services are there", async () => (await services(window)).length === 2);
      await window.click("[data-key]:has([title='opened / one'])");
      await window.press(`Pin to ${foreign}`, ".inspector");
      await window.says("[role=dialog] h2", /^Pin one to/);
      await eventually("two is chosen", async () => {
        await window.click("[role=dialog] input[value=two]");
        return (await window.find("[role=dialog] input[value=two]:checked")) !== null;
      });
      await window.says("[role=dialog] h2", /^Pin one and two to/);
      assert.equal(readFileSync(file, "utf8"), text, "looking changes nothing");
      await window.press("Apply", "[role=dialog] footer");
      await window.find("[role=dialog] [data-verified=verified]");
      const pin = `    platform: ${foreign}\n`;
      assert.deepEqual(readFileSync(file, "utf8").split(pin).join(""), text, "only the pins were added");
      assert.equal(readFileSync(file, "utf8").split(pin).length, 3);
      await window.press("Done", "[role=dialog]");

      await window.click("[data-key]:has([title='opened / two'])");
      await window.press("Say where", ".inspector [data-deployed]");
      await window.click(`[role=dialog] input[value='${foreign}']`);
      await window.find("[role=dialog] tr.added");
      await window.press("Write it", "[role=dialog] footer");
      await window.find("[role=dialog] [data-verified=verified]");
      assert.equal(readFileSync(join(project, ".silidock.toml"), "utf8"), `[deploy]\ntargets = ["${foreign}"]\n`);
      await window.press("Done", "[role=dialog]");
      await window.says("[data-deployed]", new RegExp(`${foreign}[^]*silidock.toml:2`));
    } finally {
      await window.close();
    }
  });

  test("it is there again at the next start, until it is forgotten; one that has gone is told", async () => {
    let window = await open();
    try {
      await window.go("compose");
      await eventually("its services are there again", async () => (await services(window)).length === 2);
    } finally {
      await window.close();
    }
    const kept = join(folder, "data", "opened.json");
    writeFileSync(kept, JSON.stringify([...JSON.parse(readFileSync(kept, "utf8")), [join(folder, "moved-away")]]));
    window = await open();
    try {
      await window.go("compose");
      await window.says(".notices", /no longer there[^]*moved-away/);
      await window.press("Projects", "header");
      await window.press("Forget", "[role=dialog]");
      await eventually("it is off the list", async () => !/opened/.test(await window.text("[role=dialog] .body")));
      await window.press("Done", "[role=dialog]");
      await eventually("its services are gone", async () => (await services(window)).length === 0);
      assert.deepEqual(JSON.parse(readFileSync(kept, "utf8")), []);
      assert.ok(existsSync(file), "forgetting leaves the files alone");
    } finally {
      await window.close();
    }
  });
});

test("a container is built again from the folder that is chosen, replaced, and brought back", async () => {
  const engine = labEngine("v28");
  const arch = (platform) => platform.split("/")[1];
  const foreign = engine.platform === "linux/amd64" ? "linux/arm64" : "linux/amd64";
  const name = "silidock-e2e-rebuilt";
  const image = "silidock-lab/e2e-rebuilt";
  const folder = mkdtempSync(join(tmpdir(), "silidock-rebuilt-"));
  writeFileSync(join(folder, "Dockerfile"), `FROM silidock-lab/bb:${arch(engine.platform)}\nLABEL built=again\n`);
  const means = async () => (await engine.ask("GET", `/images/${encodeURIComponent(`${image}:1`)}/json`)).Id;
  const runs = async () => (await engine.containers()).find((one) => one.Names[0] === `/${name}`)?.ImageManifestDescriptor.platform.architecture;
  const undo = [await engine.tag(`silidock-lab/bb:${arch(foreign)}`, image, "1")];
  let window;
  try {
    await engine.start(name, `${image}:1`);
    // By its name: the one that was begun is not the one that ends.
    undo.push(() => engine.ask("DELETE", `/containers/${name}?force=1`));
    const before = await means();
    window = await Window.open({ environment: { SILIDOCK_ENGINE: engine.endpoint, SILIDOCK_CHOOSE: folder } });
    await window.says(".coverage", /Looked at/);
    await window.go("containers");
    await window.click(`[data-key]:has([title^='${name}'])`);
    await window.press("Rebuild", ".inspector");
    await window.says("[role=dialog]", /Nothing here says what/);
    await window.press("Choose", "[role=dialog]");
    await window.says("[role=dialog]", /named now/);
    await window.click("[role=dialog] .ticks input");
    await window.says("[role=dialog]", new RegExp(`Then made anew[^]*${name}`));
    assert.deepEqual([await means(), await runs()], [before, arch(foreign)], "looking builds nothing");
    await window.press("Build and replace", "[role=dialog] footer");
    await window.says("[role=dialog]", /Built\. Checked: it is as wanted/);
    const built = await means();
    undo.push(() => engine.ask("DELETE", `/images/${encodeURIComponent(built)}`));
    assert.notEqual(built, before);
    assert.equal(await runs(), arch(engine.platform));
    await window.press("Undo", "[role=dialog] footer");
    await window.says("[role=dialog]", /is made again as it was/);
    await window.press("Undo", "[role=dialog] footer");
    await window.says("[role=dialog]", /Undone: it is as it was/);
    assert.deepEqual([await means(), await runs()], [before, arch(foreign)]);
  } finally {
    await window?.close();
    for (const step of undo.toReversed()) await step();
    rmSync(folder, { recursive: true, force: true });
  }
});

describe("without the lab's engine", () => {
  test("an engine that does not answer is an error with ways on", async () => {
    const window = await Window.open({ environment: { SILIDOCK_ENGINE: "unix:///nonexistent/docker.sock" } });
    try {
      const words = await window.text("[role=alert]");
      assert.match(words, /nonexistent\/docker\.sock/);
      await window.press("Explore a sample Mac", "[role=alert]");
      await window.says(".banner", /sample Mac/);
      await window.says("h1", /\d+ of \d+ containers run emulated/);
    } finally {
      await window.close();
    }
  });

  test("where no engine is found, the sample stands in and says so, and its fixes work", async (context) => {
    if (existsSync("/var/run/docker.sock")) return context.skip("this machine has an engine of its own at /var/run/docker.sock");
    const window = await Window.open();
    try {
      await window.says(".banner", /No Docker engine was found, so this is a sample Mac/);
      for (const screen of ["containers", "images", "history", "diagnosis"]) {
        await window.go(screen);
        assert.match(await window.text(".banner"), /sample Mac/, screen);
      }
      await window.press("How to connect", ".banner");
      assert.match(await window.text("[role=dialog]"), /Looked in these places[^]*docker\.sock/);
      await window.press("Look again", "[role=dialog]");
      await window.says(".banner", /Still no Docker engine was found/);

      await window.press("Pin ", "[data-check=pin-missing]");
      await window.press("Apply 1 step", "[role=dialog]");
      await window.find("[role=dialog] [data-verified=verified]");
      await window.press("Undo", "[role=dialog]");
      await window.find("[role=dialog] tr.removed");
      await window.press("Undo", "[role=dialog] footer");
      await window.find("[role=dialog] [data-verified=verified]");
      await window.press("Done", "[role=dialog]");
    } finally {
      await window.close();
    }
  });
});
